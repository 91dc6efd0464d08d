"""A fork after the device was used: on a GPU the child is refused, on a CPU it computes, as workers do."""

import os

REFUSED, COMPUTED, WRONG = 0, 10, 11


def main(probe):
    torch, device = probe.torch()
    x = torch.randn(200, 200, dtype=torch.float64)
    expected = torch.einsum("ij,jk->ik", x, x)
    probe.stage("use the device")
    probe.compare("parent", x.to(device) @ x.to(device), expected, 1e-12)
    probe.stage("a child that uses it, too")
    child = os.fork()
    if child == 0:
        os._exit(in_child(torch, device, x, expected))
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        raise RuntimeError("the child was killed by signal %d" % os.WTERMSIG(status))
    said = {REFUSED: "refused", COMPUTED: "computed", WRONG: "a wrong result"}
    code = os.WEXITSTATUS(status)
    probe.value("child", said.get(code, "exit code %d" % code))
    probe.judge("child", float(code != (REFUSED if device == "cuda" else COMPUTED)), 0.0)
    probe.stage("the parent after it")
    probe.compare("parent after it", x.to(device) @ x.to(device), expected, 1e-12)


def in_child(torch, device, x, expected):
    torch.set_num_threads(1)  # what DataLoader does in its workers: threads do not survive a fork
    try:
        got = x.to(device) @ x.to(device)
    except RuntimeError as error:
        return REFUSED if "fork" in str(error) else 1
    return COMPUTED if float((got.cpu() - expected).abs().max()) < 1e-9 else WRONG
