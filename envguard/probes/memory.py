"""Allocation and copies: pageable, pinned, on a stream of their own, strided. Every byte has to come back."""

SIZES = (1, 1000, 2**20 + 1)
SPEED_BYTES = 64 * 2**20


def main(probe):
    torch, device = probe.torch()
    for size in SIZES:
        probe.stage("allocate and copy %d numbers" % size)
        x = numbers(torch, size)
        there = torch.empty(size, dtype=torch.int32, device=device)
        there.copy_(x)
        probe.compare("copy %d" % size, there, x, 0.0)
        probe.compare("clone %d" % size, there.clone(), x, 0.0)
    probe.stage("strided copy")
    x = numbers(torch, 256 * 257).reshape(256, 257)
    turned = x.to(device).t()[1::2].contiguous()
    probe.compare("strided", turned, torch.tensor(x.t()[1::2].tolist()), 0.0)
    probe.stage("fill")
    filled = torch.zeros(1000, dtype=torch.int32, device=device).fill_(7)
    probe.compare("fill", filled, torch.tensor([7] * 1000), 0.0)
    if device == "cuda":
        on_a_gpu(probe, torch)
    speed(probe, torch, device)


def numbers(torch, size):
    return torch.arange(size, dtype=torch.int32) * 2654435 % 65521


def on_a_gpu(probe, torch):
    probe.stage("pinned memory")
    x = numbers(torch, 2**20)
    pinned = x.pin_memory()
    probe.stage("copies on a stream")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        there = pinned.to("cuda", non_blocking=True)
        there += 1
        back = torch.empty(there.shape, dtype=there.dtype, pin_memory=True)
        back.copy_(there, non_blocking=True)
    stream.synchronize()
    probe.compare("stream", back, x + 1, 0.0)
    free, total = torch.cuda.mem_get_info()
    probe.value("GPU memory MiB", total // 2**20)
    probe.value("GPU memory free MiB", free // 2**20)


def speed(probe, torch, device):
    """GB/s. A copy within a device reads and writes; one between devices is counted once."""
    probe.stage("speed of copies")
    x = torch.zeros(SPEED_BYTES // 4, dtype=torch.float32, device=device)
    y = torch.empty_like(x)
    seconds = probe.seconds(torch, lambda: y.copy_(x), 5)
    probe.value("GB/s memory", round(2 * SPEED_BYTES / seconds / 1e9, 1))
    if device == "cuda":
        host = torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
        for name, to, source in (("to the GPU", x, host), ("from the GPU", host, x)):
            seconds = probe.seconds(torch, lambda to=to, source=source: to.copy_(source), 5)
            probe.value("GB/s " + name, round(SPEED_BYTES / seconds / 1e9, 1))
