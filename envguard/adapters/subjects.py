"""What `check` is about: a file, an environment on disk, or what is here.

Each format is imported where it turns up: a lock is judged without the readers of all others.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard.adapters import files
from envguard.adapters.prefixes.find import find_prefix
from envguard.errors import InputError
from envguard.formats.dockerfile import is_dockerfile, parse_dockerfile
from envguard.formats.image_name import PREFIX, image_subject
from envguard.formats.notebook import is_notebook, parse_notebook
from envguard.model.pack import START as PACK_START
from envguard.ports.prefixes import Found

HERE = ("conda-lock.yml", "environment.yml", "environment.yaml")
_LOCK_KEYS = re.compile(r"^(?:version:\s*['\"]?\d|package:|metadata:)", re.MULTILINE)


def find_subject(
    what: str | None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    looked_for: tuple[str, ...] = HERE,
    given: str | None = None,
) -> tuple[str, Found]:
    """What is meant, with the name to call it by. Raises InputError where there is nothing.

    `what` is a file, a folder or `-`; `name` and `prefix` are conda's -n and -p; without any of them
    it is the first of `looked_for` in `directory`, else the active environment. `given` is what was read
    from standard input already.
    """
    said = [text for text in (what, name, prefix) if text is not None]
    if len(said) > 1:
        raise InputError("WHAT, -n and -p are three ways to name one thing: give one of them")
    if name is not None:
        return _installed(find_prefix(name, environment))
    if prefix is not None:
        return _installed(prefix)
    if what == "-":
        return "-", _parse(standard_input() if given is None else given, "-")
    if what is not None and what.startswith(PREFIX):
        return what.removeprefix(PREFIX), image_subject(what)
    if what is not None:
        return _of_path(Path(what))
    return _here(directory, environment, looked_for)


def environment_file_here(environment: Mapping[str, str] = os.environ) -> str | None:
    """environment.yml of this folder, where there is neither a lock nor an active environment."""
    active = any(environment.get(variable) for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"))
    if active or Path("conda-lock.yml").is_file():
        return None
    return next((file for file in HERE[1:] if Path(file).is_file()), None)


def subject_here(
    lock: Path | None,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    or_active: bool = True,
    directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, Found] | None:
    """What was named, else conda-lock.yml in `directory`, else (`or_active`) the active environment.

    None where nothing was named and there is nothing.
    """
    if (lock, name, prefix) == (None, None, None):
        locked = ((directory or Path()) / "conda-lock.yml").is_file()
        active = any(environment.get(variable) for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"))
        if not locked and not (or_active and active):
            return None
    return find_subject(
        None if lock is None else str(lock),
        name=name,
        prefix=prefix,
        directory=directory,
        environment=environment,
        looked_for=("conda-lock.yml",),
    )


def expand(whats: Sequence[str]) -> tuple[str, ...]:
    """Globs (`/shared/envs/*`) to what they match, sorted; what is there, or matches nothing, stays."""
    found: list[str] = []
    for what in whats:
        is_glob = glob.has_magic(what) and not what.startswith(PREFIX)
        try:
            there = Path(what).exists()
        except OSError:
            there = False
        found += (_matches(what) if is_glob and not there else []) or [what]
    return tuple(dict.fromkeys(found))


def _matches(pattern: str) -> list[str]:
    """What a shell would put in its place; Path.glob takes no absolute pattern."""
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207


def exists_beside(path: str, file: str) -> bool:
    """Whether a file is there that `file` names as `path`; relative to it, as pip reads it."""
    beside = Path() if file == "-" else Path(file).parent
    return (beside / path).exists()


def _here(
    directory: Path | None, environment: Mapping[str, str], looked_for: tuple[str, ...]
) -> tuple[str, Found]:
    folder = directory or Path()
    for file in looked_for:
        if (folder / file).is_file():
            return _of_path(folder / file)
    for variable in ("CONDA_PREFIX", "VIRTUAL_ENV"):
        if environment.get(variable):
            return _installed(Path(environment[variable]))
    raise InputError(
        f"nothing to look at: no {' and no '.join(looked_for)} in {folder.resolve()}, "
        "and no environment is active",
        hint="name it: envguard check FILE (or export, verify), -p PREFIX or -n NAME",
    )


def _of_path(path: Path) -> tuple[str, Found]:
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    if is_folder:
        return _installed(path)
    if not exists:
        raise InputError(
            f"{path} does not exist",
            hint="WHAT is a conda-lock.yml, an environment.yml, a notebook, a Dockerfile, the folder "
            "of an environment, or image:REPOSITORY:TAG",
        )
    if path.is_file() and files.starts_with(path, PACK_START):
        from envguard.adapters.packs import lock_in

        return str(path), lock_in(path)
    return str(path), _parse(files.read_text(path), str(path))


def _parse(text: str, path: str) -> Found:
    """Tell by its looks what a text is. Raises InputError that says what a foreign one looks like."""
    if is_dockerfile(text, path):
        return parse_dockerfile(text, path)
    if is_notebook(text, path):
        return parse_notebook(text, path)
    if len(set(_LOCK_KEYS.findall(text))) > 1 or path.endswith("conda-lock.yml"):
        from envguard.formats.locks.conda_lock import parse_conda_lock

        return parse_conda_lock(text, path)
    from envguard.formats.environments.environment_yml import parse_environment
    from envguard.formats.foreign import refuse_foreign
    from envguard.formats.listings import parse_listing

    refuse_foreign(text, path, before_listings=True)
    listings = parse_listing(text, path)
    if listings is not None:
        return listings
    refuse_foreign(text, path)
    return parse_environment(text, path)


def _installed(path: Path) -> tuple[str, Found]:
    from envguard.adapters.prefixes.reader import PrefixReaderOnDisk

    return str(path), PrefixReaderOnDisk().read(path)


def standard_input() -> str:
    """What is piped in. Raises InputError: too much of it, not UTF-8."""
    data = sys.stdin.buffer.read(files.MAX_TEXT_BYTES + 1)
    if len(data) > files.MAX_TEXT_BYTES:
        raise InputError(f"standard input has more than {files.MAX_TEXT_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"-:{line}: not UTF-8") from error
