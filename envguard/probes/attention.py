"""Scaled dot product attention: every backend that is there agrees with softmax in float64."""

BACKENDS = ("MATH", "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION")
SHAPE = (2, 4, 128, 64)  # batch, heads, positions, width
# gradients of float16 and bfloat16 pass through a rounded softmax
TOLERANCES = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}


def main(probe):
    torch, device = probe.torch()
    if not hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        probe.nothing_to_do("torch %s has no scaled_dot_product_attention" % torch.__version__)
        return
    agreed = {}
    for dtype in ("float32", "float16", "bfloat16"):
        for causal in (False, True):
            q, k, v = (torch.randn(SHAPE).to(getattr(torch, dtype)) for _ in range(3))
            doubles = [x.double() for x in (q, k, v)]
            reference = probe.reference(
                torch, gradients, softmax_attention, torch, *doubles, causal=causal
            )
            inputs = [x.to(device) for x in (q, k, v)]
            for backend in BACKENDS:
                if one(probe, torch, backend, dtype, causal, inputs, reference):
                    agreed.setdefault(backend.split("_")[0].lower(), []).append(dtype)
    if not agreed:
        raise RuntimeError("no backend of scaled_dot_product_attention works")
    probe.value("backends", ", ".join(sorted(agreed)))


def one(probe, torch, backend, dtype, causal, inputs, reference):
    """Whether this backend is there for these inputs; what it computes is compared."""
    label = "%s %s%s" % (backend.split("_")[0].lower(), dtype, " causal" if causal else "")
    probe.stage("attention " + label)
    try:
        with only(torch, backend):
            got = gradients(fused_attention, torch, *inputs, causal=causal)
    except (RuntimeError, AttributeError) as error:
        words = ("No available kernel", "no attribute", "not implemented for", "No viable backend")
        if any(word in str(error) for word in words):
            return False
        raise
    for name, ours, theirs in zip(("output", "dq", "dk", "dv"), got, reference):
        probe.compare("%s %s" % (label, name), ours, theirs, TOLERANCES[dtype])
    return True


def only(torch, backend):
    """That backend alone; before torch 2.3 by three switches."""
    if hasattr(torch.nn, "attention"):
        import warnings

        warnings.simplefilter("ignore")  # of why a backend is not for these inputs
        return torch.nn.attention.sdpa_kernel(getattr(torch.nn.attention.SDPBackend, backend))
    names = {"MATH": "math", "FLASH_ATTENTION": "flash", "EFFICIENT_ATTENTION": "mem_efficient"}
    if backend not in names:
        raise AttributeError("no attribute " + backend)
    switches = {"enable_" + name: name == names[backend] for name in names.values()}
    return torch.backends.cuda.sdp_kernel(**switches)


def fused_attention(torch, q, k, v, causal):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def softmax_attention(torch, q, k, v, causal):
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    return scores.softmax(-1) @ v


def gradients(function, torch, q, k, v, causal):
    inputs = [x.detach().requires_grad_() for x in (q, k, v)]
    output = function(torch, *inputs, causal=causal)
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * weights.to(output.dtype).to(output.device)).sum().backward()
    return [output] + [x.grad for x in inputs]
