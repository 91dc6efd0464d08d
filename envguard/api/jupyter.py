"""The guard of kernels in a Jupyter server's configuration. It is one file of its own, and no kernelspec."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from envguard.errors import InputError

EXTENSION = "envguard.jupyter"
SECTION = "envguard"
FILE = Path("jupyter_server_config.d") / "envguard.json"


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
class Guard:
    """What one configuration file says. `kernels` None = all of the server's; `locks` by kernel.

    `mistakes` are what the file has and cannot mean; a kernel starts all the same.
    """

    file: Path
    on_start: OnStart = OnStart.WARN
    kernels: tuple[str, ...] | None = None
    locks: Mapping[str, str] = field(default_factory=dict)
    mistakes: tuple[str, ...] = ()

    def covers(self, kernel: str) -> bool:
        return self.kernels is None or kernel in self.kernels


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that this environment's servers show. `provisioner` is another that its spec names."""

    name: str
    folder: str
    provisioner: str | None = None


def guard_file(*, user: bool) -> Path:
    """Where the guard is configured: for the servers of this environment, or for all of this user.

    Raises InputError where no Jupyter is in this environment.
    """
    try:
        from jupyter_core.paths import ENV_CONFIG_PATH, jupyter_config_dir
    except ImportError:
        raise InputError(
            f"there is no Jupyter in {sys.prefix}",
            hint="the guard lives beside the server: there, pip install 'conda-envguard[jupyter]'",
        ) from None
    return Path(jupyter_config_dir() if user else ENV_CONFIG_PATH[0]) / FILE


def read_guard(file: Path) -> Guard | None:
    """What is configured; None where nothing is. What cannot be read is a mistake of the default guard."""
    from envguard.adapters import files
    from envguard.errors import EnvguardError

    if not file.exists():
        return None
    try:
        told = json.loads(files.read_text(file))
    except (EnvguardError, ValueError) as error:
        return Guard(file, mistakes=(f"{file} cannot be read: {error}",))
    return _guard(file, told.get(SECTION) if isinstance(told, dict) else None)


def guard_here() -> Guard | None:
    """The guard of this environment's servers, else that of all servers of the user; None = there is none."""
    found = (read_guard(guard_file(user=user)) for user in (False, True))
    return next((guard for guard in found if guard is not None), None)


def _guard(file: Path, section: object) -> Guard:
    if not isinstance(section, dict):
        return Guard(file, mistakes=(f"{file} has no {SECTION}",))
    guard, mistakes = Guard(file), []
    for key, value in section.items():
        match key, value:
            case "on_start", str() if value in list(OnStart):
                guard = replace(guard, on_start=OnStart(value))
            case "kernels", None:
                pass
            case "kernels", list() if all(isinstance(name, str) for name in value):
                guard = replace(guard, kernels=tuple(value))
            case "locks", dict() if all(isinstance(lock, str) for lock in value.values()):
                guard = replace(guard, locks=value)
            case "on_start", _:
                mistakes.append(f"{file}: on_start is {value!r}, not one of {', '.join(OnStart)}")
            case _:
                mistakes.append(f"{file}: {key} = {value!r} means nothing here")
    return replace(guard, mistakes=tuple(mistakes))


def write_guard(guard: Guard) -> None:
    """Configure the guard; servers read it when they start. Raises UnavailableError where it cannot be."""
    from envguard.adapters import files
    from envguard.errors import UnavailableError

    document: dict[str, Any] = {
        "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
        SECTION: {
            "on_start": guard.on_start.value,
            "kernels": None if guard.kernels is None else list(guard.kernels),
            "locks": dict(guard.locks),
        },
    }
    try:
        guard.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{guard.file.parent} cannot be made: {error.strerror or error}",
            hint="--user configures the guard for all servers of yours",
        ) from None
    files.write_text(guard.file, json.dumps(document, indent=2) + "\n")


def remove_guard(file: Path) -> None:
    """Raises UnavailableError where it cannot be removed."""
    from envguard.errors import UnavailableError

    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be removed: {error.strerror or error}") from None


def kernels() -> tuple[Kernel, ...]:
    """The kernels that a server of this environment shows, by name."""
    from jupyter_client.kernelspec import KernelSpecManager

    found = KernelSpecManager().get_all_specs()
    return tuple(
        Kernel(
            name,
            str(told["resource_dir"]),
            told["spec"].get("metadata", {}).get("kernel_provisioner", {}).get("provisioner_name"),
        )
        for name, told in sorted(found.items())
    )
