"""The rules themselves: which are in use, newer ones, and an archive of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.rule_archive import RulesInUse, RulesUpdate

RULES_URL_VARIABLE = "ENVGUARD_RULES_URL"


def rules_in_use() -> RulesInUse:
    """Date and place of the rules that answer, and why a downloaded set does not."""
    from envguard.adapters import rules

    return rules.in_use()


def rules_date(directory: Path | None = None) -> str:
    """The day of the newest fact in the rules, and in those of a folder."""
    if directory is None:
        return rules_in_use().date
    from envguard.adapters import rules

    return rules.with_rules_of(rules.load(), directory).date


def update_rules(
    url: str | None = None, *, allow_older: bool = False, dry_run: bool = False
) -> RulesUpdate:
    """Download newer rules, check all of them, and put them in use; `dry_run` writes nothing.

    `url` is that of an index; None = ENVGUARD_RULES_URL, else the project's newest release. Raises InputError
    for an older set (unless `allow_older`) or a URL that is not https, UnavailableError for what the
    outside does, and for rules in which something does not hold; then those that are here stay.
    """
    import os

    from envguard.adapters import downloads, rules, rules_store
    from envguard.commands import update_rules as commands
    from envguard.errors import InputError
    from envguard.model.rule_archive import INDEX_URL

    try:
        described = rules_store.described()
    except InputError:
        described = None  # `in_use` tells of it
    here = commands.Here(
        rules.in_use(), described.sha256 if described else None, rules.load_shipped()
    )
    done = commands.update_rules(
        url or os.environ.get(RULES_URL_VARIABLE) or INDEX_URL,
        here,
        fetch=downloads.fetch,
        keep=rules_store.keep,
        allow_older=allow_older,
        dry_run=dry_run,
    )
    rules.forget()
    return done


def pack_rules(folder: Path) -> tuple[Path, Path]:
    """Write the rules in use as an archive, and the index that `update_rules` reads, into `folder`.

    A folder that is not there is made. Returns both paths. The same rules make the same bytes. Raises
    UnavailableError; then no folder is left that was not there.
    """
    from envguard.adapters import files, rules
    from envguard.formats.rules import rules_archive
    from envguard.model.rule_archive import SCHEMA_VERSION

    date = rules.load().date
    content = rules_archive.pack(rules.rule_set().files())
    archive = folder / f"rules-v{SCHEMA_VERSION}-{date}.zip"
    index = folder / f"rules-v{SCHEMA_VERSION}.json"
    told = rules_archive.archive_of(content, date=date, url=archive.name)
    with files.made_folder(folder):
        files.write_bytes(archive, content)
        files.write_text(index, rules_archive.dump_index(told))
    return archive, index
