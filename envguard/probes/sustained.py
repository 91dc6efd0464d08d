"""Load that lasts: the same product again and again, which never changes, and how fast it still is."""

import time

SECONDS = 30.0
ROUND_S = 2.0


def main(probe):
    torch, device = probe.torch()
    size = 4096 if device == "cuda" else 512
    kind = torch.float16 if device == "cuda" else torch.float32
    x = torch.randn(size, size).to(kind).to(device)
    first = x @ x
    reference = torch.einsum("ij,jk->ik", x[:8].cpu().double(), x.cpu().double())
    probe.compare("the first", first[:8], reference, 4e-3 if device == "cuda" else 1e-5)
    speeds, differing, started = [], 0, time.perf_counter()
    while time.perf_counter() - started < probe.arguments.get("seconds", SECONDS):
        probe.stage("load, second %d" % (time.perf_counter() - started))
        speeds.append(one_round(torch, device, x, size))
        differing += int((x @ x != first).sum())
    probe.judge("numbers that changed", float(differing), 0.0)
    probe.value("TFLOP/s first", round(speeds[0], 3))
    probe.value("TFLOP/s last", round(speeds[-1], 3))


def one_round(torch, device, x, size):
    """TFLOP/s over some seconds."""
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < ROUND_S:
        for _ in range(10):
            x @ x
        if device == "cuda":
            torch.cuda.synchronize()
        done += 10
    return done * 2 * size**3 / (time.perf_counter() - started) / 1e12
