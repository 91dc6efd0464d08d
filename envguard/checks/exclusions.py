"""What of the channels a target cannot run, as constraints that a solve starts with: by tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from envguard.checks.case import Case, case_of, is_tegra
from envguard.checks.cuda_versions import (
    CudaVersions,
    Versions,
    cuda_title,
    cuda_versions,
    version_range,
)
from envguard.checks.exclusion import Exclusion
from envguard.checks.machine_code import has_machine_code, has_ptx
from envguard.checks.rule_exclusions import rule_exclusions
from envguard.checks.wording import card_name
from envguard.model.conda import version_matches
from envguard.model.knowledge import CudnnFloor, Knowledge, TorchBuilds
from envguard.model.machine import Driver, Gpu
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

_CUDA_PINS = ("cuda-version", "cudatoolkit", "pytorch-cuda")
"""Packages whose version is a CUDA's: conda-forge's metapackage, its forerunner, the pytorch channel's."""
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
    cuda = cuda_versions(cases)
    too_new = _cuda_exclusion(cuda)
    found = [
        *((too_new, _builds(cases, cuda, too_new)) if too_new else ()),
        *_capped(cases, names, strict=strict_cuda),
        *_torch(cases, channels, cuda),
        *_cudnn(cases, cuda),
        *_gpu_builds(cases),
        *of_rules,
    ]
    return tuple(found)


def _cuda_exclusion(cuda: CudaVersions) -> Exclusion | None:
    """The CUDA versions that not all targets run."""
    finding, tabled = cuda.reason, cuda.tabled
    version = version_range(tabled, lambda one: one not in cuda.failures)
    if not cuda.running and tabled:
        version = Versions(f"<{tabled[0]}", f">={tabled[0]}")
    if version is None or finding is None:
        return None
    specs = tuple(f"{name} {version.spec}" for name in _CUDA_PINS)
    return Exclusion(specs, cuda_title(finding), finding.rule, version.left_out)


def _builds(cases: Sequence[Case], cuda: CudaVersions, versions: Exclusion) -> Exclusion:
    """Builds that name a CUDA which does not run: not every package with one depends on its version."""
    named = "|".join(
        f"{str(one).replace('.', '')}|{one}".replace(".", r"\.") for one in cuda.failing
    )
    specs = tuple(
        rf"{name} * ^(?!.*cuda({named})(?!\d)).*$"
        for row in cases[0].knowledge.gpu_variants
        for name in row.names
    )
    what = f"builds for CUDA {', '.join(map(str, cuda.failing))}"
    return Exclusion(specs, versions.reason, versions.rule, what=what)


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


def _torch(
    cases: Sequence[Case], channels: Sequence[str], cuda: CudaVersions
) -> Iterator[Exclusion]:
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

    version = version_range(tabled, runs)
    if version is not None:
        reason = f"no other release of PyTorch has a build for {_unserved(rows, cases, cuda)}"
        specs = (f"pytorch {version.spec}", f"libtorch {version.spec}")
        yield Exclusion(specs, reason, "EG201", version.left_out)


def _unserved(rows: Sequence[TorchBuilds], cases: Sequence[Case], cuda: CudaVersions) -> str:
    """The cards that not every release has code for, else all, and the CUDA that the build has to be for."""
    cards = list(dict.fromkeys(c for case in cases for c in _cards(case)))
    without = [c for c in cards if not all(_has_code(r, r.cuda[0], cases[0], c) for r in rows)]
    names = ", ".join(dict.fromkeys(card_name(card) for card in without or cards))
    last = cuda.running[-1] if cuda.running else None
    of_cuda = f" and CUDA <={last}" if last is not None and last != cuda.tabled[-1] else ""
    return f"{names or 'this driver'}{of_cuda}"


def _has_minor(row: TorchBuilds, minor: Dotted) -> bool:
    return any(version_matches(f"{minor}.{patch}", row.torch) for patch in _PATCHES)


def _row_runs(row: TorchBuilds, cases: Sequence[Case], cuda: CudaVersions) -> bool:
    return any(
        one not in cuda.failures
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


def _cudnn(cases: Sequence[Case], cuda: CudaVersions) -> Iterator[Exclusion]:
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
