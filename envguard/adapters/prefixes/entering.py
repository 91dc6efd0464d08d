"""A prefix activated as conda does it: PATH, variables, the scripts of packages.

conda/activate.py, https://github.com/conda/conda/blob/main/conda/activate.py; values are handed over as they
are, no shell reads them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from envguard.adapters.prefixes.conda_meta import HALF
from envguard.errors import InputError
from envguard.model.activation import Activation

_UNSET = "***unset***"
# in a function, so that a script that sets arguments does not set ours
_SOURCE = """_envguard() { . "$1"; }
while [ "$1" != -- ]; do _envguard "$1"; shift; done
shift; unset -f _envguard; exec "$@"
"""


def activation_of(prefix: Path, environment: Mapping[str, str] = os.environ) -> Activation:
    """What a process of `prefix` starts with, where `environment` is what it is started from.

    An environment that is active there is left first. Raises InputError for what is no environment, and
    for one that is half installed.
    """
    variables = dict(environment)
    if (prefix / "pyvenv.cfg").is_file() and not (prefix / "conda-meta").is_dir():
        variables |= {"VIRTUAL_ENV": str(prefix), "PATH": _path(prefix, variables.get("PATH"))}
        variables.pop("PYTHONHOME", None)
        return Activation(variables)
    _refuse(prefix)
    scripts: list[Path] = []
    if (old := variables.get("CONDA_PREFIX")) and Path(old) != prefix:
        scripts += sorted(Path(old).glob("etc/conda/deactivate.d/*.sh"), reverse=True)
        for name, value in _variables(Path(old), mine=False).items():
            if variables.get(name) == value:
                del variables[name]
        parts = variables.get("PATH", os.defpath).split(os.pathsep)
        gone = _folders(Path(old))
        variables["PATH"] = os.pathsep.join(part for part in parts if part not in gone)
    variables |= {
        "PATH": _path(prefix, variables.get("PATH")),
        "CONDA_PREFIX": str(prefix),
        "CONDA_SHLVL": "1",
        "CONDA_DEFAULT_ENV": prefix.name if prefix.parent.name == "envs" else str(prefix),
    }
    for name, value in _variables(prefix, mine=True).items():
        if value == _UNSET:
            variables.pop(name, None)
        else:
            variables[name] = value
    scripts += sorted(prefix.glob("etc/conda/activate.d/*.sh"))
    return Activation(variables, tuple(scripts))


def become(activation: Activation, command: tuple[str, ...]) -> None:
    """Replace this process by the command: signals and its exit status are its own. Raises OSError."""
    variables = dict(activation.variables)
    program = shutil.which(command[0], path=variables.get("PATH")) or command[0]
    if not activation.scripts:
        os.execve(program, command, variables)
    shell = shutil.which("bash", path=os.defpath) or "/bin/sh"
    told = [str(script) for script in activation.scripts]
    os.execve(shell, [shell, "-c", _SOURCE, "envguard run", *told, "--", *command], variables)


def is_program(activation: Activation, name: str) -> bool:
    """Whether the environment has such a command."""
    return shutil.which(name, path=activation.variables.get("PATH")) is not None


def _refuse(prefix: Path) -> None:
    if not (prefix / "conda-meta").is_dir():
        what = "is no conda environment" if prefix.exists() else "does not exist"
        raise InputError(f"{prefix} {what}", hint="name its top folder: -p PREFIX")
    if (prefix / "conda-meta" / HALF).exists():
        raise InputError(
            f"{prefix} is half-installed: an installation did not end",
            hint=f"end it first: envguard install LOCK -p {prefix}",
        )


def _variables(prefix: Path, *, mine: bool) -> dict[str, str]:
    """Those of packages, then those of the environment. Raises InputError for what cannot be read.

    An environment that is left (`mine` false) need not be whole.
    """
    found: dict[str, str] = {}
    packages = sorted(prefix.glob("etc/conda/env_vars.d/*"))
    for path in (*packages, prefix / "conda-meta" / "state"):
        try:
            told = json.loads(path.read_bytes())
            values = told if path in packages else told.get("env_vars") or {}
            found |= {str(name): str(value) for name, value in values.items()}
        except FileNotFoundError:
            continue
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            if mine:
                raise InputError(
                    f"{path}: the variables of the environment cannot be read: {error}",
                    hint="mend the file, or install the environment anew",
                ) from error
    return found


def _folders(prefix: Path) -> tuple[str, ...]:
    return (str(prefix / "bin"), str(prefix / "condabin"))


def _path(prefix: Path, path: str | None) -> str:
    return os.pathsep.join([str(prefix / "bin"), *([path] if path else [os.defpath])])
