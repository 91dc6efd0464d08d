"""Matrix products and convolutions of many shapes and dtypes: kernels are chosen by shape."""

TOLERANCES = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 2e-2}
SIZES = (1, 3, 8, 17, 64, 100, 129, 256)
CONVOLUTIONS = [(c, k, s) for c in (1, 3, 8, 16) for k in (1, 3, 5) for s in (1, 2)]


def main(probe):
    torch, device = probe.torch()
    worst = {}
    for dtype in TOLERANCES:
        for m in SIZES:
            for n in SIZES:
                for k in (1, 16, 65, 250):
                    label = "matmul %s %dx%dx%d" % (dtype, m, n, k)
                    one(probe, torch, device, worst, label, dtype, product, (m, k), (k, n))
        for channels, kernel, stride in CONVOLUTIONS:
            label = "conv %s %d channels, kernel %d, stride %d" % (dtype, channels, kernel, stride)
            function = convolution(torch, stride, kernel // 2)
            shapes = (2, channels, 19, 23), (6, channels, kernel, kernel)
            one(probe, torch, device, worst, label, dtype, function, *shapes)
    for dtype, error in worst.items():
        probe.value("error " + dtype, error)


def one(probe, torch, device, worst, label, dtype, function, *shapes):
    probe.stage(label)
    x, y = (torch.randn(shape).to(getattr(torch, dtype)) for shape in shapes)
    got = probe.unless_missing(label, lambda: function(x.to(device), y.to(device)))
    if got is None:
        return
    reference = function(x.double(), y.double())
    error = float((got.cpu().double() - reference).abs().max() / (reference.abs().max() or 1.0))
    worst[dtype] = max(worst.get(dtype, 0.0), error)
    if not error <= TOLERANCES[dtype]:
        probe.judge(label, error, TOLERANCES[dtype])


def product(x, y):
    return x @ y


def convolution(torch, stride, padding):
    return lambda x, y: torch.nn.functional.conv2d(x, y, stride=stride, padding=padding)
