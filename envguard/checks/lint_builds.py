"""Lines of an environment.yml that ask for builds there never were (EG610, EG402) or for the CPU (EG401)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.places import conda_channels, place
from envguard.checks.requests import conda_lines
from envguard.checks.torch_build import build_cuda, cuda_of_digits, major_minor
from envguard.checks.torch_requests import (
    ended_before,
    one_version,
    patches,
    torch_of_conda,
    torch_of_pip,
)
from envguard.model.conda import parse_match_spec, version_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge, TorchBuilds
from envguard.model.report import Finding, Fix, Status
from envguard.model.target import Target
from envguard.model.version import Dotted

_PIP_INDEX = re.compile(r"/whl/cu(\d{2,3})\b")
_CUDA_IN_BUILD = re.compile(r"(?:cu(?:da)?_?(\d[\d.]*)|gpu)")
_EXACT_NAMES = ("pytorch-cuda",)
_MAJOR_NAMES = ("cuda-version", "cudatoolkit")
_KINDS = {
    "wheel": "wheels",
    "pytorch": "builds in the pytorch channel",
    "conda-forge": "builds on conda-forge",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """PyTorch `version` for `cuda`. `same_major`: an older build of that CUDA major will do, too."""

    version: str
    cuda: Dotted
    channels: tuple[str, ...]
    line: Dependency
    same_major: bool = False


def check_builds(
    environment: Environment, target: Target, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield what was never built or cannot be matched; `environment` holds the lines of one subdir."""
    yield from _never_shipped(environment, target, knowledge)
    yield from _unmatched_builds(environment, knowledge)
    yield from _cpu_lines(environment, target)


def _never_shipped(
    environment: Environment, target: Target, knowledge: Knowledge
) -> Iterator[Finding]:
    for asked in (*_asked_of_conda(environment), *_asked_of_pip(environment)):
        tabled = _tabled(asked, target.subdir, knowledge)
        if not tabled or any(_has(row, asked) for row in tabled):
            continue
        built = sorted({cuda for row in tabled for cuda in row.cuda})
        listed = ", ".join(map(str, built))
        yield Finding(
            "EG610",
            Status.FAIL,
            f"there are no {' and no '.join(sorted({_KINDS[row.channel] for row in tabled}))} of "
            f"PyTorch {asked.version} for CUDA {asked.cuda}",
            message=f"for {target.subdir} there are builds for CUDA {listed}",
            need=f"CUDA {listed}",
            symptom="nothing provides it, or the solver settles for another build",
            location=place(environment, asked.line),
            fix=Fix(f"ask for CUDA {built[-1]}, or for a PyTorch that was built for {asked.cuda}"),
            sources=tuple(dict.fromkeys(row.origin.source for row in tabled)),
        )


def _tabled(asked: _Asked, subdir: str, knowledge: Knowledge) -> list[TorchBuilds]:
    """Every build there is of that release; empty where a channel may have one that is not tabled."""
    found: list[TorchBuilds] = []
    for channel in asked.channels:
        rows = _rows(asked.version, channel, subdir, knowledge)
        if not rows and not ended_before(asked.version, channel, knowledge):
            return []
        found += rows
    return found


def _has(row: TorchBuilds, asked: _Asked) -> bool:
    if not asked.same_major:
        return asked.cuda in row.cuda
    return any(cuda.major == asked.cuda.major and cuda <= asked.cuda for cuda in row.cuda)


def _rows(version: str, channel: str, subdir: str, knowledge: Knowledge) -> list[TorchBuilds]:
    """The builds of a release, any patch of it where only X.Y is given."""
    return [
        row
        for row in knowledge.torch_builds
        if row.channel == channel
        and row.subdir == subdir
        and any(version_matches(patch, row.torch) for patch in patches(version))
    ]


def _asked_of_conda(environment: Environment) -> Iterator[_Asked]:
    for asked in torch_of_conda(environment):
        cuda = build_cuda((asked.build or "").strip("*^$"))
        if cuda is not None and "." in str(cuda):
            yield _Asked(asked.version, cuda, asked.channels, asked.line)
            continue
        for other, name, _ in conda_lines(environment):
            wanted = one_version(parse_match_spec(other.spec))
            cuda = major_minor(wanted) if wanted is not None else None
            if cuda is None or name not in (*_EXACT_NAMES, *_MAJOR_NAMES):
                continue
            yield _Asked(asked.version, cuda, asked.channels, other, name in _MAJOR_NAMES)


def _asked_of_pip(environment: Environment) -> Iterator[_Asked]:
    indexes = [m[1] for line in environment.pip if (m := _PIP_INDEX.search(line.spec))]
    for asked in torch_of_pip(environment):
        digits = asked.digits or (indexes[0] if len(indexes) == 1 else None)
        if digits is not None:
            yield _Asked(asked.version, cuda_of_digits(digits), asked.channels, asked.line)


def _unmatched_builds(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    for line, name, build in conda_lines(environment):
        match = _CUDA_IN_BUILD.search(build or "")
        channels = conda_channels(environment, parse_match_spec(line.spec).channel)
        rows = [row for row in knowledge.build_names if row.package == name]
        named = [row for row in rows if channels is not None and row.channel in channels]
        if match is None or not build or channels is None or len(named) != len(channels):
            continue
        if any(_spelled(match, dotted=row.dotted) for row in named):
            continue
        examples = " or ".join(row.example for row in named)
        yield Finding(
            "EG402",
            Status.FAIL,
            f"{build} matches no build of {name} in {' or '.join(channels)}",
            message=f"they are named {examples}",
            symptom='"PackagesNotFoundError", or "nothing provides"',
            location=place(environment, line, part=build),
            fix=Fix(f"write the CUDA as in {examples}"),
            sources=tuple(dict.fromkeys(row.origin.source for row in named)),
        )


def _spelled(match: re.Match[str], *, dotted: bool) -> bool:
    digits = match[1]
    if digits is None or not match[0].startswith("cuda") or match[0].startswith("cuda_"):
        return False
    if dotted:
        return "." in digits or len(digits) < 3
    return "." not in digits


def _cpu_lines(environment: Environment, target: Target) -> Iterator[Finding]:
    """Lines that pull in the CPU build whatever else is asked for."""
    if not target.wants_gpu or target.machine.nvidia_gpus == ():
        return
    for line, name, build in conda_lines(environment):
        mutex = name == "pytorch-mutex" and "cpu" in (build or "")
        if mutex or name in ("cpuonly", "pytorch-cpu"):
            yield _cpu(environment, line, target)
    for line in environment.pip:
        if "/whl/cpu" in line.spec:
            yield _cpu(environment, line, target)


def _cpu(environment: Environment, line: Dependency, target: Target) -> Finding:
    return Finding(
        "EG401",
        Status.FAIL,
        f"{line.spec!r} asks for a CPU build, and {target.name} has an NVIDIA GPU",
        symptom="torch.cuda.is_available() is False, and no error",
        location=place(environment, line),
        fix=Fix("take the line out"),
    )
