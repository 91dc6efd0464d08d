"""`check --fix`: the checked fixes of an environment.yml, applied one after the other and checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from envguard.cleaning.specs import written
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_edit import edited
from envguard.formats.environments.pip_lines import requirement_name
from envguard.model.channel import channel_name
from envguard.model.cleaning import Edits, Rewrite
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.report import Finding, Report, Status

Judge = Callable[[Environment], tuple[Report, ...]]
_BAD = (Status.FAIL, Status.WARN)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The text with what passed in it. `applied` are (rule, spec); `refused` those that did not pass."""

    text: str
    applied: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def fix(text: str, path: str, judge: Judge) -> Fixed:
    """Apply each fix that takes its finding away and brings no other; the rest is left as it is.

    Raises InputError for a file that cannot be read or edited.
    """
    applied: list[tuple[str, str]] = []
    refused: list[tuple[str, str]] = []
    while (better := _next(text, path, judge, refused)) is not None:
        text, step = better
        applied.append(step)
    told = dict.fromkeys(step for step in refused if step[0] not in {rule for rule, _ in applied})
    return Fixed(text, tuple(applied), tuple(told))


def _next(
    text: str, path: str, judge: Judge, refused: list[tuple[str, str]]
) -> tuple[str, tuple[str, str]] | None:
    """The text with one more fix, and which; None where none is left that passes."""
    environment = parse_environment(text, path)
    before = judge(environment)
    for finding in _fixable(before):
        for spec in finding.fix.specs if finding.fix is not None else ():
            if (finding.rule, spec) in refused:
                continue
            new = edited(text, environment, edits_for(environment, spec))
            if new != text and _passes(finding, before, judge(parse_environment(new, path))):
                return new, (finding.rule, spec)
            refused.append((finding.rule, spec))
    return None


def _fixable(reports: Sequence[Report]) -> Iterator[Finding]:
    for report in reports:
        yield from (f for f in report.open_findings if f.status in _BAD and f.fix is not None)


def _passes(finding: Finding, before: Sequence[Report], after: Sequence[Report]) -> bool:
    """Whether the finding is gone, and nothing is found that was not found before."""
    was, now = _found(before), _found(after)
    return _key(finding) not in now and now < was


def _found(reports: Sequence[Report]) -> set[tuple[str | None, ...]]:
    return {_key(f) for r in reports for f in r.open_findings if f.status in _BAD}


def _key(finding: Finding) -> tuple[str | None, ...]:
    return finding.rule, finding.target, finding.title, finding.status


def edits_for(environment: Environment, spec: str) -> Edits:
    """The lines of the package say `spec`, with their own channel and build; without one, one is added."""
    wanted = parse_match_spec(spec)
    lines = [x for x in environment.dependencies if parse_match_spec(x.spec).name == wanted.name]
    pip = [x for x in environment.pip if requirement_name(x.spec) == canonicalize_name(wanted.name)]
    plain = (wanted.version or "").startswith(("<", ">", "=", "!", "~"))
    if not lines and not (pip and plain):
        return Edits(dependencies=(written(wanted.name, wanted.version, wanted.build),))
    rewrites = [Rewrite(line, _said_anew(line, spec)) for line in lines]
    if plain:
        rewrites += [Rewrite(line, f"{wanted.name}{wanted.version}") for line in pip]
    return Edits(rewrites=tuple(rewrites))


def _said_anew(line: Dependency, spec: str) -> str:
    old, new = parse_match_spec(line.spec), parse_match_spec(spec)
    channel = new.channel or old.channel
    text = written(new.name, new.version, new.build or old.build)
    return f"{channel_name(channel)}::{text}" if channel is not None else text
