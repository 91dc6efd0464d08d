"""What of the channels a target cannot run, as constraints that a solve starts with: by tables alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, case_of, is_tegra
from envguard.checks.driver import check_driver_floor
from envguard.checks.exclusion import Exclusion
from envguard.checks.libraries import libraries_too_old
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.checks.rule_exclusions import rule_exclusions
from envguard.checks.wording import card_name
from envguard.model.conda import version_matches
from envguard.model.knowledge import CudnnFloor, Knowledge, TorchBuilds
from envguard.model.machine import Driver, Gpu
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

_CUDA_PINS = ("cuda-version", "cudatoolkit", "pytorch-cuda")
"""Packages whose version is a CUDA's: conda-forge's metapackage, its forerunner, the pytorch channel's."""
_RUNTIME = "cuda-cudart"
_CUDNN = ("cudnn", "libcudnn")
_PATCHES = range(4)


def exclusions(
    targets: Sequence[Target],
    knowledge: Knowledge,
    *,
    channels: Sequence[str],
    names: frozenset[str] = frozenset(),
    strict_cuda: bool = False,
    strict_priority: bool = True,
    elsewhere: frozenset[str] = frozenset(),
) -> tuple[Exclusion, ...]:
    """The constraints under which a solve for `targets` (of one subdir) finds what all of them can run.

    `channels` are names, `names` the packages that are asked for. With `strict_cuda` no CUDA is newer than
    what the driver reports; without, only where something here makes PTX of its own. `elsewhere` are names
    that are asked of a channel of their own. Without an NVIDIA GPU there are only rules.
    """
    every = [case_of(target, (), knowledge) for target in targets]
    from_channels = channels[:1] if strict_priority else channels
    of_rules = tuple(rule_exclusions(every, from_channels, elsewhere))
    cases = [case for case in every if case.target.wants_gpu]
    if not cases:
        return of_rules
    cuda = _cuda(cases)
    found = [
        *([cuda.exclusion] if cuda.exclusion else []),
        *_builds(cases, cuda),
        *_capped(cases, names, strict=strict_cuda),
        *_torch(cases, channels, cuda),
        *_cudnn(cases, cuda),
        *_gpu_builds(cases),
        *of_rules,
    ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Cuda:
    """The tabled CUDA versions that all targets run, oldest first, and what leaves the others out."""

    running: tuple[Dotted, ...]
    failing: tuple[Dotted, ...]
    exclusion: Exclusion | None

    def runs(self, cuda: Dotted) -> bool:
        return cuda in self.running


def _cuda(cases: Sequence[Case]) -> _Cuda:
    tabled = sorted(
        {row.cuda for row in cases[0].knowledge.toolkit_drivers}
        | {cuda for row in cases[0].knowledge.torch_builds for cuda in row.cuda}
    )
    against = {cuda: _against_cuda(cuda, cases) for cuda in tabled}
    running = tuple(cuda for cuda in tabled if against[cuda] is None)
    version = _range(tabled, lambda cuda: against[cuda] is None)
    if not running and tabled:
        version = _Versions(f"<{tabled[0]}", f">={tabled[0]}")
    # the first that is too new is what a solver would run into; else the last that is too old
    newer = [cuda for cuda in tabled if running and cuda > running[-1]]
    finding = next((f for c in (*newer, *reversed(tabled)) if (f := against[c]) is not None), None)
    if version is None or finding is None:
        return _Cuda(running, (), None)
    specs = tuple(f"{name} {version.spec}" for name in _CUDA_PINS)
    reason = finding.title.replace(_RUNTIME, "CUDA")
    failing = tuple(cuda for cuda in tabled if cuda not in running)
    return _Cuda(running, failing, Exclusion(specs, reason, finding.rule, version.left_out))


def _builds(cases: Sequence[Case], cuda: _Cuda) -> Iterator[Exclusion]:
    """Builds that name a CUDA which does not run: not every package with one depends on its version."""
    if cuda.exclusion is None:
        return
    named = "|".join(
        f"{str(one).replace('.', '')}|{one}".replace(".", r"\.") for one in cuda.failing
    )
    specs = tuple(
        rf"{name} * ^(?!.*cuda({named})(?!\d)).*$"
        for row in cases[0].knowledge.gpu_variants
        for name in row.names
    )
    what = f"builds for CUDA {', '.join(map(str, cuda.failing))}"
    yield Exclusion(specs, cuda.exclusion.reason, cuda.exclusion.rule, what=what)


def _against_cuda(cuda: Dotted, cases: Sequence[Case]) -> Finding | None:
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


def _capped(cases: Sequence[Case], names: frozenset[str], *, strict: bool) -> Iterator[Exclusion]:
    """CUDA at what the drivers report, where somebody asks for it or a package hands them PTX."""
    reported = [c.driver_cuda for c in cases if isinstance(c.driver, Driver) and c.driver_cuda]
    makers = [
        name
        for row in cases[0].knowledge.ptx_makers
        for name in sorted(names)
        if any(fnmatchcase(name, glob) for glob in row.names)
    ]
    if not reported or not (strict or makers):
        return
    cap = min(reported)
    reason = (
        "--strict-cuda" if strict else f"{makers[0]} makes PTX, and the driver reads none newer"
    )
    specs = tuple(f"{name} <={cap}" for name in _CUDA_PINS)
    yield Exclusion(specs, reason, "EG340", f">{cap}", yields=not strict)


def _torch(cases: Sequence[Case], channels: Sequence[str], cuda: _Cuda) -> Iterator[Exclusion]:
    """The releases of PyTorch of which no build for a CUDA that runs has code for every card."""
    knowledge = cases[0].knowledge
    rows = [
        row
        for row in knowledge.torch_builds
        if row.channel in channels and row.subdir == cases[0].subdir
    ]
    minors = sorted(
        {Dotted.parse(minor) for pairs in knowledge.torch_pairs for minor in pairs.pairs}
    )
    tabled = [minor for minor in minors if any(_has_minor(row, minor) for row in rows)]

    def runs(minor: Dotted) -> bool:
        return any(_has_minor(row, minor) and _row_runs(row, cases, cuda) for row in rows)

    version = _range(tabled, runs)
    if version is not None:
        cards = ", ".join(dict.fromkeys(card_name(c) for case in cases for c in case.cards or ()))
        reason = f"no other release of PyTorch has a build for {cards or 'this driver'}"
        specs = (f"pytorch {version.spec}", f"libtorch {version.spec}")
        yield Exclusion(specs, reason, "EG201", version.left_out)


def _has_minor(row: TorchBuilds, minor: Dotted) -> bool:
    return any(version_matches(f"{minor}.{patch}", row.torch) for patch in _PATCHES)


def _row_runs(row: TorchBuilds, cases: Sequence[Case], cuda: _Cuda) -> bool:
    return any(
        cuda.runs(one)
        and all(_has_code(row, one, case, card) for case in cases for card in _cards(case))
        for one in row.cuda
    )


def _has_code(row: TorchBuilds, cuda: Dotted, case: Case, card: Gpu) -> bool:
    """Machine code for the card, or PTX that its driver reads. A card of unknown kind rules nothing out."""
    capability = card.compute_capability
    if capability is None:
        return True
    if has_machine_code(row.architectures, capability, tegra=is_tegra(card, case.knowledge)):
        return True
    read = case.driver_cuda is None or case.driver_cuda >= cuda
    return read and has_ptx(row.architectures, capability)


def _cards(case: Case) -> tuple[Gpu, ...]:
    return case.cards or ()


def _cudnn(cases: Sequence[Case], cuda: _Cuda) -> Iterator[Exclusion]:
    """The cuDNN versions for the newest CUDA that runs which have kernels for every card."""
    if not cuda.running:
        return
    capabilities = [
        card.compute_capability for c in cases for card in _cards(c) if card.compute_capability
    ]
    major = cuda.running[-1].major
    rows = [row for row in cases[0].knowledge.cudnn_floors if row.cuda_major == major]
    kept = [row for row in rows if _has_kernels(row, capabilities)]
    if not kept or len(kept) == len(rows):
        return
    version = "|".join(row.cudnn for row in kept)
    left_out = next(row for row in rows if row not in kept)
    reason = f"it has kernels from {left_out.compute_capability.sm} on"
    specs = tuple(f"{name} {version}" for name in _CUDNN)
    yield Exclusion(specs, reason, "EG210", left_out.cudnn)


def _has_kernels(row: CudnnFloor, capabilities: Sequence[ComputeCapability]) -> bool:
    return all(capability >= row.compute_capability for capability in capabilities)


def _gpu_builds(cases: Sequence[Case]) -> Iterator[Exclusion]:
    """The CUDA build of what comes as a CPU build, too."""
    for row in cases[0].knowledge.gpu_variants:
        if cases[0].subdir in row.subdirs:
            specs = tuple(f"{name} * *cuda*" for name in row.names)
            yield Exclusion(specs, "CPU builds", "EG401", preference=True)


@dataclass(frozen=True, slots=True)
class _Versions:
    """A version spec, and the newest that it leaves out."""

    spec: str
    left_out: str


def _range(values: Sequence[Dotted], runs: Callable[[Dotted], bool]) -> _Versions | None:
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
    return _Versions(",".join(kept), left_out)
