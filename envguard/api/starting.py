"""The first files of a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.project import InitPlan, NewFile


def init_plan(folder: Path, *, targets: Sequence[str] = ()) -> InitPlan:
    """What `init` would make in `folder`. `targets` as in `--for`; none = the cards of this machine.

    Raises InputError for a target that means nothing.
    """
    from envguard.adapters.project import look_at
    from envguard.api.machines import machine, resolve_targets
    from envguard.commands.init import plan_init

    resolve_targets(targets)
    return plan_init(look_at(folder), machine(), tuple(targets))


def make_new(folder: Path, file: NewFile) -> None:
    """Write one of them. Raises InputError where something is there by now, UnavailableError."""
    from envguard.adapters.project import write_new

    write_new(folder / file.path, file.text)
