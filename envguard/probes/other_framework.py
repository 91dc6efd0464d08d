"""jax, tensorflow, cupy or onnxruntime: an import and a matrix product, against one in plain Python."""

import os

SIZE = 48
# float32, and on a GPU the tensor cores' TF32, which XLA and TensorFlow use by themselves
TOLERANCE = 2e-3


def main(probe):
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    name = probe.arguments["framework"]
    probe.stage("import numpy")
    import numpy

    random = numpy.random.RandomState(20245)
    x, y = (random.standard_normal((SIZE, SIZE)).astype("float32") for _ in range(2))
    rows, columns = x.astype("float64").tolist(), y.astype("float64").T.tolist()
    reference = [[sum(a * b for a, b in zip(row, column)) for column in columns] for row in rows]
    got = PRODUCTS[name](probe, x, y)
    if got is not None:
        probe.compare("float32", numpy.asarray(got), numpy.array(reference), TOLERANCE)


def with_jax(probe, x, y):
    probe.stage("import jax")
    import jax

    probe.value("jax", jax.__version__)
    probe.stage("devices of jax")
    device = jax.devices()[0]
    if missing(probe, "jax", device.platform in ("gpu", "cuda")):
        return None
    probe.value("device", str(device))
    probe.stage("matmul of jax")
    return jax.numpy.matmul(jax.device_put(x, device), y)


def with_tensorflow(probe, x, y):
    probe.stage("import tensorflow")
    import tensorflow

    probe.value("tensorflow", tensorflow.__version__)
    probe.stage("devices of tensorflow")
    gpus = tensorflow.config.list_physical_devices("GPU")
    if missing(probe, "tensorflow", bool(gpus)):
        return None
    probe.value("device", gpus[0].name if gpus else "cpu")
    probe.stage("matmul of tensorflow")
    return tensorflow.linalg.matmul(x, y).numpy()


def with_cupy(probe, x, y):
    probe.stage("import cupy")
    import cupy

    probe.value("cupy", cupy.__version__)
    if probe.arguments["device"] != "cuda":
        probe.nothing_to_do("cupy computes on a GPU alone; it was imported")
        return None
    probe.stage("matmul of cupy")
    return cupy.asnumpy(cupy.matmul(cupy.asarray(x), cupy.asarray(y)))


def with_onnxruntime(probe, x, y):
    probe.stage("import onnxruntime")
    import onnxruntime

    probe.value("onnxruntime", onnxruntime.__version__)
    providers = onnxruntime.get_available_providers()
    if missing(probe, "onnxruntime", "CUDAExecutionProvider" in providers):
        return None
    wanted = ["CPUExecutionProvider"]
    if probe.arguments["device"] == "cuda":
        wanted.insert(0, "CUDAExecutionProvider")
    probe.stage("session of onnxruntime")
    session = onnxruntime.InferenceSession(matmul_model(), providers=wanted)
    used = session.get_providers()
    probe.value("providers", ", ".join(used))
    if wanted[0] not in used:
        raise RuntimeError("%s was asked for, and %s is used" % (wanted[0], ", ".join(used)))
    probe.stage("matmul of onnxruntime")
    return session.run(None, {"x": x, "y": y})[0]


def missing(probe, name, has_gpu):
    """On a GPU machine a framework that sees no GPU proves nothing of it, and is missed."""
    if probe.arguments["device"] == "cuda" and not has_gpu:
        probe.nothing_to_do(
            "%s sees no GPU: it is a build for the CPU, or lacks a library" % name, wanted=True
        )
        return True
    return False


def matmul_model():
    """A graph of one MatMul of x and y, as onnx.proto has it, written by hand: onnx need not be here."""
    node = field(1, b"x") + field(1, b"y") + field(2, b"z") + field(4, b"MatMul")
    graph = field(1, node) + field(2, b"product")
    graph += field(11, tensor(b"x")) + field(11, tensor(b"y")) + field(12, tensor(b"z"))
    opset = field(2, number(13))  # a version field of OperatorSetIdProto
    return field(1, number(8)) + field(7, graph) + field(8, opset)


def tensor(name):
    """A ValueInfoProto: float32, SIZE by SIZE."""
    dimension = field(1, field(1, number(SIZE)))
    kind = field(1, field(1, number(1)) + field(2, dimension + dimension))
    return field(1, name) + field(2, kind)


class number(int):
    """A value that protobuf writes as a varint."""


def field(tag, value):
    if isinstance(value, number):
        return varint(tag << 3) + varint(value)
    return varint(tag << 3 | 2) + varint(len(value)) + value


def varint(value):
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


PRODUCTS = {
    "jax": with_jax,
    "tensorflow": with_tensorflow,
    "cupy": with_cupy,
    "onnxruntime": with_onnxruntime,
}
