"""A CUDA graph, captured once and replayed on other numbers."""


def main(probe):
    torch, _ = probe.torch()
    if not hasattr(torch.cuda, "CUDAGraph"):
        probe.nothing_to_do("torch %s has no CUDA graphs" % torch.__version__)
        return
    weight = torch.randn(64, 64, dtype=torch.float64)
    there = weight.cuda()
    x = torch.zeros(32, 64, dtype=torch.float64, device="cuda")
    probe.stage("warm up on a side stream")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            (x @ there).relu()
    torch.cuda.current_stream().wait_stream(side)
    probe.stage("capture")
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = (x @ there).relu() + 1
    for turn in range(3):
        probe.stage("replay %d" % turn)
        numbers = torch.randn(32, 64, dtype=torch.float64)
        x.copy_(numbers)
        graph.replay()
        reference = torch.einsum("ij,jk->ik", numbers, weight).clamp(min=0) + 1
        probe.compare("replay %d" % turn, y, reference, 1e-12)
