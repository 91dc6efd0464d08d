"""Where sets of rules lie: a folder, or one archive. Both are read in their compiled form where it fits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envguard.adapters import files
from envguard.errors import InputError
from envguard.formats.rules import compiled_rules, rule_set
from envguard.formats.rules.rule_set import CHECKS, PARTS, RULES, SIGNATURES, TABLES
from envguard.model.knowledge import Knowledge

if TYPE_CHECKING:
    from envguard.model.explanation import Explanation
    from envguard.model.signature import Signatures

COMPILED = "compiled.json"
_PATTERNS = {RULES: "EG*.yaml", TABLES: "*.yaml", CHECKS: "EG*.yaml", SIGNATURES: "*.yaml"}
_READERS = (
    "formats/strict_yaml.py",
    "formats/rules/*_yaml.py",
    "formats/tables/*.py",
    "model/version.py",
)


class RuleSet(Protocol):
    """Files by name, and what names their content: a compiled form of another content is not read."""

    @property
    def place(self) -> Path: ...

    def files(self, parts: Sequence[str] = PARTS) -> dict[str, bytes]:
        """Raises InputError for what cannot be read."""
        ...

    def compiled(self) -> tuple[str, str] | None:
        """The text that was compiled and the hash it has to be of; None where there is none."""
        ...


class RulesOnDisk:
    """Rules and tables as files: tables/*.yaml and EGnnn-slug.yaml in one directory."""

    def __init__(self, directory: Path) -> None:
        self.place = directory

    def files(self, parts: Sequence[str] = PARTS) -> dict[str, bytes]:
        return {
            path.relative_to(self.place).as_posix(): _bytes(path)
            for part in parts
            for path in sorted((self.place / part).glob(_PATTERNS[part]))
        }

    def compiled(self) -> tuple[str, str] | None:
        text = _text_or_none(self.place / COMPILED)
        return None if text is None else (text, self._hash)

    @cached_property
    def _hash(self) -> str:
        return with_readers(rule_set.digest_of(self.files((RULES, TABLES))))

    def load(self) -> Knowledge:
        """Raises InputError that names file, line and key of a mistake."""
        return rule_set.knowledge_of(self.files((RULES, TABLES)))

    def compile(self) -> Path:
        """Write the compiled form beside the files; returns its path."""
        path = self.place / COMPILED
        files.write_text(path, compiled_rules.dump(self.load(), of=self._hash))
        return path


class RulesInArchive:
    """The same in a zip. `sha256` is what the file has to be; raises InputError where it is not."""

    def __init__(self, archive: Path, sha256: str) -> None:
        self.place = archive
        self._content = _bytes(archive)
        self._sha256 = sha256
        if hashlib.sha256(self._content).hexdigest() != sha256:
            raise InputError(f"{archive} is not what was downloaded: its sha256 is another")

    def files(self, parts: Sequence[str] = PARTS) -> dict[str, bytes]:
        from envguard.formats.rules.rules_archive import unpack

        found = unpack(self._content, str(self.place))
        return {name: data for name, data in found.items() if name.rpartition("/")[0] in parts}

    def compiled(self) -> tuple[str, str] | None:
        text = _text_or_none(self.place.with_suffix(".json"))
        return None if text is None else (text, with_readers(self._sha256))


def knowledge_in(rules: RuleSet) -> Knowledge:
    """What a set knows. Raises InputError that names file, line and key of a mistake."""
    told = rules.compiled()
    known = None if told is None else compiled_rules.load(told[0], of=told[1])
    return known or rule_set.knowledge_of(rules.files((RULES, TABLES)))


def date_of(rules: RuleSet) -> str:
    """The day of the newest fact in a set; raises InputError as `knowledge_in`."""
    told = rules.compiled()
    date = None if told is None else compiled_rules.date(told[0], of=told[1])
    return date or knowledge_in(rules).date


def explanations_in(rules: RuleSet) -> tuple[Explanation, ...]:
    """What its built-in checks mean, by id; raises InputError that names file, line and key."""
    return rule_set.explanations_of(rules.files((CHECKS,)))


def signatures_in(rules: RuleSet) -> Signatures:
    """What is known of logs; raises InputError that names file, line and key of a mistake."""
    return rule_set.signatures_of(rules.files((SIGNATURES,)))


def with_readers(content: str) -> str:
    """The hash of a content and of the code that reads it: another reader may read it otherwise."""
    return hashlib.sha256(f"{content} {_hash_of_readers()}".encode()).hexdigest()


@cache
def _hash_of_readers() -> str:
    return rule_set.digest_of({path.name: _bytes(path) for path in readers()})


def readers() -> tuple[Path, ...]:
    """The files whose code makes knowledge of YAML."""
    package = Path(__file__).resolve().parent.parent
    return tuple(sorted({path for pattern in _READERS for path in package.glob(pattern)}))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error


def _text_or_none(path: Path) -> str | None:
    """A compiled form that is not there, or cannot be read, is none: the files say the same."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
