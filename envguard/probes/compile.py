"""A function through torch.compile: Triton on a GPU, the C++ of the machine on a CPU."""

import importlib.util
import os
import shutil
import sysconfig

TOLERANCE = 1e-4
OLDEST_CARD = (7, 0)  # what Triton makes code for


def main(probe):
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        os.environ[name] = os.path.join(
            os.getcwd(), "compiled"
        )  # gone with the folder of the probe
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    more = probe.arguments.get("more")
    if not more:
        # each instruction set of the CPU would be tried with a program of its own, for seconds
        os.environ["TORCHINDUCTOR_VEC_ISA_OK"] = "0"
    torch, device = probe.torch()
    reason = why_not(torch, device)
    if reason:
        probe.nothing_to_do(reason)
        return
    probe.stage("import the compiler")
    import torch._dynamo
    import torch._inductor.config as config

    if not more and hasattr(config, "cpp_cache_precompile_headers"):
        config.cpp_cache_precompile_headers = False  # worth it from the second kernel on
    one(probe, torch, device, "pointwise and reduction", pointwise, [(64, 96), (64, 96)])
    if more:
        one(probe, torch, device, "softmax", softmax, [(33, 100)])
        one(probe, torch, device, "linear and gelu", linear, [(17, 32), (32, 48), (48,)])
        one(probe, torch, device, "dynamic shapes", pointwise, [(64, 96), (64, 96)], dynamic=True)


def why_not(torch, device):
    """A reason why nothing can be compiled here; None where it can."""
    if not hasattr(torch, "compile"):
        return "torch %s has no compile" % torch.__version__
    for name in ("TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE"):
        if os.environ.get(name, "0") not in ("", "0"):
            return "torch.compile is switched off by %s" % name
    if device == "cuda":
        if importlib.util.find_spec("triton") is None:
            return "torch.compile needs Triton on a GPU, which is not in this environment"
        if torch.cuda.get_device_capability(0) < OLDEST_CARD:
            return "Triton makes no code for cards before compute capability 7.0"
    names = ("CC", "gcc", "clang") if device == "cuda" else ("CXX", "g++", "clang++")
    if os.environ.get(names[0]) is None and not any(map(shutil.which, names[1:])):
        return "torch.compile needs a compiler (%s), and none is on PATH" % " or ".join(names[1:])
    include = sysconfig.get_paths()["include"]
    if not os.path.exists(os.path.join(include, "Python.h")):
        return "torch.compile needs Python.h, which is not in " + include
    return None


def pointwise(torch, x, y):
    return (torch.nn.functional.gelu(x * y + 1) - x).sum(dim=1)


def softmax(torch, x):
    return (x - x.mean(dim=1, keepdim=True)).softmax(dim=1).cumsum(dim=0)


def linear(torch, x, weight, bias):
    return torch.nn.functional.gelu(x @ weight + bias).relu()


def one(probe, torch, device, label, function, shapes, dynamic=False):
    probe.stage("compile: " + label)
    inputs = [torch.randn(shape) / 4 for shape in shapes]

    def ours(*arguments):
        return function(torch, *arguments)

    counters = torch._dynamo.utils.counters
    counters.clear()
    compiled = torch.compile(ours, fullgraph=True, dynamic=dynamic or None)
    got = gradients(torch, compiled, [x.to(device) for x in inputs])
    if not counters["stats"]["unique_graphs"]:
        raise RuntimeError("torch.compile ran the function as it is, and compiled nothing")
    reference = gradients(torch, ours, [x.double() for x in inputs])
    for part, mine, theirs in zip(
        ("output", "gradient", "gradient 2", "gradient 3"), got, reference
    ):
        probe.compare("%s %s" % (label, part), mine, theirs, TOLERANCE)


def gradients(torch, function, inputs):
    inputs = [x.detach().requires_grad_() for x in inputs]
    output = function(*inputs)
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * weights.to(output.dtype).to(output.device)).sum().backward()
    return [output] + [x.grad for x in inputs]
