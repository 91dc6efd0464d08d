"""One rule a file: rules/EGnnn-slug.yaml to Rule."""

from __future__ import annotations

import re
from functools import partial

from envguard.formats.strict_yaml import Keys, as_pattern, as_text, read_keys
from envguard.model import rule as model
from envguard.model.report import Status
from envguard.model.rule import FACTS, PARTS, Condition, Rule, RuleExample

_COMPARISON = re.compile(rf"(>=|<=|==|>|<)\s*(\d+(?:\.\d+)*|{'|'.join(FACTS)})\Z")
_NOTHING: Condition = model.AnyOf(())
RULE_ID = r"[A-Z][A-Z0-9]{1,11}\d{3}"
_as_id = as_pattern(RULE_ID, "an id such as EG301, or SITE001 for a rule of your own")
_as_date = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


def parse_rule(text: str, where: str) -> Rule:
    """Read one rule file; raises InputError whose `problems` are `file:line: key: what`."""
    return read_keys(text, where, _rule)


def _rule(keys: Keys) -> Rule:
    fix_text, fix_specs = _fix(keys)
    rule = Rule(
        id=keys.read("id", _as_id, ""),
        title=keys.text("title"),
        status=Status.FAIL if keys.choice("status", ("warn", "fail")) == "fail" else Status.WARN,
        when=_when(keys),
        symptom=keys.text("symptom"),
        cause=keys.text("cause"),
        fix=fix_text,
        fix_specs=fix_specs,
        sources=keys.texts("sources"),
        confidence=keys.choice("confidence", ("high", "medium", "low")),
        date=keys.read("date", _as_date, ""),
        aliases=keys.texts("aliases"),
        explains=keys.texts("explains"),
        lint=keys.flag("lint"),
        examples=tuple(_example(row) for row in keys.rows("examples")),
    )
    if not rule.sources:
        keys.problem("sources", "at least one is needed")
    if not {"yes", "no"} <= {example.finds for example in rule.examples}:
        keys.problem("examples", "at least one that finds (yes) and one that does not (no)")
    return rule


def _fix(keys: Keys) -> tuple[str, tuple[str, ...]]:
    inside = keys.keys("fix")
    if inside is None:
        keys.problem("fix", "is missing")
        return "", ()
    text, specs = inside.text("text"), inside.texts("specs")
    inside.done()
    return text, specs


def _when(keys: Keys) -> Condition:
    inside = keys.keys("when")
    if inside is None:
        keys.problem("when", "is missing")
        return _NOTHING
    return _condition(inside)


def _condition(keys: Keys) -> Condition:
    """Several keys in one mapping all have to hold."""
    parts = [*_combined(keys), *_package_conditions(keys), *_fact_conditions(keys)]
    if not parts:
        keys.problem(None, "an empty condition: name a package, a fact, all, any or not")
    keys.done()
    return parts[0] if len(parts) == 1 else model.AllOf(tuple(parts))


def _combined(keys: Keys) -> list[Condition]:
    found: list[Condition] = []
    if keys.has("all"):
        found.append(model.AllOf(tuple(_condition(row) for row in keys.rows("all"))))
    if keys.has("any"):
        found.append(model.AnyOf(tuple(_condition(row) for row in keys.rows("any"))))
    for word in ("not", "missing"):
        inside = keys.keys(word)
        if inside is not None:
            found.append(model.Not(_condition(inside)))
    return found


def _package_conditions(keys: Keys) -> list[Condition]:
    found: list[Condition] = []
    package = keys.keys("package")
    if package is not None:
        found.append(
            model.HasPackage(
                names=package.texts("name"),
                version=package.maybe("version"),
                build=package.maybe("build"),
                channel=package.maybe("channel"),
                manager=package.maybe("manager"),
                file=package.maybe("file"),
            )
        )
        package.done()
    found += _relations(keys)
    if keys.has("pair_table"):
        found.append(model.Mispaired(keys.text("pair_table")))
    if keys.has("cuda_majors"):
        found.append(model.TwoCudaMajors(keys.texts("cuda_majors")))
    if keys.has("channels_contain"):
        found.append(model.ChannelUsed(keys.text("channels_contain")))
    if keys.flag("default_wheel"):
        found.append(model.DefaultWheel())
    return found


def _relations(keys: Keys) -> list[Condition]:
    found: list[Condition] = []
    differ = keys.keys("differ")
    if differ is not None:
        names = differ.texts("packages")
        if len(names) != 2:
            differ.problem("packages", "two names are expected")
        first, second = (*names, "", "")[:2]
        found.append(model.Differ(first, second, differ.choice("part", PARTS)))
        differ.done()
    ranges = keys.keys("ranges")
    if ranges is not None:
        rows = ranges.texts_by_name("takes")
        found.append(
            model.OutOfRange(ranges.texts("of"), ranges.texts("partner"), tuple(rows.items()))
        )
        ranges.done()
    if keys.has("built_for_torch"):
        found.append(model.BuiltForOtherTorch(keys.texts("built_for_torch")))
    return found


def _fact_conditions(keys: Keys) -> list[Condition]:
    found: list[Condition] = []
    if keys.has("platform"):
        found.append(model.PlatformIs(keys.texts("platform")))
    if keys.has("cpu_flag"):
        found.append(model.CpuHas(keys.text("cpu_flag")))
    if keys.flag("container"):
        found.append(model.InContainer())
    if keys.flag("mig"):
        found.append(model.MigSlice())
    if keys.has("user_site"):
        found.append(model.UserSite(keys.texts("user_site")))
    variables = keys.texts_by_name("env")
    found += [model.Variable(name, pattern) for name, pattern in variables.items()]
    for fact in FACTS:
        comparison = keys.optional(fact, partial(_compare, fact))
        if comparison is not None:
            found.append(comparison)
    return found


def _compare(fact: str, value: object) -> model.Compare:
    match = _COMPARISON.match(as_text(value))
    if match is None:
        raise ValueError(f"{value!r} is no comparison such as '>=13.0'")
    return model.Compare(fact, match[1], match[2])


def _example(row: Keys) -> RuleExample:
    example = RuleExample(
        packages=row.texts("packages"),
        finds=row.choice("finds", ("yes", "no", "unknown")),
        subdir=row.text("subdir", "linux-64"),
        machine=row.texts_by_name("machine"),
        channels=row.texts("channels"),
        user_site=row.texts("user_site") if row.has("user_site") else None,
    )
    row.done()
    return example
