"""torchaudio: a filter and a spectrogram, against their definitions."""


def main(probe):
    torch, device = probe.torch()
    probe.stage("import torchaudio")
    import torchaudio

    probe.value("torchaudio", torchaudio.__version__)
    x = torch.rand(2, 400, dtype=torch.float64) - 0.5
    probe.stage("lfilter")
    a, b = [1.0, -0.4, 0.1], [0.2, 0.3, 0.1]
    got = torchaudio.functional.lfilter(
        x.to(device), torch.tensor(a, dtype=x.dtype, device=device),
        torch.tensor(b, dtype=x.dtype, device=device), clamp=False,
    )  # fmt: skip
    probe.compare("lfilter", got, torch.tensor([filtered(row, a, b) for row in x.tolist()]), 1e-6)
    probe.stage("spectrogram")
    window = torch.hann_window(64, dtype=x.dtype)
    got = torchaudio.functional.spectrogram(
        x.to(device), pad=0, window=window.to(device), n_fft=64, hop_length=32, win_length=64,
        power=2.0, normalized=False, center=False,
    )  # fmt: skip
    steps = torch.arange(64, dtype=x.dtype)
    angles = -2 * torch.pi * torch.outer(torch.arange(33, dtype=x.dtype), steps) / 64
    frames = x.unfold(1, 64, 32) * window
    reference = (frames @ angles.cos().t()) ** 2 + (frames @ angles.sin().t()) ** 2
    probe.compare("spectrogram", got, reference.transpose(1, 2), 1e-10)


def filtered(values, a, b):
    out = []
    for n in range(len(values)):
        total = sum(b[k] * values[n - k] for k in range(len(b)) if n >= k)
        out.append(total - sum(a[k] * out[n - k] for k in range(1, len(a)) if n >= k))
    return out
