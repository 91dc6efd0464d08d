"""An index out of range on the GPU is an exception, in a child: no context survives a device-side assert."""

import os


def main(probe):
    probe.stage("import torch")
    import torch

    probe.stage("device-side assert in a child")  # forked before anything touches CUDA
    child = os.fork()
    if child == 0:
        os._exit(caught(torch))
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        raise RuntimeError(
            "the process with the assert was killed by signal %d" % os.WTERMSIG(status)
        )
    probe.value("caught", os.WEXITSTATUS(status) == 0)
    if os.WEXITSTATUS(status) != 0:
        raise RuntimeError("an index out of range on the GPU was no exception")
    torch, device = probe.torch()
    x = torch.arange(100.0, dtype=torch.float64)
    probe.compare(
        "another process after it", x.to(device).flip(0), torch.tensor(x.tolist()[::-1]), 0.0
    )


def caught(torch):
    x = torch.zeros(4, device="cuda")
    torch.cuda.synchronize()
    try:
        x[torch.full((8,), 1000, device="cuda")].sum().item()
        torch.cuda.synchronize()
    except RuntimeError as error:
        return 0 if "assert" in str(error) or "index" in str(error).lower() else 1
    return 1
