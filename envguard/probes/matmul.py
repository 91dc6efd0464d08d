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
SPEEDS = {"cuda": ("float32", "tf32", "float16", "bfloat16"), "cpu": ("float32",)}
SPEED_SIZE = {"cuda": 8192, "cpu": 1024}
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
    torch, device = probe.torch()
    a, b = torch.randn(2, SIZE, SIZE, dtype=torch.float64)
    for dtype in dtypes(torch, device):
        one_dtype(probe, torch, dtype, a, b)
    for dtype in SPEEDS[device]:
        speed(probe, torch, device, dtype)


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
    x, y = (m.to(kind_of(torch, name, device)) for m in (a, b))
    reference = probe.reference(torch, product, torch, x.double(), y.double())
    got = probe.unless_missing(name, lambda: x.to(device) @ y.to(device))
    if got is not None:
        probe.compare(name, got, reference, TOLERANCES[name])


def kind_of(torch, name, device):
    """The dtype; what float32 means on this card is a switch."""
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
    return torch.float32 if name == "tf32" else getattr(torch, name)


def product(torch, x, y):
    """A float64 product without BLAS: sums of outer products, 16 at a time."""
    total = torch.zeros(x.shape[0], y.shape[1], dtype=torch.float64)
    for start in range(0, x.shape[1], 16):
        block = slice(start, start + 16)
        total += (x[:, block, None] * y[None, block, :]).sum(dim=1)
    return total


def speed(probe, torch, device, name):
    """TFLOP/s; what they are of the card's peak is judged where the peaks are known."""
    if name not in dtypes(torch, device):
        return
    probe.stage("speed " + name)
    size = SPEED_SIZE[device]
    try:
        x = torch.randn(size, size, device=device).to(kind_of(torch, name, device))
        seconds = probe.seconds(torch, lambda: x @ x, 5)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        probe.value("no speed measured", "too little free GPU memory")
        return
    probe.value("TFLOP/s " + name, round(2 * size**3 / seconds / 1e12, 2))
