"""What is configured of the guard. A mistake there never keeps a kernel from starting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class OnStart(StrEnum):
    """What happens when a kernel starts whose lock is not proven on this machine."""

    OFF = "off"
    WARN = "warn"
    """A notice with its first cell."""
    REFUSE = "refuse"
    """It does not start, and the dialog says why."""
    VERIFY = "verify"
    """It starts, `envguard verify` runs beside it, and its answer comes with the next cell."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`kernels` are the names of those guarded, None = all; `locks` the lock of a kernel by its name."""

    on_start: OnStart = OnStart.WARN
    kernels: frozenset[str] | None = None
    locks: Mapping[str, Path] | None = None
    mistakes: tuple[str, ...] = ()

    def guards(self, kernel: str) -> bool:
        return self.kernels is None or kernel in self.kernels


def settings_of(values: Mapping[str, object]) -> Settings:
    """Read `on_start`, `kernels`, `locks`; what is wrong is named in `mistakes` and left at its default."""
    mistakes: list[str] = []
    on_start, kernels, locks = OnStart.WARN, None, {}
    for key, value in values.items():
        match key, value:
            case "on_start", str() if value in list(OnStart):
                on_start = OnStart(value)
            case "on_start", _:
                mistakes.append(
                    f"on_start is {value!r}, and can be {', '.join(OnStart)}: taken as warn"
                )
            case "kernels", None:
                kernels = None
            case "kernels", list() if all(isinstance(name, str) for name in value):
                kernels = frozenset(value)
            case "locks", dict() if all(isinstance(path, str) for path in value.values()):
                locks = {str(name): Path(path) for name, path in value.items()}
            case "kernels" | "locks", _:
                mistakes.append(f"{key} is {value!r}: left out")
            case _:
                mistakes.append(f"{key!r} is no setting of the guard (on_start, kernels, locks)")
    return Settings(on_start, kernels, locks, tuple(mistakes))
