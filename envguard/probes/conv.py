"""Convolutions forward and backward: cuDNN on a GPU, oneDNN on a CPU; numpy has FFT and convolve."""

SEED = 20241
# gradients of the weights sum over batch and positions, which the smaller dtypes feel
TOLERANCES = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
MORE = (
    {"name": "conv1d", "kernel": (16, 8, 3), "shape": (4, 8, 100), "dilation": 2},
    {"name": "conv2d", "kernel": (16, 8, 3, 3), "shape": (2, 8, 24, 24), "last": True},
    {"name": "conv2d", "kernel": (16, 2, 3, 3), "shape": (2, 8, 24, 24), "groups": 4},
    {"name": "conv2d", "kernel": (16, 8, 3, 3), "shape": (2, 8, 24, 24), "stride": 2},
    {"name": "conv3d", "kernel": (8, 4, 3, 3, 3), "shape": (2, 4, 10, 10, 10)},
    {"name": "conv_transpose2d", "kernel": (8, 6, 3, 3), "shape": (2, 8, 16, 16)},
)
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
    torch, device = probe.torch()
    if device == "cuda":
        probe.stage("cuDNN start")
        probe.value("cuDNN", str(torch.backends.cudnn.version()))
    if probe.arguments.get("more"):
        for dtype in ("float32", "float16", "bfloat16"):
            for case in MORE:
                one(probe, torch, dtype, **case)
        return
    for dtype in ("float32", "float16"):
        one(probe, torch, dtype, "conv1d", (32, 16, 5), (4, 16, 128))
        one(probe, torch, dtype, "conv2d", (32, 16, 3, 3), (4, 16, 32, 32))


def one(probe, torch, dtype, name, kernel, shape, last=False, **options):
    """Compare the output and both gradients with those of the float64 convolution on the CPU."""
    told = "".join(", %s %s" % pair for pair in options.items())
    label = "%s %s%s%s" % (name, dtype, ", channels last" if last else "", told)
    probe.stage(label + " forward and backward")
    kind, device = getattr(torch, dtype), probe.arguments["device"]
    x, w = torch.randn(shape).to(kind), (torch.randn(kernel) / 8).to(kind)
    layout = torch.channels_last if last else torch.contiguous_format
    inputs = [m.to(device).to(memory_format=layout) for m in (x, w)]
    got = probe.unless_missing(label, lambda: gradients(torch, name, *inputs, **options))
    if got is None:
        return
    doubles = x.double(), w.double()
    reference = probe.reference(torch, gradients, torch, name, *doubles, **options)
    for part, ours, theirs in zip(("output", "input gradient", "weight gradient"), got, reference):
        probe.compare(label + " " + part, ours, theirs, TOLERANCES[dtype])


def gradients(torch, name, x, w, **options):
    x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
    output = getattr(torch.nn.functional, name)(x, w, **dict({"padding": 1}, **options))
    # weights within one keep float16 gradients in range
    scale = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * scale.to(output.dtype).to(output.device)).sum().backward()
    return output, x.grad, w.grad
