"""Sparse matrices: cuSPARSE on a GPU, MKL on a CPU."""

import warnings

TOLERANCE = 1e-5


def main(probe):
    torch, device = probe.torch()
    warnings.simplefilter("ignore")  # that CSR is in beta
    dense = torch.randn(80, 60) * (torch.rand(80, 60) < 0.1)
    x = torch.randn(60, 17)
    reference = sum(dense.double()[:, k, None] * x.double()[None, k, :] for k in range(60))
    for name, convert in (("COO", "to_sparse"), ("CSR", "to_sparse_csr")):
        probe.stage(name + " times dense")
        got = probe.unless_missing(
            name, lambda convert=convert: getattr(dense.to(device), convert)() @ x.to(device)
        )
        if got is not None:
            probe.compare(name + " times dense", got, reference, TOLERANCE)
    probe.stage("COO there and back")
    probe.compare("COO there and back", dense.to(device).to_sparse().to_dense(), dense, 0.0)
    probe.stage("sum of doubled entries")
    places = torch.tensor([[0, 0, 2], [1, 1, 0]])
    doubled = torch.sparse_coo_tensor(places, torch.tensor([1.0, 2.0, 5.0]), (3, 2), device=device)
    expected = torch.tensor([[0.0, 3.0], [0.0, 0.0], [5.0, 0.0]])
    probe.compare("sum of doubled entries", doubled.coalesce().to_dense(), expected, 0.0)
