"""Which probes an environment gets: what it can import, on what GPUs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from envguard.checks.probe_steps import (
    FRAMEWORKS,
    GPU_FRAMEWORKS,
    IMPORT,
    NUMPY_STEPS,
    OTHER_STEPS,
    TOGETHER,
    TORCH_STEPS,
)
from envguard.model.machine import Gpu, Machine
from envguard.model.probe import Discovered, Outcome, Probe, ProbeResult
from envguard.model.probe_step import Device, Selection, Step
from envguard.model.report import Finding, Fix, Status
from envguard.model.target import Target

GPU_RULES = ("EG1", "EG2")
"""Driver, architecture and cuDNN: what the static check says of a GPU."""
MIG = "MIG-"
"""How the UUID of a slice begins."""
NO_MEETING = "no two GPU frameworks are in this environment"
EVERYTHING_QUICK = Selection()
CPU_BUILD_RULE = "EG401"
"""What the static check calls a CPU build on a GPU target: the same cause as ours."""


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What to run, what is missed, and what can be said before anything runs."""

    probes: tuple[Probe, ...]
    not_run: tuple[ProbeResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def discovery(more: Sequence[Step] = ()) -> Probe:
    """The probe that tells which modules there are, without importing them; `more` are plug-ins' steps."""
    modules = dict.fromkeys((*FRAMEWORKS, *(name for step in more for name in step.frameworks)))
    return Probe("discover", "discover.py", arguments={"modules": list(modules)})


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

    None of them where every target that was named is a machine without a GPU (`--for cpu`). A slice of a
    card (MIG) counts as a GPU where CUDA_VISIBLE_DEVICES names it.
    """
    if targets and not any(target.wants_gpu for target in targets):
        return ()
    gpus = machine.nvidia_gpus
    visible = (machine.environment or {}).get("CUDA_VISIBLE_DEVICES")
    if gpus is None or visible is None:
        return gpus
    chosen: list[Gpu] = []
    for word in (word.strip() for word in visible.split(",")):
        named = [gpu for gpu in gpus if _is_named(gpu, word)]
        if word.startswith(MIG):
            named = [_slice(gpus, word, len(chosen))]
        if not named:
            break  # as CUDA reads the list: nothing counts after a name that does not exist
        chosen += named[:1]
    return tuple(chosen)


def _is_named(gpu: Gpu, word: str) -> bool:
    if word.isdecimal():
        return gpu.index == int(word)
    return bool(word) and gpu.uuid is not None and gpu.uuid.startswith(word)


def _slice(gpus: Sequence[Gpu], word: str, position: int) -> Gpu:
    """A slice by its UUID, which does not say of which card it is: known where one card alone is cut up."""
    cut = [gpu for gpu in gpus if gpu.mig]
    card = cut[0] if len(cut) == 1 else Gpu(position)
    return replace(card, index=position, uuid=word, mig=True, memory_bytes=None)


def plan_probes(
    found: Discovered,
    gpus: tuple[Gpu, ...] | None,
    *,
    cpu_wanted: bool = False,
    known: Sequence[Finding] = (),
    selection: Selection = EVERYTHING_QUICK,
    more: Sequence[Step] = (),
) -> ProbePlan:
    """Probes on every GPU where the framework can use them, else on the CPU.

    `cpu_wanted`: the target has no GPU on purpose. `known` are findings of the static check; what they
    say already is not said again. `more` are the steps of plug-ins.
    """
    steps = [step for step in _steps(found, more) if selection.takes(step)]
    if not any(name in found.modules for name in FRAMEWORKS) and not steps:
        return ProbePlan((), findings=(_nothing_to_probe(found),))
    cpu_build = found.torch_build_known and found.torch_cuda is None
    probes, missed = list(_imports(found, gpus or (), selection)), list[ProbeResult]()
    for step in steps:
        if gpus and cpu_build and "torch" in step.frameworks and step.takes_cuda:
            missed += _missed(step, found, gpus)
        else:
            placed = _placed(step, gpus or ())
            probes += placed
            missed += () if placed else (_not_for(step, gpus, selection),)
    missed += _absent(selection, found, (*probes, *missed))
    findings, notes = _said_before(found, gpus, cpu_wanted=cpu_wanted, known=known)
    return ProbePlan(tuple(probes), tuple(missed), findings, (*notes, *_narrowed(selection)))


def _said_before(
    found: Discovered, gpus: tuple[Gpu, ...] | None, *, cpu_wanted: bool, known: Sequence[Finding]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Findings and notes that need no probe."""
    if gpus:
        notes = tuple(_only_first_slice(gpu) for gpu in gpus if gpu.mig and not _is_slice(gpu))
        if "torch" in found.modules:
            cut_off = found.torch_build_known and found.torch_cuda is None
            return (_cpu_build(found, gpus, known) if cut_off else ()), notes
        uses = any(name in found.modules for name in GPU_FRAMEWORKS)
        return (), notes if uses else (*notes, _no_use_of_gpus(gpus))
    if "torch" in found.modules or cpu_wanted:
        return _gpu_not_tried(found, gpus, cpu_wanted=cpu_wanted, known=known), ()
    return _other_not_tried(found, gpus), ()


def _steps(found: Discovered, more: Sequence[Step]) -> Iterator[Step]:
    """What the environment has the modules for; the twins of numpy where there is no torch."""
    own = TORCH_STEPS if "torch" in found.modules else NUMPY_STEPS
    for step in (*own, *OTHER_STEPS, *more):
        if all(name in found.modules for name in step.frameworks):
            yield step


def _imports(found: Discovered, gpus: Sequence[Gpu], selection: Selection) -> Iterator[Probe]:
    """One process that imports everything; two where GPU frameworks meet, in both orders."""
    modules = [name for name in FRAMEWORKS if name in found.modules]
    if modules and selection.takes(Step(IMPORT.name, IMPORT.script)):
        yield replace(IMPORT, arguments={"modules": modules})
    meeting = [name for name in GPU_FRAMEWORKS if name in found.modules]
    for name, order in zip(TOGETHER, (meeting, meeting[::-1]), strict=True):
        if len(meeting) > 1 and selection.takes(Step(name, "together.py")):
            first = gpus[0] if gpus else None
            yield Probe(
                name,
                "together.py",
                arguments={"modules": order, "device": "cuda" if first else "cpu"},
                gpu=first.index if first else None,
                device=_seen_as(first) if first else None,
            )


def _placed(step: Step, gpus: Sequence[Gpu]) -> tuple[Probe, ...]:
    """The step on each GPU, on several at once, or on the CPU; nothing where it does not apply here."""
    on_gpus = gpus if step.takes_cuda and _uses_gpus(step) else ()
    arguments = {
        "framework": step.frameworks[0] if step.frameworks else "",
        "device": "cuda" if on_gpus else "cpu",
        **step.arguments,
    }
    probe = Probe(
        step.name,
        step.script,
        arguments=arguments,
        preload=None if step.fresh or "torch" not in step.frameworks else "torch",
        beside=step.beside,
    )
    if on_gpus and step.gpus > 1:
        together = ",".join(map(_seen_as, gpus))
        return (replace(probe, device=together),) if len(gpus) >= step.gpus else ()
    if on_gpus:
        return tuple(replace(probe, gpu=gpu.index, device=_seen_as(gpu)) for gpu in on_gpus)
    return (probe,) if Device.CPU in step.devices else ()


def _uses_gpus(step: Step) -> bool:
    return step.frameworks != ("numpy",)


def _seen_as(gpu: Gpu) -> str:
    """What CUDA_VISIBLE_DEVICES is to say."""
    return gpu.uuid or str(gpu.index)


def _not_for(step: Step, gpus: Sequence[Gpu] | None, selection: Selection) -> ProbeResult:
    """A step of the environment that nothing here can run; missed only where somebody named it."""
    if gpus and step.gpus > len(gpus):
        reason = f"it needs {step.gpus} GPUs, and there is one"
    else:
        reason = "it needs an NVIDIA GPU" if not gpus else "it is for the CPU alone"
    return ProbeResult(
        step.name, Outcome.NOT_RUN, detail=reason, wanted=step.name in selection.only
    )


def _absent(
    selection: Selection, found: Discovered, planned: Sequence[Probe | ProbeResult]
) -> Iterator[ProbeResult]:
    """What was named with --only and this environment cannot have."""
    names = {probe.name for probe in planned}
    needs = {step.name: step.frameworks for step in (*NUMPY_STEPS, *TORCH_STEPS, *OTHER_STEPS)}
    for name in selection.only:
        if name in names or name in selection.skip:
            continue
        lacking = [module for module in needs.get(name, ()) if module not in found.modules]
        reason = f"this environment has no {' and no '.join(lacking)}" if lacking else NO_MEETING
        yield ProbeResult(name, Outcome.NOT_RUN, detail=reason, wanted=True)


def _narrowed(selection: Selection) -> Iterator[str]:
    if selection.only:
        yield f"only what was named was probed: {', '.join(selection.only)} (--only)"
    if selection.skip:
        yield f"left out: {', '.join(selection.skip)} (--skip)"


def _is_slice(gpu: Gpu) -> bool:
    return gpu.uuid is not None and gpu.uuid.startswith(MIG)


def _only_first_slice(gpu: Gpu) -> str:
    return (
        f"gpu{gpu.index} is cut into slices (MIG): what ran, ran on the slice that CUDA shows first; "
        "name another with CUDA_VISIBLE_DEVICES=MIG-..."
    )


def _build(found: Discovered) -> str:
    kind = "ROCm" if found.torch_hip else "CPU"
    return f"torch {found.torch_version or ''}".strip() + f" is a {kind} build"


def _missed(step: Step, found: Discovered, gpus: Sequence[Gpu]) -> Iterator[ProbeResult]:
    for gpu in gpus:
        yield ProbeResult(step.name, Outcome.NOT_RUN, gpu=gpu.index, detail=_build(found))


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


def _nothing_to_probe(found: Discovered) -> Finding:
    return Finding(
        rule="EG710",
        status=Status.UNKNOWN,
        title="there is nothing to probe",
        message=f"python {found.python_version} starts, and finds none of {', '.join(FRAMEWORKS)}",
    )
