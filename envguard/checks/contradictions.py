"""Machines that no lock of CUDA builds serves, alone or together: by tables, before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from envguard.checks.case import Case, case_of
from envguard.checks.cuda_versions import CudaVersions, cuda_title, cuda_versions
from envguard.model.knowledge import Knowledge
from envguard.model.machine import DriverState
from envguard.model.target import Target

EXPLAINS = ("EG101", "EG105", "EG201")
"""The checks that fail for one machine where what was locked is for another one that contradicts it."""
_SEPARATE = "--separate makes a lock for each"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why what was said of the machines does not go together; `hint` says what to say instead."""

    told: str
    hint: str


def contradiction(targets: Sequence[Target], knowledge: Knowledge) -> Contradiction | None:
    """What keeps one lock of CUDA builds from serving all `targets` of a subdir; None = nothing is known."""
    cases = [case_of(target, (), knowledge) for target in targets if target.wants_gpu]
    if not cases:
        return None
    runs = [cuda_versions([case]) for case in cases]
    for case, versions in zip(cases, runs, strict=True):
        if not versions.running:
            return _none_runs(case, versions)
    bare = [t for t in targets if t.machine.driver is DriverState.ABSENT]
    if bare:
        return Contradiction(
            f"{_named(bare[0], cases[0].target)} contradict each other: {bare[0].name} has no NVIDIA "
            f"driver, and one lock is for all machines of {bare[0].subdir}",
            hint=f"{_SEPARATE}; --allow cpu takes CPU builds for all",
        )
    for (one, ones), (other, others) in combinations(zip(cases, runs, strict=True), 2):
        if not set(ones.running) & set(others.running):
            return Contradiction(
                f"{_named(one.target, other.target)} contradict each other: no CUDA runs on both "
                f"({_span(one, ones)}, {_span(other, others)})",
                hint=_SEPARATE,
            )
    return None


def _none_runs(case: Case, versions: CudaVersions) -> Contradiction:
    """The driver is what can be changed: what it is too old for comes first."""
    failures = [versions.failures[cuda] for cuda in versions.tabled]
    finding = next((f for f in failures if f.rule == "EG101"), failures[-1])
    return Contradiction(
        f"--for {case.target.name}: no CUDA runs there: {cuda_title(finding)} ({finding.rule})",
        hint=finding.fix.text if finding.fix else "--allow cpu takes CPU builds",
    )


def _named(one: Target, other: Target) -> str:
    return f"--for {one.name} and --for {other.name}"


def _span(case: Case, versions: CudaVersions) -> str:
    """The CUDA versions that a machine runs, in words."""
    first, last = versions.running[0], versions.running[-1]
    span = f"{first} to {last}"
    if last == versions.tabled[-1]:
        span = f"{first} and newer"
    elif first == versions.tabled[0]:
        span = f"{last} and older"
    return f"{case.target.name}: {span}"
