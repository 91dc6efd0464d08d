"""The user's data folder: one downloaded set of rules, as an archive and what is known of it.

`current.json` names the archive by its hash, and writing it is what puts a set in use: a reader sees the
old set or the new one. The one before stays for those who are reading it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from envguard.adapters import files
from envguard.adapters.rule_sets import RulesInArchive, with_readers
from envguard.adapters.user_folders import DATA_VARIABLE, data_root
from envguard.errors import InputError, UnavailableError
from envguard.model.knowledge import Knowledge
from envguard.model.rule_archive import SCHEMA_VERSION, RuleArchive

_CURRENT = "current.json"


def folder(root: Path | None = None) -> Path:
    return (root or data_root()) / f"rules-v{SCHEMA_VERSION}"


def downloaded(archive: RuleArchive, root: Path | None = None) -> RulesInArchive:
    """The set that `described` told of. Raises InputError where it is not there or was changed."""
    return RulesInArchive(folder(root) / f"{archive.sha256}.zip", archive.sha256)


def described(root: Path | None = None) -> RuleArchive | None:
    """The set that was downloaded last; None where there is none. Raises InputError where that is damaged."""
    path = folder(root) / _CURRENT
    try:
        if not path.is_file():
            return None
    except OSError:
        return None
    from envguard.formats.rules.rules_archive import parse_index

    return parse_index(files.read_text(path), str(path))


def keep(archive: RuleArchive, content: bytes, knowledge: Knowledge) -> Path:
    """Put a set in use, whole or not at all; returns its path. Raises UnavailableError."""
    place = folder()
    try:
        before = described()
    except InputError:
        before = None
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{place} could not be made: {error.strerror or error}",
            hint=f"name another folder: export {DATA_VARIABLE}=/path/with/room",
        ) from error
    kept = {archive.sha256}
    try:
        path = _write(place, archive, content, knowledge)
        kept |= {before.sha256} if before else set()
    except BaseException:
        kept = {before.sha256} if before else set()
        raise
    finally:
        _remove_others(place, kept)
    return path


def _write(place: Path, archive: RuleArchive, content: bytes, knowledge: Knowledge) -> Path:
    from envguard.formats.rules import compiled_rules
    from envguard.formats.rules.rules_archive import dump_index

    path = place / f"{archive.sha256}.zip"
    files.write_bytes(path, content)
    compiled = compiled_rules.dump(knowledge, of=with_readers(archive.sha256))
    files.write_text(path.with_suffix(".json"), compiled)
    files.write_text(place / _CURRENT, dump_index(archive))
    return path


def _remove_others(place: Path, kept: set[str]) -> None:
    for path in place.glob("?" * 64 + ".*"):
        if path.stem not in kept and path.suffix in (".zip", ".json"):
            with contextlib.suppress(OSError):
                path.unlink()
