"""Sorting, searching, gathering and scattering, against lists of Python's own."""

SIZE = 5000


def main(probe):
    torch, device = probe.torch()
    values = [(n * 7919) % 10007 for n in range(SIZE)]
    keys = [(n * 31) % 64 for n in range(SIZE)]
    x, k = torch.tensor(values, device=device), torch.tensor(keys, device=device)
    ordered = sorted(values)
    for name, function, expected in (
        ("sort", lambda: x.sort()[0], ordered),
        ("argsort", lambda: x[x.argsort(descending=True)], ordered[::-1]),
        ("topk", lambda: x.topk(100)[0], ordered[::-1][:100]),
        ("cumsum", lambda: x.cumsum(0), running(values)),
        ("index", lambda: x[k], [values[key] for key in keys]),
        ("gather", lambda: x.gather(0, k), [values[key] for key in keys]),
        ("mask", lambda: x[x > 5000], [value for value in values if value > 5000]),
        ("scatter_add", lambda: added(torch, device).scatter_add_(0, k, x), by_key(keys, values)),
        ("index_add", lambda: added(torch, device).index_add_(0, k, x), by_key(keys, values)),
        ("bincount", lambda: torch.bincount(k, minlength=64), by_key(keys, [1] * SIZE)),
        ("unique", lambda: torch.unique(k), sorted(set(keys))),
        (
            "nonzero",
            lambda: (k == 3).nonzero()[:, 0],
            [n for n, key in enumerate(keys) if key == 3],
        ),
        ("searchsorted", lambda: torch.searchsorted(x.sort()[0].unique(), x[:100]), ranks(values)),
    ):
        probe.stage(name)
        probe.compare(name, function(), torch.tensor(expected), 0.0)


def added(torch, device):
    return torch.zeros(64, dtype=torch.int64, device=device)


def running(values):
    total, sums = 0, []
    for value in values:
        total += value
        sums.append(total)
    return sums


def by_key(keys, values):
    sums = [0] * 64
    for key, value in zip(keys, values):
        sums[key] += value
    return sums


def ranks(values):
    places = {value: n for n, value in enumerate(sorted(set(values)))}
    return [places[value] for value in values[:100]]
