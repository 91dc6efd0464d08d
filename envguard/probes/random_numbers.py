"""Random numbers: a seed gives the same ones again, another seed others, and their moments are right."""

COUNT = 200000
SIGMAS = 5.0  # one run in two million is that far off by chance, and the seed is fixed


def main(probe):
    torch, device = probe.torch()
    for name, mean, variance, draw in (
        ("uniform", 0.5, 1 / 12.0, lambda: torch.rand(COUNT, device=device)),
        ("normal", 0.0, 1.0, lambda: torch.randn(COUNT, device=device)),
        ("bernoulli", 0.3, 0.21, lambda: torch.full((COUNT,), 0.3, device=device).bernoulli()),
        ("exponential", 1.0, 1.0, lambda: torch.empty(COUNT, device=device).exponential_()),
        ("integers", 49.5, 833.25, lambda: torch.randint(0, 100, (COUNT,), device=device).float()),
    ):
        probe.stage("random " + name)
        torch.manual_seed(7)
        first = draw()
        torch.manual_seed(7)
        probe.compare(name + " again", draw(), first, 0.0)
        other = draw()
        probe.judge(name + " repeated", float((first == other).all()), 0.0)
        off = abs(float(first.double().mean()) - mean) / (variance / COUNT) ** 0.5
        probe.judge(name + " mean in standard errors", off, SIGMAS)
        probe.judge(name + " variance", abs(float(first.double().var()) / variance - 1), 0.05)
    probe.stage("permutation")
    drawn = torch.randperm(1000, device=device)
    probe.compare("permutation", drawn.sort()[0], torch.arange(1000), 0.0)
    probe.judge("permutation in order", float((drawn.cpu() == torch.arange(1000)).all()), 0.0)
