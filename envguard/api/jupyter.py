"""The guard of kernels in a Jupyter server's configuration. It is one file of its own, and no kernelspec."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envguard.errors import InputError

EXTENSION = "envguard.jupyter"
SECTION = "GuardedProvisioner"
FILE = Path("jupyter_server_config.d") / "envguard.json"


@dataclass(frozen=True, slots=True)
class Guard:
    """What one configuration file says. `kernels` None = all of the server's; `locks` by kernel."""

    file: Path
    on_start: str = "warn"
    kernels: tuple[str, ...] | None = None
    locks: dict[str, str] | None = None


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
    """What is configured; None where nothing is. Raises InputError for what cannot be read."""
    from envguard.adapters import files

    if not file.exists():
        return None
    try:
        told = json.loads(files.read_text(file))
        section = told.get(SECTION, {})
        kernels, locks = section.get("kernels"), section.get("locks", {})
        return Guard(
            file,
            str(section.get("on_start", "warn")),
            None if kernels is None else tuple(map(str, kernels)),
            {str(name): str(lock) for name, lock in locks.items()},
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{file} is no configuration of the guard: {error}",
            hint="envguard jupyter disable removes it",
        ) from None


def write_guard(guard: Guard) -> None:
    """Configure the guard; servers read it when they start. Raises UnavailableError where it cannot be."""
    from envguard.adapters import files
    from envguard.errors import UnavailableError

    document: dict[str, Any] = {
        "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
        SECTION: {
            "on_start": guard.on_start,
            "kernels": None if guard.kernels is None else list(guard.kernels),
            "locks": guard.locks or {},
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
