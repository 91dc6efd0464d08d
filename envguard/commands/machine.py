"""Which machine is meant: the one at hand, one that was captured, or one that is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from envguard.commands.named_targets import NOTHING_NAMED, targets_of
from envguard.errors import InputError
from envguard.formats.machine_json import parse_machine
from envguard.formats.target_text import parse_target
from envguard.model.configuration import NamedTarget
from envguard.model.knowledge import Knowledge
from envguard.model.target import Target
from envguard.model.virtual import with_cuda_reach
from envguard.ports.machine import MachineSource


def target_here(*, machines: MachineSource) -> Target:
    """The machine at hand where nobody named one: `given` is false."""
    return Target(name="here", machine=machines.observe(), given=False)


def resolve_targets(
    texts: Sequence[str],
    *,
    default_subdir: str,
    machines: MachineSource,
    knowledge: Knowledge,
    read_text: Callable[[Path], str],
    named: Mapping[str, NamedTarget] = NOTHING_NAMED,
) -> tuple[Target, ...]:
    """The targets that `--for` names, in order, each once.

    A text that ends in `.json`, or describes no machine and is the path of a file, is read as what
    `envguard machine -o FILE` wrote; `named` are those of the configuration. Raises InputError for the first
    text that means nothing.
    """
    here = cache(machines.observe)

    def parsed(text: str) -> Target:
        return parse_target(text, knowledge=knowledge, default_subdir=default_subdir, here=here)

    def resolved(text: str) -> Target:
        if text.lower().endswith(".json"):
            return captured(text)
        try:
            return parsed(text)
        except InputError:
            if _is_file(text):
                return captured(text)
            raise

    def captured(text: str) -> Target:
        machine = parse_machine(read_text(Path(text)), text)
        return with_cuda_reach(Target(name=text, machine=machine), knowledge)

    found = [
        target
        for text in texts
        for target in targets_of(text, named, parse=parsed, resolve=resolved)
    ]
    return tuple({target.name: target for target in found}.values())


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a name may be, or in a folder that is closed to us
        return False
