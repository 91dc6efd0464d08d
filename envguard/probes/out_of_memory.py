"""Too little memory is an exception, after which the device still works."""

HUGE = 2**52  # bytes: no address space holds it


def main(probe):
    torch, device = probe.torch()
    probe.stage("ask for too much")
    wanted = HUGE
    if device == "cuda":
        wanted = 4 * torch.cuda.mem_get_info()[1]
    try:
        torch.empty(wanted, dtype=torch.uint8, device=device)
    except RuntimeError as error:
        probe.value("raised", type(error).__name__)
    else:
        raise RuntimeError("%d bytes were given, and are not there" % wanted)
    probe.stage("go on")
    x = torch.arange(1000.0, dtype=torch.float64)
    probe.compare("after it", (x.to(device) * 2).sum().reshape(1), torch.tensor([999000.0]), 0.0)
