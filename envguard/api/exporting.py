"""What was asked for, as others can use it, and the proof that it solves to the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.model.cleaning import Policy

if TYPE_CHECKING:
    from envguard.api.proving import Proving
    from envguard.commands.export import Clean
    from envguard.commands.locking.prove import Proof
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile
    from envguard.ports.prefixes import Installed
    from envguard.ports.progress import Progress

ENVIRONMENT_YML = "environment-yml"
PIXI_TOML = "pixi-toml"
REQUIREMENTS = "requirements"
FORMATS = (ENVIRONMENT_YML, PIXI_TOML, REQUIREMENTS)
"""Of what was asked for; RenderKind has those of exact packages, and a lock's `requirements` is one."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file for others. `proofs` are one a platform; None where nobody asked for a proof.

    `provable`: it says what was asked for, which another solve may answer otherwise.
    """

    text: str
    notes: tuple[str, ...]
    proofs: tuple[Proof, ...] | None = None
    provable: bool = False


def export(
    what: str | None = None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    format_: str = ENVIRONMENT_YML,
    policy: Policy = Policy(),  # noqa: B008  frozen
    platforms: Sequence[str] = (),
    allow: frozenset[str] = frozenset(),
    prove: Proving | None = None,
    progress: Progress | None = None,
) -> Exported:
    """A lock, a prefix, a virtual environment or an environment.yml in one of FORMATS or RenderKind.

    `what` None = a lock here, else the active environment, else environment.yml here. `platforms` choose of a
    lock's files. `allow` may hold `incomplete`: a prefix that is not whole. Nothing is written. Raises
    InputError for what is none of these, and with `prove` UnsatisfiableError and UnavailableError.
    """
    from dataclasses import replace

    from envguard.adapters import rules
    from envguard.api.proving import proofs_of
    from envguard.commands.export import as_lock, clean
    from envguard.errors import InputError
    from envguard.formats.environments.environment_yml import parse_environment
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile

    path, found, text = _subject(what, name, prefix)
    knowledge = rules.load()
    of_request = format_ in FORMATS and not (
        format_ == REQUIREMENTS and isinstance(found, Lockfile)
    )
    if not of_request:
        if prove is not None:
            raise InputError(
                f"--prove is of what was asked for, and {format_} of exact packages",
                hint=f"--format {ENVIRONMENT_YML} or {PIXI_TOML}",
            )
        if isinstance(found, Environment):
            raise InputError(
                f"{path} names no exact packages, and {format_} is made of them",
                hint=f"lock it first: envguard lock {path}, then envguard export conda-lock.yml",
            )
        return _rendered(path, found, as_lock(found, knowledge, allow=allow), format_, platforms)
    if platforms:
        raise InputError(f"--platform chooses of a lock's files; --format {format_} has one")
    cleaned = clean(found, policy, knowledge, text=text, allow=allow)
    written = _written(cleaned, format_, found)
    written = replace(
        written,
        provable=True,
        notes=(*written.notes, *_clobbered(found), *_nothing(path, found, cleaned)),
    )
    if prove is None:
        return written
    again = parse_environment(cleaned.text, path)
    proofs = proofs_of(again, found, Path(path), prove, knowledge, progress)
    return replace(written, proofs=proofs)


def _subject(
    what: str | None, name: str | None, prefix: Path | None
) -> tuple[str, Lockfile | Installed | Environment, str]:
    """What is meant, and its text where it is an environment.yml."""
    from envguard.adapters import files, subjects
    from envguard.errors import InputError
    from envguard.model.environment import Environment
    from envguard.model.image import Images
    from envguard.model.notebook import Notebook

    if (what, name, prefix) == (None, None, None):
        what = subjects.environment_file_here()
    text = subjects.standard_input() if what == "-" else ""
    path, found = subjects.find_subject(
        what, name=name, prefix=prefix, looked_for=("conda-lock.yml",), given=text
    )
    if isinstance(found, Images | Notebook | tuple):
        kind = f"an {found.kind}" if isinstance(found, Images) else "a list of packages"
        kind = "a notebook" if isinstance(found, Notebook) else kind
        raise InputError(
            f"{path} is {kind}; export is of what was locked, installed or written",
            hint="envguard export conda-lock.yml, environment.yml, -n NAME or -p PREFIX",
        )
    if isinstance(found, Environment) and what != "-":
        text = files.read_text(Path(path), keep_mark=True)
    return path, found, text


def _clobbered(found: object) -> tuple[str, ...]:
    """What two packages of a prefix wrote over each other."""
    from envguard.adapters.prefixes.conda_meta import owned_twice
    from envguard.ports.prefixes import Installed

    if not isinstance(found, Installed) or found.kind != "prefix":
        return ()
    return owned_twice(found.path)


def _nothing(path: str, found: object, cleaned: Clean) -> tuple[str, ...]:
    """A word where there is hardly anything in the file."""
    from envguard.ports.prefixes import Installed

    if not isinstance(found, Installed):
        return ()
    if not found.records:
        return (f"{path}: no package is installed there, so python is all that there is to tell",)
    if found.kind == "venv" and not cleaned.environment.pip:
        return (f"{path}: nothing is there but what a virtual environment begins with",)
    return ()


def _written(cleaned: Clean, format_: str, found: object) -> Exported:
    """The clean environment in the format that was asked for."""
    if format_ == ENVIRONMENT_YML:
        return Exported(cleaned.text, cleaned.notes)
    from envguard.formats.environments.pixi_toml import dump_pixi_toml
    from envguard.formats.environments.requirements_dump import dump_requirements
    from envguard.model.subdir import current_subdir
    from envguard.ports.prefixes import Installed

    if format_ == REQUIREMENTS:
        text, notes = dump_requirements(cleaned.environment)
    else:
        subdir = found.subdir if isinstance(found, Installed) else current_subdir()
        text, notes = dump_pixi_toml(cleaned.environment, (subdir,))
    return Exported(text, (*cleaned.notes, *notes))


def _rendered(
    path: str,
    found: Lockfile | Installed,
    lockfile: Lockfile,
    format_: str,
    platforms: Sequence[str],
) -> Exported:
    from envguard.errors import InputError
    from envguard.formats.renders import render
    from envguard.model.rendering import RenderKind, RenderSource
    from envguard.ports.prefixes import Installed

    if isinstance(found, Installed):
        source = RenderSource(str(Path(path).resolve()), installed=True)
    else:
        source = RenderSource(Path(path).name if path != "-" else "conda-lock.yml")
    files = render(lockfile, RenderKind(format_), platforms=platforms, source=source)
    if len(files) > 1:
        subdirs = ", ".join(str(file.subdir) for file in files)
        raise InputError(
            f"{format_} is one file a platform, and the lock has {len(files)} of them: {subdirs}. "
            f"Name one (--platform {files[0].subdir}), or write all with `envguard lock --render {format_}`"
        )
    return Exported(files[0].text, (*files[0].notes, *_of_installed(path, found)))


def _of_installed(path: str, found: Lockfile | Installed) -> tuple[str, ...]:
    """What exact packages of an environment leave open."""
    from envguard.cleaning.installed import with_wheels_as_pip
    from envguard.ports.prefixes import Installed

    if not isinstance(found, Installed):
        return ()
    if found.kind != "venv":
        return (*found.problems, *with_wheels_as_pip(found.records)[1], *_clobbered(found))
    what = (
        "no package is installed there" if not found.records else "its pip packages are all it has"
    )
    return (f"{path}: {what}; Python {found.python_version} is none of them",)
