"""Which of the tabled CUDA versions machines run, and why not the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, case_of
from envguard.checks.driver import check_driver_floor
from envguard.checks.libraries import libraries_too_old
from envguard.checks.wording import card_name
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.version import Dotted

_RUNTIME = "cuda-cudart"


@dataclass(frozen=True, slots=True)
class CudaVersions:
    """The tabled CUDA versions, oldest first, and the failure of each that a machine does not run."""

    tabled: tuple[Dotted, ...]
    failures: Mapping[Dotted, Finding]

    @property
    def running(self) -> tuple[Dotted, ...]:
        return tuple(cuda for cuda in self.tabled if cuda not in self.failures)

    @property
    def failing(self) -> tuple[Dotted, ...]:
        return tuple(cuda for cuda in self.tabled if cuda in self.failures)

    @property
    def reason(self) -> Finding | None:
        """Why not all: the first that is too new is what a solver would run into, else the last too old."""
        running = self.running
        newer = [cuda for cuda in self.tabled if running and cuda > running[-1]]
        return next(
            (self.failures[c] for c in (*newer, *reversed(self.tabled)) if c in self.failures), None
        )


def cuda_versions(cases: Sequence[Case]) -> CudaVersions:
    """The CUDA versions that the machines of all `cases` run."""
    knowledge = cases[0].knowledge
    tabled = sorted(
        {row.cuda for row in knowledge.toolkit_drivers}
        | {cuda for row in knowledge.torch_builds for cuda in row.cuda}
    )
    against = {cuda: _against(cuda, cases) for cuda in tabled}
    return CudaVersions(
        tuple(tabled), {cuda: finding for cuda, finding in against.items() if finding is not None}
    )


def cuda_title(finding: Finding) -> str:
    """What a failure says, of CUDA and not of its runtime's package, and what is needed."""
    told = finding.title.replace(_RUNTIME, "CUDA")
    need = (finding.need or "").partition(" (")[0]
    return f"{told}, which needs {need}" if need else told


def _against(cuda: Dotted, cases: Sequence[Case]) -> Finding | None:
    """Why programs and libraries of a CUDA do not run on one of the machines; None = nothing is known."""
    runtime = PackageRecord(_RUNTIME, str(cuda), Manager.CONDA)
    for case in cases:
        with_runtime = case_of(case.target, (runtime,), case.knowledge)
        for finding in (*check_driver_floor(with_runtime), *check_architectures(with_runtime)):
            if finding.status is Status.FAIL:
                return finding
        for card in case.cards or ():
            capability = card.compute_capability
            if capability and libraries_too_old(cuda, capability, case.knowledge):
                return Finding(
                    "EG201",
                    Status.FAIL,
                    f"CUDA {cuda} came before {card_name(card)}",
                    gpu=card.index,
                )
    return None


@dataclass(frozen=True, slots=True)
class Versions:
    """A version spec, and the newest that it leaves out."""

    spec: str
    left_out: str


def version_range(values: Sequence[Dotted], runs: Callable[[Dotted], bool]) -> Versions | None:
    """Those of the sorted `values` that run; None where all or none of them do.

    Past the last value it goes on as it is there: what is newer than the tables is judged afterwards.
    """
    good = [value for value in values if runs(value)]
    if not good or len(good) == len(values):
        return None
    kept = [f">={good[0]}"] if good[0] != values[0] else []
    inside = values[values.index(good[0]) : values.index(good[-1])]
    kept += [f"!={hole}.*" for hole in inside if hole not in good]
    left_out = ""
    if good[-1] != values[-1]:
        end = values[values.index(good[-1]) + 1]
        kept.append(f"<{end}")
        left_out = f">={end}"
    return Versions(",".join(kept), left_out)
