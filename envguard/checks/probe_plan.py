"""Which probes an environment gets: what it can import, on what GPUs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from envguard.checks.probe_gaps import all_left_out, build_of, nothing_to_probe, said_before
from envguard.checks.probe_gpus import seen_as
from envguard.checks.probe_steps import (
    FRAMEWORKS,
    GPU_FRAMEWORKS,
    IMPORT,
    NUMPY_STEPS,
    OTHER_STEPS,
    TOGETHER,
    TORCH_STEPS,
)
from envguard.model.machine import Gpu
from envguard.model.probe import Discovered, Outcome, Probe, ProbeResult
from envguard.model.probe_step import Device, Selection, Step
from envguard.model.report import Finding

NO_MEETING = "no two GPU frameworks are in this environment"
EVERYTHING_QUICK = Selection()


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
        return ProbePlan((), findings=(nothing_to_probe(found),))
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
    findings, notes = said_before(found, gpus, cpu_wanted=cpu_wanted, known=known)
    if selection.skip and not probes and not missed:
        findings = (*findings, all_left_out(selection))
    return ProbePlan(tuple(probes), tuple(missed), findings, (*notes, *_narrowed(selection)))


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
                device=seen_as(first) if first else None,
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
        together = ",".join(map(seen_as, gpus))
        return (replace(probe, device=together),) if len(gpus) >= step.gpus else ()
    if on_gpus:
        return tuple(replace(probe, gpu=gpu.index, device=seen_as(gpu)) for gpu in on_gpus)
    return (probe,) if Device.CPU in step.devices else ()


def _uses_gpus(step: Step) -> bool:
    return step.frameworks != ("numpy",)


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


def _missed(step: Step, found: Discovered, gpus: Sequence[Gpu]) -> Iterator[ProbeResult]:
    for gpu in gpus:
        yield ProbeResult(step.name, Outcome.NOT_RUN, gpu=gpu.index, detail=build_of(found))
