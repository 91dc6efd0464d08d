"""Factorisations and solvers: cuSOLVER and MAGMA on a GPU, LAPACK on a CPU; multiplied out again."""

TOLERANCES = {"float32": 1e-4, "float64": 1e-11}
SIZE = 60


def main(probe):
    torch, device = probe.torch()
    for dtype in ("float32", "float64"):
        square = torch.randn(SIZE, SIZE, dtype=getattr(torch, dtype))
        definite = square @ square.t() + SIZE * torch.eye(SIZE, dtype=square.dtype)
        for name, matrix, function in (
            ("svd", square, svd),
            ("eigh", definite, eigh),
            ("cholesky", definite, cholesky),
            ("lu", square, lu),
            ("qr", square, qr),
            ("solve", definite, solve),
        ):
            probe.stage("%s %s" % (name, dtype))
            got = function(torch, matrix.to(device))
            expected = torch.eye(SIZE).double() if name == "solve" else matrix.double()
            probe.compare("%s %s" % (name, dtype), got, expected, TOLERANCES[dtype])
            if name in ("svd", "qr", "eigh"):
                factor = {
                    "svd": torch.linalg.svd,
                    "qr": torch.linalg.qr,
                    "eigh": torch.linalg.eigh,
                }[name]
                q = exact(factor(matrix.to(device))[1 if name == "eigh" else 0])
                label = "%s %s orthogonal" % (name, dtype)
                probe.compare(label, q.t() @ q, torch.eye(SIZE).double(), TOLERANCES[dtype])


def exact(x):
    return x.detach().cpu().double()


def svd(torch, matrix):
    u, s, v = map(exact, torch.linalg.svd(matrix))
    return (u * s) @ v


def eigh(torch, matrix):
    values, vectors = map(exact, torch.linalg.eigh(matrix))
    return (vectors * values) @ vectors.t()


def cholesky(torch, matrix):
    lower = exact(torch.linalg.cholesky(matrix))
    return lower @ lower.t()


def lu(torch, matrix):
    p, lower, upper = map(exact, torch.linalg.lu(matrix))
    return p @ lower @ upper


def qr(torch, matrix):
    q, r = map(exact, torch.linalg.qr(matrix))
    return q @ r


def solve(torch, matrix):
    return exact(
        torch.linalg.solve(matrix, torch.eye(SIZE, dtype=matrix.dtype, device=matrix.device))
    ) @ exact(matrix)
