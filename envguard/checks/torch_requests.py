"""The lines of an environment.yml that ask for one release of PyTorch, and where it can come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envguard.checks.places import conda_channels
from envguard.checks.requests import conda_lines, pip_lines
from envguard.model.conda import MatchSpec, parse_match_spec, version_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge

TORCH = ("pytorch", "pytorch-gpu", "libtorch")
_ONE = re.compile(r"={0,2}\s*(\d+\.\d+(?:\.\d+)?)(?:\.\*)?\Z")
_PIP_TORCH = re.compile(r"\s*torch\s*==\s*(\d+\.\d+(?:\.\d+)?)(?:\+cu(\d{2,3}))?\s*(?:[;#].*)?\Z")


@dataclass(frozen=True, slots=True)
class TorchRequest:
    """PyTorch `version` (X.Y or X.Y.Z) from one of `channels`; `digits` is the CUDA of a pip line (`118`)."""

    version: str
    channels: tuple[str, ...]
    line: Dependency
    build: str | None = None
    digits: str | None = None


def torch_of_conda(environment: Environment) -> Iterator[TorchRequest]:
    """The conda lines; those that other channels than the tabled ones may answer are left out."""
    for line, name, build in conda_lines(environment):
        spec = parse_match_spec(line.spec)
        version = one_version(spec) if name in TORCH else None
        channels = conda_channels(environment, spec.channel)
        if version is not None and channels is not None:
            yield TorchRequest(version, channels, line, build)


def torch_of_pip(environment: Environment) -> Iterator[TorchRequest]:
    """The pip lines."""
    for line, name in pip_lines(environment):
        match = _PIP_TORCH.match(line.spec) if name == "torch" else None
        if match is not None:
            yield TorchRequest(match[1], ("wheel",), line, digits=match[2])


def one_version(spec: MatchSpec) -> str | None:
    """The X.Y or X.Y.Z that a spec names; None = a range, or nothing."""
    match = _ONE.match(spec.version or "")
    return match[1] if match else None


def patches(version: str) -> tuple[str, ...]:
    """The releases that `version` stands for: itself, or any patch of X.Y."""
    return (version,) if version.count(".") > 1 else tuple(f"{version}.{n}" for n in range(10))


def ended_before(version: str, channel: str, knowledge: Knowledge) -> bool:
    """Whether a channel that gets no more releases never had this one."""
    return any(
        row.channel == channel
        and row.package == "pytorch"
        and not any(version_matches(had, f"{version}.*") for had in row.versions)
        for row in knowledge.frozen_packages
    )
