"""What no probe can prove here, said before anything runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.checks.probe_gpus import GPU_RULES, cards, is_slice
from envguard.checks.probe_steps import FRAMEWORKS, GPU_FRAMEWORKS
from envguard.model.machine import Gpu
from envguard.model.probe import Discovered
from envguard.model.probe_step import Selection
from envguard.model.report import Finding, Fix, Status

CPU_BUILD_RULE = "EG401"
"""What the static check calls a CPU build on a GPU target: the same cause as ours."""


def said_before(
    found: Discovered, gpus: tuple[Gpu, ...] | None, *, cpu_wanted: bool, known: Sequence[Finding]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Findings and notes that need no probe."""
    if gpus:
        notes = tuple(_only_first_slice(gpu) for gpu in gpus if gpu.mig and not is_slice(gpu))
        if "torch" in found.modules:
            cut_off = found.torch_build_known and found.torch_cuda is None
            return (_cpu_build(found, gpus, known) if cut_off else ()), notes
        uses = any(name in found.modules for name in GPU_FRAMEWORKS)
        return (), notes if uses else (*notes, _no_use_of_gpus(gpus))
    if "torch" in found.modules or cpu_wanted:
        return _gpu_not_tried(found, gpus, cpu_wanted=cpu_wanted, known=known), ()
    return _other_not_tried(found, gpus), ()


def nothing_to_probe(found: Discovered) -> Finding:
    """An environment without anything that a probe could use is not proven."""
    return Finding(
        rule="EG710",
        status=Status.UNKNOWN,
        title="there is nothing to probe",
        message=f"python {found.python_version} starts, and finds none of {', '.join(FRAMEWORKS)}",
    )


def all_left_out(selection: Selection) -> Finding:
    """What was asked for and what was left out cancel each other: nothing is proven."""
    return Finding(
        rule="EG710",
        status=Status.UNKNOWN,
        title="there is nothing to probe",
        message=f"--skip {','.join(selection.skip)} leaves nothing of what was asked for",
        fix=Fix("name fewer with --skip, or others with --only"),
    )


def build_of(found: Discovered) -> str:
    """A torch without CUDA, in words."""
    kind = "ROCm" if found.torch_hip else "CPU"
    return f"torch {found.torch_version or ''}".strip() + f" is a {kind} build"


def _cpu_build(
    found: Discovered, gpus: Sequence[Gpu], known: Sequence[Finding]
) -> tuple[Finding, ...]:
    if any(f.rule == CPU_BUILD_RULE and f.status is Status.FAIL for f in known):
        return ()
    return (
        Finding(
            rule="EG708",
            status=Status.FAIL,
            title=f"{build_of(found)}, and this machine has an NVIDIA GPU",
            have=cards(gpus),
            need="a CUDA build of torch",
            symptom="torch.cuda.is_available() is False; everything runs on the CPU",
            evidence=("torch/version.py of the environment",),
            fix=Fix("ask for a CUDA build, or say that the CPU is meant: --for cpu"),
        ),
    )


def _no_use_of_gpus(gpus: Sequence[Gpu]) -> str:
    return f"no GPU was tried ({cards(gpus)}): nothing in this environment uses one"


def _gpu_not_tried(
    found: Discovered,
    gpus: tuple[Gpu, ...] | None,
    *,
    cpu_wanted: bool,
    known: Sequence[Finding],
) -> tuple[Finding, ...]:
    """A CUDA build whose kernels nobody ran is not proven. Said once: by the static check or here."""
    said = any(f.status is Status.UNKNOWN and f.rule.startswith(GPU_RULES) for f in known)
    if found.torch_cuda is None or cpu_wanted or said:
        return ()
    here = "GPUs could not be looked for here" if gpus is None else "there is no NVIDIA GPU here"
    return (
        Finding(
            rule="EG709",
            status=Status.UNKNOWN,
            title="the GPU part was not tried",
            message=f"torch {found.torch_version or ''} brings CUDA {found.torch_cuda} and {here}: "
            "the probes ran on the CPU, no GPU kernel was run",
            fix=Fix(
                "run `envguard verify` on the GPU machine; judge it from here: "
                "envguard check --for CARD,driver=VERSION"
            ),
        ),
    )


def _other_not_tried(found: Discovered, gpus: Sequence[Gpu] | None) -> tuple[Finding, ...]:
    """Whether a jax or a tensorflow is a build for CUDA is not known without importing it.

    An onnxruntime mostly is one for the CPU, and says at its import which it is.
    """
    names = [n for n in GPU_FRAMEWORKS if n in found.modules and n != "onnxruntime"]
    here = "GPUs could not be looked for here" if gpus is None else "there is no NVIDIA GPU here"
    finding = Finding(
        rule="EG709",
        status=Status.UNKNOWN,
        title="the GPU part was not tried",
        message=f"{' and '.join(names)} may be there for a GPU, and {here}: the probes ran on the CPU",
        fix=Fix("run `envguard verify` on the GPU machine; where the CPU is meant: --for cpu"),
    )
    return (finding,) if names else ()


def _only_first_slice(gpu: Gpu) -> str:
    return (
        f"gpu{gpu.index} is cut into slices (MIG): what ran, ran on the slice that CUDA shows first; "
        "name another with CUDA_VISIBLE_DEVICES=MIG-..."
    )
