"""Where in an environment.yml something is, and where a line's package can come from."""

from __future__ import annotations

from envguard.model.channel import channel_name
from envguard.model.environment import Dependency, Environment
from envguard.model.report import Location

_WITHOUT_TORCH = {"nvidia", "nodefaults"}
_TABLED = ("conda-forge", "pytorch")


def place(
    environment: Environment, line: Dependency, *, part: str | None = None
) -> Location | None:
    """The line, with the spec or `part` of it marked; None where there is no file."""
    if environment.path is None:
        return None
    text = f"- {line.spec}"
    meant = part if part is not None and part in line.spec else line.spec
    start = text.rindex(meant)
    column = None if line.column is None else line.column + start - 2
    return Location(environment.path, line.line, column, text, (start, len(meant)))


def conda_channels(environment: Environment, written: str | None) -> tuple[str, ...] | None:
    """The channels that PyTorch can come from; None where one of them is not tabled."""
    if written is not None:
        channel = channel_name(written)
        return (channel,) if channel in _TABLED else None
    channels = set(map(channel_name, environment.channels)) - _WITHOUT_TORCH
    if not channels or not channels <= set(_TABLED):
        return None
    return tuple(sorted(channels))
