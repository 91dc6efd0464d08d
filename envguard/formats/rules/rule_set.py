"""A set of rules, as files by name, to what it knows: `EGnnn-slug.yaml`, `tables/*.yaml`, `checks/*.yaml`,
`signatures/*.yaml`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from envguard.errors import InputError
from envguard.formats.yaml_reader import collector_paused
from envguard.model.knowledge import Knowledge
from envguard.model.rule import Rule

if TYPE_CHECKING:
    from envguard.model.explanation import Explanation
    from envguard.model.signature import Signatures

RULES, TABLES, CHECKS, SIGNATURES = "", "tables", "checks", "signatures"
PARTS = (RULES, TABLES, CHECKS, SIGNATURES)


def knowledge_of(files: Mapping[str, bytes]) -> Knowledge:
    """Tables and rules, in the order of their names; raises InputError that names file, line and key."""
    from envguard.formats.tables.tables_yaml import knowledge_from, parse_tables

    with collector_paused():
        tables = (parse_tables(text, _last(name)) for name, text in _texts(files, TABLES))
        knowledge = knowledge_from(tables)
        rules = tuple(_rules(files))
    date = max([knowledge.date, *(rule.date for rule in rules)])
    return replace(knowledge, rules=rules, date=date)


def _rules(files: Mapping[str, bytes]) -> Iterator[Rule]:
    from envguard.formats.rules.rule_yaml import parse_rule

    for name, text in _texts(files, RULES):
        rule = parse_rule(text, name)
        _refuse_misnamed(name, rule.id)
        yield rule


def explanations_of(files: Mapping[str, bytes]) -> tuple[Explanation, ...]:
    """What the built-in checks mean, by id; raises InputError that names file, line and key."""
    from envguard.formats.rules.explanation_yaml import parse_explanation

    found = []
    for name, text in _texts(files, CHECKS):
        explanation = parse_explanation(text, _last(name))
        _refuse_misnamed(_last(name), explanation.id)
        found.append(explanation)
    return tuple(found)


def signatures_of(files: Mapping[str, bytes]) -> Signatures:
    """What is known of logs, file by file; raises InputError that names file, line and key."""
    from envguard.formats.rules.signature_yaml import parse_signatures
    from envguard.model.signature import Signatures

    read = [parse_signatures(text, _last(name)) for name, text in _texts(files, SIGNATURES)]
    found = tuple(signature for part in read for signature in part.signatures)
    ids = [signature.id for signature in found]
    twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
    if twice:
        raise InputError(f"signatures: {', '.join(twice)} are there twice")
    return Signatures(found, tuple(code for part in read for code in part.codes))


def digest_of(files: Mapping[str, bytes]) -> str:
    """sha256 of all names and contents, whatever their order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _texts(files: Mapping[str, bytes], part: str) -> Iterator[tuple[str, str]]:
    for name in sorted(files):
        if name.rpartition("/")[0] == part:
            yield name, _text(files[name], name)


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{name}:{line}: not UTF-8") from error


def _refuse_misnamed(name: str, id_: str) -> None:
    if not name.startswith(f"{id_}-"):
        raise InputError(f"{name}: the file of {id_} is named {id_}-slug.yaml")


def _last(name: str) -> str:
    return name.rpartition("/")[2]
