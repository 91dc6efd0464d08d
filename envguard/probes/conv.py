"""Convolutions forward and backward: cuDNN on a GPU, oneDNN on a CPU; numpy has FFT and convolve."""

SEED = 20241
# gradients of the weights sum over batch and positions, which the smaller dtypes feel
TOLERANCES = {"float32": 1e-4, "float16": 1e-2}
NUMPY_TOLERANCE = 1e-12


def main(probe):
    if probe.arguments["framework"] == "torch":
        with_torch(probe)
    else:
        with_numpy(probe)


def with_numpy(probe):
    probe.stage("import numpy")
    import numpy

    random = numpy.random.RandomState(SEED)
    signal, kernel = random.standard_normal(256), random.standard_normal(17)
    probe.stage("convolve")
    reference = numpy.zeros(len(signal) + len(kernel) - 1)
    for offset, weight in enumerate(kernel):
        reference[offset : offset + len(signal)] += weight * signal
    probe.compare("convolve", numpy.convolve(signal, kernel), reference, NUMPY_TOLERANCE)
    probe.stage("fft")
    steps = numpy.arange(len(signal))
    waves = numpy.exp(-2j * numpy.pi * numpy.outer(steps, steps) / len(signal))
    reference = numpy.einsum("ij,j->i", waves, signal)
    probe.compare("fft", numpy.fft.fft(signal), reference, NUMPY_TOLERANCE)
    probe.compare(
        "fft and back", numpy.fft.ifft(numpy.fft.fft(signal)).real, signal, NUMPY_TOLERANCE
    )


def with_torch(probe):
    probe.stage("import torch")
    import torch

    device = probe.arguments["device"]
    if device == "cuda":
        probe.stage("cuDNN start")
        probe.value("cuDNN", str(torch.backends.cudnn.version()))
        torch.backends.cudnn.allow_tf32 = False
    for name, kernel, shape in (
        ("conv1d", (32, 16, 5), (4, 16, 128)),
        ("conv2d", (32, 16, 3, 3), (4, 16, 32, 32)),
    ):
        for dtype in ("float32", "float16"):
            one(probe, torch, name, kernel, shape, dtype)


def one(probe, torch, name, kernel, shape, dtype):
    """Compare the output and both gradients with those of the float64 convolution on the CPU."""
    label = name + " " + dtype
    probe.stage(label + " forward and backward")
    torch.manual_seed(SEED)
    kind, device = getattr(torch, dtype), probe.arguments["device"]
    x, w = torch.randn(shape).to(kind), (torch.randn(kernel) / 8).to(kind)
    try:
        got = gradients(torch, name, x.to(device), w.to(device))
    except RuntimeError as error:
        words = ("not implemented for", "not supported", "could not create a primitive")
        if device == "cpu" and dtype == "float16" and any(word in str(error) for word in words):
            probe.value("not on this CPU build", label)
            return
        raise
    reference = gradients(torch, name, x.double(), w.double())
    for part, ours, theirs in zip(("output", "input gradient", "weight gradient"), got, reference):
        probe.compare(label + " " + part, ours, theirs, TOLERANCES[dtype])


def gradients(torch, name, x, w):
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    output = getattr(torch.nn.functional, name)(x, w, padding=1)
    # weights within one keep float16 gradients in range
    scale = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * scale.to(output.dtype).to(output.device)).sum().backward()
    return output, x.grad, w.grad
