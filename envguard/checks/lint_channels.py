"""EG405: an order of channels in which `pytorch-cuda` does not choose the build of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.checks.places import place
from envguard.checks.requests import conda_lines
from envguard.model.channel import channel_name
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Environment
from envguard.model.report import Finding, Fix, Location, Status
from envguard.model.target import Target

_ITS_CHANNEL = "pytorch"
_OTHERS = ("conda-forge", "defaults", "pkgs/main", "main", "anaconda")
_SOURCES = (
    "https://github.com/mamba-org/micromamba-docker/issues/388",
    "https://github.com/RosettaCommons/RFdiffusion/issues/119",
    "https://github.com/esa/AnomalyMatch/pull/11",
    "https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-channels.html",
)


def check_channels(environment: Environment, target: Target) -> Iterator[Finding]:
    """Yield a warning where PyTorch comes from a channel in front of the one `pytorch-cuda` is made for."""
    if (target.given and not target.wants_gpu) or not _chosen_by_pytorch_cuda(environment):
        return
    names = [channel_name(channel) for channel in environment.channels]
    if _ITS_CHANNEL not in names:
        return
    before = [name for name in names[: names.index(_ITS_CHANNEL)] if name in _OTHERS]
    if before:
        yield Finding(
            "EG405",
            Status.WARN,
            f"{before[0]} is in front of {_ITS_CHANNEL}: pytorch comes from there, and maybe for the CPU",
            message="`pytorch-cuda` chooses among the builds of the pytorch channel alone; with strict "
            "priority there is no solution, or the build of the first channel",
            have=f"channels: [{', '.join(names)}]",
            need=f"{_ITS_CHANNEL} first, or pytorch::pytorch",
            symptom="torch.cuda.is_available() is False, and no error",
            location=_place(environment, names.index(before[0])),
            fix=Fix(
                "write pytorch::pytorch; or leave out pytorch-cuda and the pytorch channel, "
                "and ask conda-forge for pytorch-gpu"
            ),
            sources=_SOURCES,
        )


def _chosen_by_pytorch_cuda(environment: Environment) -> bool:
    """Whether `pytorch-cuda` is asked for, and a line of PyTorch that names neither channel nor build."""
    lines = [(name, build, line) for line, name, build in conda_lines(environment)]
    return any(name == "pytorch-cuda" for name, _, _ in lines) and any(
        name == "pytorch" and not build and parse_match_spec(line.spec).channel is None
        for name, build, line in lines
    )


def _place(environment: Environment, index: int) -> Location | None:
    if index < len(environment.channel_lines):
        return place(environment, environment.channel_lines[index])
    return Location(environment.path) if environment.path else None
