"""Where rules/ is, and what is in it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from envguard.adapters import files
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


def with_rules_of(knowledge: Knowledge, directory: Path) -> Knowledge:
    """The user's own rules after ours. Raises InputError for a mistake, and for an id of ours."""
    from envguard.formats.rule_yaml import parse_rule

    paths = sorted((*directory.glob("*.yaml"), *directory.glob("*.yml")))
    if not paths:
        raise InputError(
            f"--rules {directory}: no rule there",
            hint="one rule a file, NAME.yaml; `envguard rules lint --rules DIR` tells its mistakes",
        )
    taken = {rule.id: "envguard" for rule in knowledge.rules}
    rules = []
    for path in paths:
        rule = parse_rule(files.read_text(path), str(path))
        if rule.id.startswith("EG") or rule.id in taken:
            raise InputError(
                f"{path}: id: {rule.id} is taken by {taken.get(rule.id, 'envguard')}",
                hint="an id of your own, such as SITE001; EG is envguard's",
            )
        taken[rule.id] = path.name
        rules.append(rule)
    date = max(knowledge.date, *(rule.date for rule in rules))
    return replace(knowledge, rules=(*knowledge.rules, *rules), date=date)


def mistakes_in(directory: Path) -> tuple[str, ...]:
    """Every mistake in the rule files of a folder, as `file:line: key: what`."""
    from envguard.formats.rule_yaml import parse_rule

    found: list[str] = []
    for path in sorted((*directory.glob("*.yaml"), *directory.glob("*.yml"))):
        try:
            parse_rule(files.read_text(path), str(path))
        except InputError as error:
            found += error.problems or (error.message,)
    return tuple(found)


def known_ids(knowledge: Knowledge) -> frozenset[str]:
    """Ids of rules and of the checks that are built in."""
    built_in = (rules_directory() / "checks").glob("EG*.yaml")
    return frozenset(rule.id for rule in knowledge.rules) | {
        path.name.partition("-")[0] for path in built_in
    }


class RulesOnDisk:
    """Rules and tables as files: tables/*.yaml and EGnnn-slug.yaml in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self) -> Knowledge:
        """Raises InputError that names file, line and key of a mistake."""
        from envguard.formats.tables_yaml import knowledge_from, parse_tables
        from envguard.formats.yaml_reader import collector_paused

        paths = sorted((self.directory / "tables").glob("*.yaml"))
        with collector_paused():
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
