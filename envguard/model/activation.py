"""An activated environment: the variables, and the scripts that packages want sourced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Activation:
    """`variables` are all of the process; `scripts` are sourced by a shell, in order, before the command."""

    variables: Mapping[str, str]
    scripts: tuple[Path, ...] = ()
