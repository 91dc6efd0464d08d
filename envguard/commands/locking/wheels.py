"""The pip section's PyTorch, put right for the GPUs in question: as lock_guard does for conda's."""

from __future__ import annotations

from dataclasses import dataclass, replace

from envguard.checks.case import case_of
from envguard.checks.judgement import judge
from envguard.checks.torch_wheels import TorchWheels, wheels_that_run
from envguard.commands.locking.guard import MOST_REPEATS
from envguard.errors import UnavailableError, UnsatisfiableError
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.set_aside import SetAside
from envguard.model.target import Target
from envguard.ports.pip import IndexRoute, PipRequest, PipResolver

Records = tuple[PackageRecord, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """A pip section, and for whom."""

    request: PipRequest
    targets: tuple[Target, ...]
    knowledge: Knowledge

    def failing(self, found: Records) -> dict[str, Finding]:
        """What the checks fail of pip's PyTorch, by rule."""
        records = (*self.request.provided, *found)
        return {
            finding.rule: finding
            for target in self.targets
            for finding in judge(case_of(target, records, self.knowledge), target)
            if finding.status is Status.FAIL and any(_is_torch(r) for r in finding.packages)
        }

    def candidates(self, found: Records) -> tuple[TorchWheels, ...]:
        """The wheels that every target runs, best first."""
        records = (*self.request.provided, *found)
        runs = [
            wheels_that_run(case_of(target, records, self.knowledge)) for target in self.targets
        ]
        return tuple(
            wheels for wheels in runs[0] if all(wheels in of_target for of_target in runs[1:])
        )


def guarded_wheels(
    request: PipRequest,
    found: Records,
    targets: tuple[Target, ...],
    *,
    pip: PipResolver,
    knowledge: Knowledge,
) -> tuple[Records, tuple[SetAside, ...]]:
    """`found`, or the same section with PyTorch and what belongs to it from the index of another CUDA.

    Asked only where the checks fail the wheel, at most `MOST_REPEATS` times; one of an index or with a
    `+cu130` that the user named is the user's. What cannot be mended stays: the check of the lock says so.
    Raises UnavailableError where the index does not answer.
    """
    question = _Question(request, targets, knowledge)
    torch = next((record for record in found if _is_torch(record)), None)
    if torch is None or "+" in torch.version:
        return found, ()
    failing = question.failing(found)
    if not failing:
        return found, ()
    for wheels in question.candidates(found)[:MOST_REPEATS]:
        again = _resolved(_routed(request, found, wheels, knowledge), pip, torch, failing)
        if again is not None and not question.failing(again):
            aside = (SetAside(torch.label, _reason(f, torch), f.rule) for f in failing.values())
            return again, tuple(aside)
    return found, ()


def _is_torch(record: PackageRecord) -> bool:
    return record.manager is Manager.PIP and record.name == "torch"


def _reason(finding: Finding, torch: PackageRecord) -> str:
    return finding.title.removeprefix(torch.label).strip()


def _routed(
    request: PipRequest, found: Records, wheels: TorchWheels, knowledge: Knowledge
) -> PipRequest:
    """PyTorch's own packages, of those that are asked for, from its index."""
    family = {"torch", *(pairs.package for pairs in knowledge.torch_pairs)}
    routes = tuple(
        IndexRoute(r.name, wheels.index, wheels.torch if r.name == "torch" else "")
        for r in found
        if r.name in family
    )
    return replace(request, routes=routes)


def _resolved(
    request: PipRequest, pip: PipResolver, torch: PackageRecord, failing: dict[str, Finding]
) -> Records | None:
    """The records; None where the index has none that fit."""
    try:
        return pip.resolve([request])[0]
    except UnsatisfiableError:
        return None
    except UnavailableError as error:
        rule, finding = next(iter(failing.items()))
        raise UnavailableError(
            f"this machine does not run {torch.label} ({rule}: {_reason(finding, torch)}), and the index of "
            f"the wheel that it runs did not answer: {request.routes[0].index}",
            problems=(error.message,),
            hint="try again where it is reachable, name a mirror (--mirror "
            "https://download.pytorch.org/whl=URL), or take pytorch from a conda channel",
        ) from error
