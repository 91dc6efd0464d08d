"""Training steps of a small network: the loss falls, and falls as it does in float64 on a CPU."""

SEED = 20242
STEPS = 20
TORCH_STEPS = 8
FALL = 0.9  # the last loss, relative to the first, is below this
TOLERANCES = {"float32": 1e-3, "autocast": 5e-2}


def main(probe):
    if probe.arguments["framework"] == "torch":
        with_torch(probe)
    else:
        with_numpy(probe)


def with_numpy(probe):
    probe.stage("import numpy")
    import numpy

    random = numpy.random.RandomState(SEED)
    x, truth = random.standard_normal((200, 8)), random.standard_normal(8)
    y = x @ truth
    probe.stage("least squares")
    probe.compare("least squares", numpy.linalg.lstsq(x, y, rcond=None)[0], truth, 1e-10)
    probe.stage("gradient steps")
    losses = {}
    for dtype in ("float64", "float32"):
        losses[dtype] = descend(numpy, x.astype(dtype), y.astype(dtype))
    probe.compare("losses float32", losses["float32"], losses["float64"], 1e-4)
    fell(probe, losses["float32"])


def descend(numpy, x, y):
    weights, losses = numpy.zeros(x.shape[1], dtype=x.dtype), []
    for _ in range(STEPS):
        residual = x @ weights - y
        losses.append(float((residual**2).mean()))
        weights -= x.dtype.type(0.1 / len(y)) * (x.T @ residual)
    return numpy.array(losses)


def fell(probe, losses):
    first, last = float(losses[0]), float(losses[-1])
    probe.value("loss first", round(first, 6))
    probe.value("loss last", round(last, 6))
    # a first loss of 0 is wrong too, and no reason to stop with a division by it
    probe.judge("loss ratio", last / first if first else float("inf"), FALL)


def with_torch(probe):
    torch, device = probe.torch()
    probe.stage("float64 reference on the CPU")
    losses = probe.reference(torch, train, torch, "cpu", torch.float64)
    reference = torch.tensor(losses, dtype=torch.float64)
    for name in ("float32", "autocast"):
        probe.stage("training steps " + name)
        losses = probe.unless_missing(
            name, lambda name=name: train(torch, device, torch.float32, name == "autocast")
        )
        if losses is None:
            continue
        losses = torch.tensor(losses, dtype=torch.float64)
        probe.compare("losses " + name, losses, reference, TOLERANCES[name])
        fell(probe, losses)


def train(torch, device, dtype, autocast=False):
    """The losses of some steps of SGD, from the same weights and data in every dtype."""
    torch.manual_seed(SEED)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 8 * 8, 10),
    )
    x, y = torch.randn(32, 3, 8, 8), torch.arange(32) % 10
    network, x, y = network.to(device, dtype), x.to(device, dtype), y.to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scaler = grad_scaler(torch, autocast and device == "cuda")
    losses = []
    for _ in range(TORCH_STEPS):
        optimizer.zero_grad()
        with torch.autocast(device_type=device, enabled=autocast, **half(torch, device)):
            loss = torch.nn.functional.cross_entropy(network(x), y)
        losses.append(float(loss.detach()))
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    return losses


def half(torch, device):
    """What autocast computes in: float16 on a GPU, bfloat16 on a CPU."""
    return {"dtype": torch.float16 if device == "cuda" else torch.bfloat16}


def grad_scaler(torch, autocast):
    if not autocast:
        return None
    # the default of 65536 overflows in the first steps, which then are skipped
    if hasattr(torch, "amp") and hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler("cuda", init_scale=128.0)
    return torch.cuda.amp.GradScaler(init_scale=128.0)  # before torch 2.3
