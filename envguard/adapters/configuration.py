"""The configuration file of a folder: looked for upward, read with the limits for strangers' files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from envguard.adapters import files
from envguard.errors import InputError
from envguard.model.configuration import NO_CONFIGURATION, Configuration

OWN = (".envguard.yml", ".envguard.yaml")
SHARED = ("pyproject.toml", "pixi.toml")
_REPOSITORY = (".git", ".hg", ".jj")


def today() -> date:
    """The day in UTC: the same in every CI and on every desk."""
    return datetime.now(UTC).date()


def find_configuration(folder: Path, *, home: Path | None = None) -> Configuration:
    """The nearest configuration from `folder` upward; an empty one where there is none.

    The last folder looked into is the root of a repository, the home directory or that of the file system.
    Raises InputError for two in one folder, for a mistake, and for a stranger's in an open folder.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (`..` would not lead upward)
    for place in _upward(folder, home):
        found = dict(_in_folder(place))
        if len(found) > 1:
            listed = " and ".join(path.name for path in found)
            raise InputError(
                f"{place}: {listed} both configure envguard",
                hint="keep one of them, or name it: --config FILE",
            )
        for path, configuration in found.items():
            if place != folder:
                _refuse_strangers(path)
            return configuration
    return NO_CONFIGURATION


def _in_folder(place: Path) -> Iterator[tuple[Path, Configuration]]:
    for path in (place / name for name in OWN):
        if path.is_file():
            yield path, read_configuration(path)
    for path in (place / name for name in SHARED):
        if path.is_file() and (found := _of_toml(files.read_text(path), path)) is not None:
            yield path, found


def read_configuration(path: Path) -> Configuration:
    """The configuration in a file, by its name YAML or TOML. Raises InputError."""
    text = files.read_text(path)
    if path.suffix != ".toml":
        from envguard.formats.configuration import parse_yaml_configuration

        return parse_yaml_configuration(text, shown(path), _folder(path))
    found = _of_toml(text, path)
    if found is None:
        raise InputError(
            f"{shown(path)} has no [tool.envguard]", hint="add the table, or name another file"
        )
    return found


def _of_toml(text: str, path: Path) -> Configuration | None:
    """What a file of several tools says about this one; None where that is nothing."""
    if "envguard" not in text:
        return None
    from envguard.formats.configuration import parse_toml_configuration

    return parse_toml_configuration(text, shown(path), _folder(path))


def _folder(path: Path) -> Path:
    """From here: what is read from it may be recorded in a lock, where no home has to be named."""
    return Path(os.path.relpath(path.parent))


def _upward(folder: Path, home: Path | None) -> Iterator[Path]:
    last = home if home is not None else Path(os.path.expanduser("~"))  # noqa: PTH111 (never raises)
    ends = {last, last.resolve()}
    for candidate in (folder, *folder.parents):
        yield candidate
        if candidate in ends or any((candidate / name).exists() for name in _REPOSITORY):
            return


def _refuse_strangers(path: Path) -> None:
    """Raise InputError where anybody could have put the file there, as in /tmp."""
    if os.name == "nt":  # no such bits, no such owner
        return
    try:
        open_to_all, owner = path.parent.stat().st_mode & stat.S_IWOTH, path.stat().st_uid
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error
    if open_to_all and owner not in (0, os.getuid()):
        raise InputError(
            f"{path} belongs to somebody else (uid {owner}), in a folder that everybody may write to",
            hint=f"--config {path} if it is meant, --no-config if not",
        )


def folder_of(whats: Sequence[str | Path], prefix: Path | None = None) -> Path:
    """Where to begin: the folder of what is named by its path, what several have in common; else here."""
    paths = [prefix] if prefix is not None else [Path(what) for what in whats if _is_path(what)]
    folders = [os.path.dirname(os.path.abspath(path)) for path in paths]  # noqa: PTH100, PTH120
    return Path(os.path.commonpath(folders)) if folders else Path.cwd()


def _is_path(what: str | Path) -> bool:
    try:
        return str(what) != "-" and Path(what).exists()
    except OSError:
        return False


def names_of(path: str, configuration: str | None) -> tuple[str, ...]:
    """What a waiver may call a subject: as it was said, and from the folder of the configuration."""
    if configuration is None or not _is_path(path):
        return (path,)
    folder = os.path.dirname(os.path.abspath(configuration))  # noqa: PTH100, PTH120
    return (path, Path(os.path.relpath(path, folder)).as_posix())


def shown(path: Path) -> str:
    """From here where it is below, else whole."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path.absolute())
