"""The end of a process that has used everything: threads, pinned memory, streams, libraries.

It is tried here for all: probes that are forked end without it.
"""


def main(probe):
    torch, device = probe.torch()
    probe.stage("use what has to be taken down")
    x = torch.randn(128, 128, dtype=torch.float64)
    got = x.to(device) @ x.to(device)
    probe.compare("product", got, torch.einsum("ij,jk->ik", x, x), 1e-12)
    weights = torch.randn(4, 3, 3, 3, device=device, requires_grad=True)
    torch.nn.functional.conv2d(torch.randn(1, 3, 8, 8, device=device), weights).sum().backward()
    torch.fft.rfft(x.to(device))
    if device == "cuda":
        torch.cuda.Stream().synchronize()
        torch.zeros(8, pin_memory=True)
        torch.cuda.synchronize()
    probe.value("loaded modules", len(__import__("sys").modules))
