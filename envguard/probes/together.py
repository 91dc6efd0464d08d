"""GPU frameworks in one process, in the order that was asked for: each is imported, then each is used."""

import importlib
import os


def main(probe):
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    modules = {}
    for name in probe.arguments["modules"]:
        probe.stage("import " + name)
        modules[name] = importlib.import_module(name)
        probe.value(name, str(getattr(modules[name], "__version__", "no version")))
    for name, module in modules.items():
        probe.stage("use " + name)
        used = USES[name](module, probe.arguments["device"])
        if used is not None:
            probe.judge("sum of " + name, abs(used - 6.0), 0.0)


def with_torch(torch, device):
    return float(torch.tensor([1.0, 2.0, 3.0], device=device).sum())


def with_tensorflow(tensorflow, device):
    return float(tensorflow.reduce_sum(tensorflow.constant([1.0, 2.0, 3.0])))


def with_jax(jax, device):
    return float(jax.numpy.asarray([1.0, 2.0, 3.0]).sum())


def with_cupy(cupy, device):
    return float(cupy.asarray([1.0, 2.0, 3.0]).sum()) if device == "cuda" else None


def with_onnxruntime(onnxruntime, device):
    onnxruntime.get_available_providers()


USES = {
    "torch": with_torch,
    "tensorflow": with_tensorflow,
    "jax": with_jax,
    "cupy": with_cupy,
    "onnxruntime": with_onnxruntime,
}
