"""Matrix products in several dtypes: cuBLAS on a GPU, MKL, OpenBLAS or oneDNN on a CPU."""

SIZE = 256
SEED = 20240
# rounding of the result, plus what blocked and tensor-core sums lose over 256 products
TOLERANCES = {
    "float64": 1e-12,
    "float32": 1e-5,
    "tf32": 2e-3,
    "float16": 4e-3,
    "bfloat16": 2e-2,
    "complex128": 1e-12,
}
TENSOR_CORES = (8, 0)  # the first cards with TF32 and bfloat16 in hardware


def main(probe):
    if probe.arguments["framework"] == "torch":
        with_torch(probe)
    else:
        with_numpy(probe)


def with_numpy(probe):
    probe.stage("import numpy")
    import numpy

    random = numpy.random.RandomState(SEED)
    a, b = random.standard_normal((2, SIZE, SIZE))
    for dtype in ("float64", "float32"):
        probe.stage("matmul " + dtype)
        x, y = a.astype(dtype), b.astype(dtype)
        # einsum without optimize uses no BLAS
        reference = numpy.einsum("ij,jk->ik", x.astype("float64"), y.astype("float64"))
        probe.compare(dtype, x @ y, reference, TOLERANCES[dtype])
    probe.stage("matmul complex128")
    x = a + 1j * b
    probe.compare("complex128", x @ x, numpy.einsum("ij,jk->ik", x, x), TOLERANCES["complex128"])


def with_torch(probe):
    probe.stage("import torch")
    import torch

    device = probe.arguments["device"]
    if device == "cuda":
        start_cuda(probe, torch)
    torch.manual_seed(SEED)
    a, b = torch.randn(2, SIZE, SIZE, dtype=torch.float64)
    for dtype in dtypes(torch, device):
        one_dtype(probe, torch, dtype, a, b)
    if device == "cuda":
        speed(probe, torch, "float32", 4096)
        speed(probe, torch, "float16", 8192)


def start_cuda(probe, torch):
    """Name the card; raises torch's own reason where it cannot use CUDA."""
    probe.stage("CUDA start")
    torch.cuda.init()
    torch.zeros(1, device="cuda")
    probe.value("device", torch.cuda.get_device_name(0))
    probe.value("compute capability", "%d.%d" % torch.cuda.get_device_capability(0))


def dtypes(torch, device):
    names = ["float64", "float32", "float16", "bfloat16"]
    if device == "cuda" and torch.cuda.get_device_capability(0) < TENSOR_CORES:
        names.remove("bfloat16")
    elif device == "cuda":
        names.insert(2, "tf32")
    return names


def one_dtype(probe, torch, name, a, b):
    probe.stage("matmul " + name)
    device = probe.arguments["device"]
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
    dtype = torch.float32 if name == "tf32" else getattr(torch, name)
    x, y = a.to(dtype), b.to(dtype)
    reference = product(torch, x.double(), y.double())
    try:
        got = x.to(device) @ y.to(device)
    except RuntimeError as error:
        if device == "cpu" and "not implemented for" in str(error):
            probe.value("not on this CPU build", name)
            return
        raise
    probe.compare(name, got, reference, TOLERANCES[name])


def product(torch, x, y):
    """A float64 product without BLAS: sums of outer products, 16 at a time."""
    total = torch.zeros(x.shape[0], y.shape[1], dtype=torch.float64)
    for start in range(0, x.shape[1], 16):
        block = slice(start, start + 16)
        total += (x[:, block, None] * y[None, block, :]).sum(dim=1)
    return total


def speed(probe, torch, name, size, repeats=10):
    """TFLOP/s, for information: no verdict hangs on it."""
    probe.stage("speed " + name)
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        x = torch.randn(size, size, device="cuda", dtype=getattr(torch, name))
        x @ x
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        probe.value("no speed measured", "too little free GPU memory")
        return
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repeats):
        x @ x
    end.record()
    torch.cuda.synchronize()
    milliseconds = start.elapsed_time(end) / repeats
    probe.value("TFLOP/s " + name, round(2 * size**3 / milliseconds / 1e9, 1))
