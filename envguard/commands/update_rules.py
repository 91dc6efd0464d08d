"""`rules update`: newer rules from the web, only where all of them hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urljoin

from envguard.checks.rule_examples import failed_examples
from envguard.checks.signatures import failed_signature_examples
from envguard.errors import InputError, UnavailableError
from envguard.formats.rules import rule_set
from envguard.formats.rules.rules_archive import MAX_INDEX_BYTES, parse_index, unpack
from envguard.model.knowledge import Knowledge
from envguard.model.rule_archive import RuleArchive, RulesFrom, RulesInUse, RulesUpdate
from envguard.model.secrets import without_credentials

Fetch = Callable[[str, int], bytes]
"""What lies at a URL, at most so many bytes; raises UnavailableError."""

Keep = Callable[[RuleArchive, bytes, Knowledge], Path]
"""Puts a set in use, whole or not at all; returns its path."""

_STAYS = "the rules that are here stay in use; tell whoever keeps that index"


@dataclass(frozen=True, slots=True)
class Here:
    """What is here: the rules in use, the hash of the downloaded ones, and what the shipped ones know."""

    in_use: RulesInUse
    sha256: str | None
    shipped: Knowledge


def update_rules(
    index_url: str,
    here: Here,
    *,
    fetch: Fetch,
    keep: Keep,
    allow_older: bool = False,
    dry_run: bool = False,
) -> RulesUpdate:
    """Look at the index, and put its set in use where it is newer and every file, row and example of it
    holds. Raises InputError for an older one, UnavailableError for everything that the outside does."""
    where = without_credentials(index_url)
    archive = _index(fetch(index_url, MAX_INDEX_BYTES), where)
    if not _is_news(archive, here, allow_older=allow_older):
        return RulesUpdate(where, here.in_use, archive, changed=False, dry_run=dry_run)
    url = urljoin(index_url, archive.url)
    content = fetch(url, archive.size_bytes)
    knowledge = _checked(content, archive, here.shipped, without_credentials(url))
    path = None if dry_run else str(keep(archive, content, knowledge))
    return RulesUpdate(where, here.in_use, archive, changed=True, dry_run=dry_run, path=path)


def _index(content: bytes, where: str) -> RuleArchive:
    try:
        return parse_index(content.decode("utf-8", errors="replace"), where)
    except InputError as error:
        raise _not_taken(error) from error


def _is_news(found: RuleArchive, here: Here, *, allow_older: bool) -> bool:
    """Whether it would be another set; raises InputError for an older one."""
    now = here.in_use
    if found.date == now.date:
        return now.origin is RulesFrom.UPDATE and found.sha256 != here.sha256
    if found.date > now.date:
        return True
    said = f"the rules there are of {found.date}, older than those in use ({now.date})"
    if found.date <= here.shipped.date:
        raise InputError(
            f"{said} and no newer than those that came with envguard, which are used then",
            hint="for older rules install an older envguard",
        )
    if not allow_older:
        raise InputError(said, hint="to go back to them: envguard rules update --allow-older")
    return True


def _checked(content: bytes, archive: RuleArchive, shipped: Knowledge, where: str) -> Knowledge:
    """What the set knows; raises UnavailableError unless it is what was promised, and whole."""
    got = hashlib.sha256(content).hexdigest()
    if got != archive.sha256:
        raise UnavailableError(
            f"{where} is not what its index says: sha256 expected {archive.sha256}, got {got} "
            f"({len(content):,} of {archive.size_bytes:,} bytes)",
            hint="try again; if it stays so, " + _STAYS,
        )
    try:
        files = unpack(content, where)
        knowledge = rule_set.knowledge_of(files)
        rule_set.explanations_of(files)
        signatures = rule_set.signatures_of(files)
    except InputError as error:
        raise _not_taken(error) from error
    examples = failed_signature_examples(signatures.signatures)
    if wrong := (*_wrong(knowledge, archive, shipped), *examples):
        raise UnavailableError(f"{where} is not taken", problems=wrong, hint=_STAYS)
    return knowledge


def _wrong(knowledge: Knowledge, archive: RuleArchive, shipped: Knowledge) -> Iterator[str]:
    """What the files one by one do not show: a set that knows less would pass what these rules find."""
    if knowledge.date != archive.date:
        yield f"its newest fact is of {knowledge.date}, and its index says {archive.date}"
    for field in fields(Knowledge):
        if getattr(shipped, field.name) and not getattr(knowledge, field.name):
            yield f"it has no {field.name}"
    yield from failed_examples(knowledge.rules, knowledge)


def _not_taken(error: InputError) -> UnavailableError:
    """The files of others are no input of the user's."""
    return UnavailableError(error.message, problems=error.problems, hint=error.hint or _STAYS)
