"""Fourier transforms: cuFFT on a GPU, MKL or PocketFFT on a CPU, against the sum by its definition."""

import math

TOLERANCES = {"complex64": 1e-5, "complex128": 1e-12}


def main(probe):
    torch, device = probe.torch()
    for dtype, size in (("complex64", 96), ("complex128", 96), ("complex64", 97)):
        label = "%s %d" % (dtype, size)
        x = torch.randn(3, size, dtype=getattr(torch, dtype))
        waves = definition(torch, size)
        probe.stage("fft " + label)
        reference = x.to(torch.complex128) @ waves
        got = torch.fft.fft(x.to(device))
        probe.compare("fft " + label, got, reference, TOLERANCES[dtype])
        probe.stage("ifft " + label)
        probe.compare("ifft " + label, torch.fft.ifft(got), x, TOLERANCES[dtype])
    probe.stage("rfft2")
    x = torch.randn(24, 30)
    reference = definition(torch, 24) @ x.to(torch.complex128) @ definition(torch, 30)
    got = torch.fft.rfft2(x.to(device))
    probe.compare("rfft2", got, reference[:, :16], TOLERANCES["complex64"])
    probe.stage("irfft2")
    probe.compare("irfft2", torch.fft.irfft2(got, s=(24, 30)), x, TOLERANCES["complex64"])


def definition(torch, size):
    steps = torch.arange(size, dtype=torch.float64)
    angles = -2 * math.pi * torch.outer(steps, steps) / size
    return torch.complex(angles.cos(), angles.sin())
