"""Where rules/ is, and what is in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from envguard.errors import InputError
from envguard.model.knowledge import Knowledge
from envguard.model.rule import Rule


def rules_directory() -> Path:
    """The rules that came with this envguard: in the wheel `envguard/_rules`, else the repository's.

    Raises InputError where neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_rules", package.parent / "rules"):
        if (place / "tables").is_dir():
            return place
    raise InputError(
        f"the rules are missing: neither {package / '_rules'} nor {package.parent / 'rules'}",
        hint="install envguard again: pip install --force-reinstall conda-envguard",
    )


@cache
def load() -> Knowledge:
    """Everything in `rules_directory()`, read once a process."""
    return RulesOnDisk(rules_directory()).load()


class RulesOnDisk:
    """Rules and tables as files: tables/*.yaml and EGnnn-slug.yaml in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self) -> Knowledge:
        """Raises InputError that names file, line and key of a mistake."""
        from envguard.formats.tables_yaml import knowledge_from, parse_tables

        paths = sorted((self.directory / "tables").glob("*.yaml"))
        knowledge = knowledge_from(parse_tables(_text(path), path.name) for path in paths)
        rules = self._rules()
        date = max([knowledge.date, *(rule.date for rule in rules)])
        return replace(knowledge, rules=rules, date=date)

    def _rules(self) -> tuple[Rule, ...]:
        from envguard.formats.rule_yaml import parse_rule

        paths = sorted(self.directory.glob("EG*.yaml"))
        rules = tuple(parse_rule(_text(path), path.name) for path in paths)
        for path, rule in zip(paths, rules, strict=True):
            if not path.name.startswith(f"{rule.id}-"):
                raise InputError(f"{path}: the file of {rule.id} is named {rule.id}-slug.yaml")
        return rules


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error
