"""A kernel from C++ text, compiled by NVRTC while the program runs."""

CODE = "template <typename T> T scaled(T x, T y, T by) { return x * by + y; }"


def main(probe):
    torch, _ = probe.torch()
    if not hasattr(torch.cuda, "jiterator"):
        probe.nothing_to_do("torch %s has no jiterator" % torch.__version__)
        return
    probe.stage("NVRTC")
    scaled = torch.cuda.jiterator._create_jit_fn(CODE, by=2.0)
    x, y = torch.randn(1000, dtype=torch.float64), torch.randn(1000, dtype=torch.float64)
    probe.compare("kernel", scaled(x.cuda(), y.cuda(), by=3.0), x * 3 + y, 1e-12)
