"""The rules in use: those that came with envguard, or newer ones that were downloaded."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.adapters import files, rules_store
from envguard.adapters.rule_sets import (
    RuleSet,
    RulesOnDisk,
    date_of,
    explanations_in,
    knowledge_in,
    signatures_in,
)
from envguard.errors import InputError
from envguard.formats.rules.rule_set import CHECKS
from envguard.model.knowledge import Knowledge
from envguard.model.rule_archive import RulesFrom, RulesInUse

if TYPE_CHECKING:
    from envguard.model.signature import Signatures


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


def load() -> Knowledge:
    """Everything that the rules in use know, read once a process."""
    return _in_use()[1]


def load_shipped() -> Knowledge:
    """What the rules that came with envguard know."""
    return knowledge_in(RulesOnDisk(rules_directory()))


def signatures() -> Signatures:
    """What is known of logs; of the shipped rules where those in use, an older set, have none."""
    found = signatures_in(rule_set())
    return found if found.signatures else signatures_in(RulesOnDisk(rules_directory()))


def in_use() -> RulesInUse:
    """Which rules `load` reads, and why not others."""
    return _in_use()[2]


def rule_set() -> RuleSet:
    """The rules in use, as files."""
    return _in_use()[0]


@cache
def _in_use() -> tuple[RuleSet, Knowledge, RulesInUse]:
    """The downloaded set where it is newer than the shipped one and whole, else the shipped one."""
    shipped = RulesOnDisk(rules_directory())
    problem = None
    try:
        found = rules_store.described()
        if found is not None and found.date > date_of(shipped):
            return _told(rules_store.downloaded(found), RulesFrom.UPDATE)
    except InputError as error:
        problem = (
            "the downloaded rules are broken, those that came with envguard are used: "
            f"{'; '.join((error.message, *error.problems[:1]))} (envguard rules update)"
        )
    return _told(shipped, RulesFrom.SHIPPED, problem)


def _told(
    rules: RuleSet, origin: RulesFrom, problem: str | None = None
) -> tuple[RuleSet, Knowledge, RulesInUse]:
    knowledge = knowledge_in(rules)
    return rules, knowledge, RulesInUse(knowledge.date, origin, str(rules.place), problem)


def forget() -> None:
    """Let the next `load` look again: another set was put in place."""
    _in_use.cache_clear()


def with_rules_of(knowledge: Knowledge, directory: Path) -> Knowledge:
    """The user's own rules after ours. Raises InputError for a mistake, and for an id of ours."""
    from envguard.formats.rules.rule_yaml import parse_rule

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
    from envguard.formats.rules.rule_yaml import parse_rule

    found: list[str] = []
    for path in sorted((*directory.glob("*.yaml"), *directory.glob("*.yml"))):
        try:
            parse_rule(files.read_text(path), str(path))
        except InputError as error:
            found += error.problems or (error.message,)
    return tuple(found)


def known_ids(knowledge: Knowledge) -> frozenset[str]:
    """Ids of rules and of the checks that are built in."""
    built_in = rule_set().files((CHECKS,))
    return frozenset(rule.id for rule in knowledge.rules) | {
        name.rpartition("/")[2].partition("-")[0] for name in built_in
    }


def ids_by_name(knowledge: Knowledge) -> dict[str, str]:
    """Ids by what they are called, in capitals: each id itself and the aliases."""
    told = [(one.id, one.aliases) for one in explanations_in(rule_set())]
    told += [(rule.id, rule.aliases) for rule in knowledge.rules]
    return {name.upper(): id_ for id_, aliases in told for name in (*aliases, id_)}
