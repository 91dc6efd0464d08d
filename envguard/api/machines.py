"""This machine, and the machines that `--for` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.configuration import Configuration
    from envguard.model.machine import Machine
    from envguard.model.target import Target


def machine() -> Machine:
    """This machine: driver, GPUs and host; what could not be observed is None, with a note."""
    from envguard.adapters.machine.here import HereMachine

    return HereMachine().observe()


class _Here:
    """A MachineSource: what looks at drivers and cards is imported when somebody asks for this machine."""

    def observe(self) -> Machine:
        return machine()


def target_here() -> Target:
    """This machine as a target that nobody named: `given` is false."""
    from envguard.commands import machine as commands

    return commands.target_here(machines=_Here())


def resolve_targets(
    texts: Sequence[str],
    *,
    subdir: str | None = None,
    configuration: Configuration | None = None,
) -> tuple[Target, ...]:
    """What `--for` names, in order: cards, platforms, `cpu`, `here`, files of `envguard machine`.

    `subdir` is that of a card without one; None = this machine's. `configuration` may have names of its
    own. Raises InputError with candidates for what means nothing.
    """
    from envguard.adapters import files, rules
    from envguard.commands import machine as commands
    from envguard.model.subdir import current_subdir

    return commands.resolve_targets(
        texts,
        default_subdir=subdir or current_subdir(),
        machines=_Here(),
        knowledge=rules.load(),
        read_text=files.read_text,
        named=configuration.targets if configuration is not None else {},
    )
