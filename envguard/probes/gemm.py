"""Matrix products beyond the plain ones: double, complex, batched, strided, with an epilogue, float8."""

TOLERANCES = {
    "float64": 1e-12,
    "complex64": 1e-5,
    "float32": 1e-5,
    "float16": 4e-3,
    "bfloat16": 2e-2,
}
FLOAT8_CARD = (8, 9)


def main(probe):
    torch, device = probe.torch()
    for dtype in ("float64", "complex64"):
        kind = getattr(torch, dtype)
        x, y = (torch.randn(130, 130, dtype=kind) for _ in range(2))
        wide = torch.complex128 if dtype == "complex64" else torch.float64
        reference = product(torch, x.to(wide), y.to(wide))
        run(probe, dtype, TOLERANCES[dtype], reference, lambda: x.to(device) @ y.to(device))
    for dtype in ("float32", "float16", "bfloat16"):
        kind = getattr(torch, dtype)
        x, y = torch.randn(5, 33, 70).to(kind), torch.randn(5, 70, 41).to(kind)
        reference = torch.stack([product(torch, a.double(), b.double()) for a, b in zip(x, y)])
        run(probe, "batched " + dtype, TOLERANCES[dtype], reference,
            lambda: torch.bmm(x.to(device), y.to(device)))  # fmt: skip
        turned = torch.randn(140, 66).to(kind)
        a, b = turned[::2, :33].t(), y[0]
        run(probe, "strided " + dtype, TOLERANCES[dtype], product(torch, a.double(), b.double()),
            lambda: turned.to(device)[::2, :33].t() @ b.to(device))  # fmt: skip
        epilogue(probe, torch, device, dtype, x[0], y[0])
    if device == "cuda":
        float8(probe, torch)


def run(probe, label, tolerance, reference, function):
    probe.stage("matmul " + label)
    got = probe.unless_missing(label, function)
    if got is not None:
        probe.compare(label, got, reference, tolerance)


def product(torch, x, y):
    """Without BLAS: sums of outer products."""
    return sum(x[:, k, None] * y[None, k, :] for k in range(x.shape[1]))


def epilogue(probe, torch, device, dtype, x, y):
    """Linear, bias and GELU, which cuBLASLt computes in one."""
    bias = torch.randn(y.shape[1]).to(x.dtype)
    summed = product(torch, x.double(), y.double()) + bias.double()
    exact = summed * 0.5 * (1 + torch.erf(summed / 2**0.5))

    def function():
        linear = torch.nn.functional.linear(
            x.to(device), y.t().contiguous().to(device), bias.to(device)
        )
        return torch.nn.functional.gelu(linear)

    run(probe, "linear bias gelu " + dtype, TOLERANCES[dtype], exact, function)


def float8(probe, torch):
    if torch.cuda.get_device_capability(0) < FLOAT8_CARD or not hasattr(torch, "float8_e4m3fn"):
        probe.value("float8", "not on this card or torch")
        return
    probe.stage("matmul float8")
    x, y = (
        torch.randn(64, 128).to(torch.float8_e4m3fn),
        torch.randn(48, 128).to(torch.float8_e4m3fn),
    )
    one = torch.ones((), device="cuda")
    try:
        got = torch._scaled_mm(
            x.cuda(), y.cuda().t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16
        )
    except (AttributeError, TypeError) as error:  # private, and different before torch 2.5
        probe.value("float8", "not tried: %s" % str(error).partition("\n")[0][:100])
        return
    probe.compare("float8", got, product(torch, x.double(), y.double().t()), TOLERANCES["bfloat16"])
