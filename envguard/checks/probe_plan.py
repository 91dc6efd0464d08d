"""Which probes an environment gets: what it can import, on what GPUs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envguard.model.machine import Gpu, Machine
from envguard.model.probe import Discovered, Outcome, Probe, ProbeResult
from envguard.model.report import Finding, Fix, Status
from envguard.model.target import Target

FRAMEWORKS = ("numpy", "torch", "torchvision", "torchaudio", "tensorflow", "jax", "cupy")
"""Imported together, in this order."""
UNPROBED_GPU_FRAMEWORKS = ("tensorflow", "jax", "cupy")
"""They use the GPU, and there are no probes for them yet."""
IMPORT = Probe("import", "import_frameworks.py")
STEPS = (
    Probe("matmul", "matmul.py"),
    Probe("conv", "conv.py"),
    Probe("train", "train.py"),
    Probe("save_load", "save_load.py"),
    Probe("dataloader", "dataloader.py"),
)
GPU_RULES = ("EG1", "EG2")
"""Driver, architecture and cuDNN: what the static check says of a GPU."""
CPU_BUILD_RULE = "EG401"
"""What the static check calls a CPU build on a GPU target: the same cause as ours."""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What to run, what is missed, and what can be said before anything runs."""

    probes: tuple[Probe, ...]
    not_run: tuple[ProbeResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def discovery() -> Probe:
    """The probe that tells which modules there are, without importing them."""
    return Probe("discover", "discover.py", arguments={"modules": list(FRAMEWORKS)})


def discovered(values: Mapping[str, object]) -> Discovered:
    """Read what the discovery probe reported."""

    def text(name: str) -> str | None:
        value = values.get(name)
        return None if value is None else str(value)

    return Discovered(
        python_version=text("python") or "",
        modules=frozenset((text("modules") or "").split()),
        torch_version=text("torch_version"),
        torch_cuda=text("torch_cuda"),
        torch_hip=text("torch_hip"),
        torch_build_known="torch_cuda" in values,
        compiled=values.get("compiled") is True,
    )


def gpus_to_probe(machine: Machine, targets: Sequence[Target] = ()) -> tuple[Gpu, ...] | None:
    """The NVIDIA GPUs that this process may use; None = not observed.

    None of them where every target that was named is a machine without a GPU (`--for cpu`).
    """
    if targets and not any(target.wants_gpu for target in targets):
        return ()
    gpus = machine.nvidia_gpus
    visible = (machine.environment or {}).get("CUDA_VISIBLE_DEVICES")
    if gpus is None or visible is None:
        return gpus
    chosen = []
    for word in visible.split(","):
        named = [gpu for gpu in gpus if _is_named(gpu, word.strip())]
        if not named:
            break  # as CUDA reads the list: nothing counts after a name that does not exist
        chosen += named[:1]
    return tuple(chosen)


def _is_named(gpu: Gpu, word: str) -> bool:
    if word.isdecimal():
        return gpu.index == int(word)
    return bool(word) and gpu.uuid is not None and gpu.uuid.startswith(word)


def plan_probes(
    found: Discovered,
    gpus: tuple[Gpu, ...] | None,
    *,
    cpu_wanted: bool = False,
    known: Sequence[Finding] = (),
) -> ProbePlan:
    """Probes on every GPU where torch is there and can use them, else on the CPU.

    `cpu_wanted`: the target has no GPU on purpose. `known` are findings of the static check; what they
    say already is not said again.
    """
    modules = [name for name in FRAMEWORKS if name in found.modules]
    if not modules:
        return ProbePlan((), findings=(_nothing_to_probe(found),))
    first = _with(IMPORT, {"modules": modules})
    unprobed = [name for name in UNPROBED_GPU_FRAMEWORKS if name in found.modules]
    if "torch" not in found.modules:
        findings = [_no_probes_for(unprobed)] if unprobed and not cpu_wanted else []
        steps = _on_cpu("numpy") if "numpy" in found.modules else ()
        notes = () if findings or not gpus else (_no_use_of_gpus(gpus),)
        return ProbePlan((first, *steps), findings=tuple(findings), notes=notes)
    if not gpus:
        return ProbePlan(
            (first, *_on_cpu("torch")),
            findings=_gpu_not_tried(found, gpus, cpu_wanted=cpu_wanted, known=known),
        )
    if found.torch_build_known and found.torch_cuda is None:
        return ProbePlan(
            (first,), not_run=_missed(found, gpus), findings=_cpu_build(found, gpus, known)
        )
    return ProbePlan((first, *_on_gpus(gpus)))


def _with(
    probe: Probe, arguments: Mapping[str, object], gpu: int | None = None, device: str | None = None
) -> Probe:
    return Probe(probe.name, probe.script, arguments=arguments, gpu=gpu, device=device)


def _on_cpu(framework: str) -> tuple[Probe, ...]:
    return tuple(_with(step, {"framework": framework, "device": "cpu"}) for step in STEPS)


def _on_gpus(gpus: Sequence[Gpu]) -> tuple[Probe, ...]:
    arguments = {"framework": "torch", "device": "cuda"}
    return tuple(
        _with(step, arguments, gpu.index, gpu.uuid or str(gpu.index))
        for gpu in gpus
        for step in STEPS
    )


def _build(found: Discovered) -> str:
    kind = "ROCm" if found.torch_hip else "CPU"
    return f"torch {found.torch_version or ''}".strip() + f" is a {kind} build"


def _missed(found: Discovered, gpus: Sequence[Gpu]) -> tuple[ProbeResult, ...]:
    return tuple(
        ProbeResult(step.name, Outcome.NOT_RUN, gpu=gpu.index, detail=_build(found), wanted=True)
        for gpu in gpus
        for step in STEPS
    )


def _cpu_build(
    found: Discovered, gpus: Sequence[Gpu], known: Sequence[Finding]
) -> tuple[Finding, ...]:
    if any(f.rule == CPU_BUILD_RULE and f.status is Status.FAIL for f in known):
        return ()
    return (
        Finding(
            rule="EG708",
            status=Status.FAIL,
            title=f"{_build(found)}, and this machine has an NVIDIA GPU",
            have=_cards(gpus),
            need="a CUDA build of torch",
            symptom="torch.cuda.is_available() is False; everything runs on the CPU",
            evidence=("torch/version.py of the environment",),
            fix=Fix("ask for a CUDA build, or say that the CPU is meant: --for cpu"),
        ),
    )


def _cards(gpus: Sequence[Gpu]) -> str:
    return ", ".join(dict.fromkeys(gpu.name or f"GPU {gpu.index}" for gpu in gpus))


def _no_use_of_gpus(gpus: Sequence[Gpu]) -> str:
    return f"no GPU was tried ({_cards(gpus)}): nothing in this environment uses one"


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


def _no_probes_for(names: Sequence[str]) -> Finding:
    return Finding(
        rule="EG709",
        status=Status.UNKNOWN,
        title="the GPU part was not tried",
        message=f"there are no probes for {' and '.join(names)} yet: it was imported, nothing more",
    )


def _nothing_to_probe(found: Discovered) -> Finding:
    return Finding(
        rule="EG710",
        status=Status.UNKNOWN,
        title="there is nothing to probe",
        message=f"python {found.python_version} starts, and finds none of {', '.join(FRAMEWORKS)}",
    )
