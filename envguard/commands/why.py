"""`why`: what is this rule, why is this package here, what is known of this spec?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from packaging.utils import canonicalize_name

from envguard.checks.build_choice import build_in_words, other_builds
from envguard.checks.case import Case
from envguard.checks.dependency_chain import DependencyGraph
from envguard.checks.environment import judge_environment
from envguard.checks.spec_knowledge import differences, spec_cuda, tabled_builds
from envguard.checks.torch_build import torch_build
from envguard.commands.why_places import Place
from envguard.errors import InputError
from envguard.model.conda import MatchSpec, parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.explanation import (
    Answer,
    Explanation,
    PackageAnswer,
    PackageAnswers,
    SpecAnswer,
    SpecRecord,
    explanation_of,
)
from envguard.model.knowledge import Knowledge
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.rule import AllOf, AnyOf, Condition, HasPackage, Mispaired, Not
from envguard.model.target import Target

_ID = re.compile(r"eg\d+", re.IGNORECASE)
_TOLD = (Status.FAIL, Status.UNKNOWN, Status.WARN)
_DEFAULT_CHANNEL = "conda-forge"
_NOT_ABOUT_THE_SPEC = ("EG601",)  # "not locked yet" is true of every spec


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer may draw on. `subject` None = no lock and no environment was looked at."""

    explanations: tuple[Explanation, ...]
    knowledge: Knowledge
    subject: str | None = None
    places: tuple[Place, ...] = ()
    targets: tuple[Target, ...] = ()
    """For specs: the machines in question."""


def all_explanations(
    built_in: Sequence[Explanation], knowledge: Knowledge
) -> tuple[Explanation, ...]:
    """Checks and rules, by id."""
    rules = (explanation_of(rule) for rule in knowledge.rules)
    return tuple(sorted((*built_in, *rules), key=lambda explanation: explanation.id))


def explain_rule(what: str, explanations: Sequence[Explanation]) -> Explanation | None:
    """What an id or an alias means, in any case; None = `what` is neither.

    Raises InputError with the nearest id for one that does not exist.
    """
    said = what.strip().lower()
    for explanation in explanations:
        if said in (explanation.id.lower(), *(alias.lower() for alias in explanation.aliases)):
            return explanation
    if _ID.fullmatch(said):
        near = _nearest_id(said.upper(), [explanation.id for explanation in explanations])
        raise InputError(f"there is no rule {said.upper()}", hint=f"the nearest is {near}")
    return None


def _nearest_id(said: str, ids: Sequence[str]) -> str:
    """The id that looks most like it, and of several the one with the nearest number."""
    number = int(said[2:])
    return min(ids, key=lambda known: (_unlike(said, known), abs(int(known[2:]) - number)))


def _unlike(one: str, other: str) -> float:
    return -difflib.SequenceMatcher(None, one, other).ratio()


def parse_question(what: str) -> MatchSpec:
    """A package name or a spec; raises InputError for what is no MatchSpec."""
    try:
        return parse_match_spec(what)
    except ValueError as error:
        raise InputError(
            f"{what!r} is no rule id, no package and no MatchSpec: {error}",
            hint="envguard why EG201, envguard why libcudnn, envguard why 'pytorch 2.8.* *cuda118*'",
        ) from error


def is_package(spec: MatchSpec) -> bool:
    """Whether only a name was given: the question then is about the package that is here."""
    return (spec.version, spec.build, spec.channel) == (None, None, None)


def answer(what: str, spec: MatchSpec, ground: Ground) -> Answer:
    """What is known of a package or a spec; raises InputError for a package nobody knows."""
    if is_package(spec):
        return explain_package(spec.name, ground)
    return explain_spec(replace(spec, text=what.strip()), ground)


def explain_package(name: str, ground: Ground) -> PackageAnswers:
    """Every record of that name; raises InputError where neither records nor rules have it."""
    found = [answer for place in ground.places for answer in _in_place(name, place, ground)]
    rules = tuple(
        explanation_of(rule) for rule in ground.knowledge.rules if _names(rule.when, name)
    )
    if not found and not rules:
        raise _unknown_package(name, ground)
    return PackageAnswers(name, ground.subject, _merged(found), rules)


def _in_place(name: str, place: Place, ground: Ground) -> Iterator[PackageAnswer]:
    pypi = ground.knowledge.pypi_names
    named = [record for record in place.records if _is_named(record, name, pypi)]
    if not named:
        return
    graph = DependencyGraph(place.records, place.asked, pypi)
    torch = torch_build(place.records, place.subdir, ground.knowledge)
    for record in named:
        is_torch = torch is not None and torch.record == record
        yield PackageAnswer(
            record=record,
            subdirs=(place.subdir,),
            asked=graph.asked_for(record),
            chains=graph.chains_to(record),
            build=build_in_words(record, torch, place.subdir, ground.knowledge),
            others=other_builds(_with_machines(place.cases)) if is_torch else (),
            findings=tuple(f for f in place.findings if _is_about(f, record)),
            targets=tuple(case.target.name for case in place.cases),
        )


def _with_machines(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The machines of which something is known that a build could be chosen by."""
    return tuple(case for case in cases if case.cards or case.driver is not None)


def _is_about(finding: Finding, record: PackageRecord) -> bool:
    return finding.status in _TOLD and record in finding.packages


def _is_named(record: PackageRecord, name: str, pypi_names: Mapping[str, str]) -> bool:
    """Whether it goes by that name on conda's side or on PyPI's, in PyPI's spelling."""
    ours = (record.name, pypi_names.get(record.name, record.name))
    return canonicalize_name(name) in map(canonicalize_name, ours)


def _merged(answers: Sequence[PackageAnswer]) -> tuple[PackageAnswer, ...]:
    """The same package for the same reasons on several platforms is told once."""
    merged: list[PackageAnswer] = []
    for one in answers:
        for index, other in enumerate(merged):
            if replace(one, subdirs=other.subdirs) == other:
                merged[index] = replace(other, subdirs=(*other.subdirs, *one.subdirs))
                break
        else:
            merged.append(one)
    return tuple(merged)


def _names(condition: Condition, name: str) -> bool:
    """Whether a rule's condition names the package; a bare `*` names none."""
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            return any(_names(inner, name) for inner in conditions)
        case Not(inner):
            return _names(inner, name)
        case HasPackage(names=names):
            return any(glob != "*" and fnmatchcase(name, glob) for glob in names)
        case Mispaired(package):
            return package == name
        case _:
            return False


def _unknown_package(name: str, ground: Ground) -> InputError:
    if ground.subject is None:
        return InputError(
            f"no rule speaks of {name}, and there is no lock and no environment here to find it in",
            hint=f"name one: envguard why {name} --lock FILE, -p PREFIX or -n NAME",
        )
    known = sorted({record.name for place in ground.places for record in place.records})
    aliases = [alias for explanation in ground.explanations for alias in explanation.aliases]
    near = difflib.get_close_matches(name, [*known, *aliases], n=3)
    return InputError(
        f"{ground.subject} has no package {name} ({len(known)} packages), and no rule speaks of it",
        hint=f"did you mean {' or '.join(near)}?" if near else None,
    )


def explain_spec(spec: MatchSpec, ground: Ground) -> SpecAnswer:
    """Which records match it, which builds are tabled for it, and what the checks say of it."""
    subdirs = [place.subdir for place in ground.places] or [t.subdir for t in ground.targets]
    cuda = spec_cuda(spec)
    return SpecAnswer(
        spec=spec.text,
        subject=ground.subject,
        records=tuple(_spec_records(spec, ground.places)),
        tabled=tabled_builds(spec, subdirs, ground.knowledge),
        cuda=None if cuda is None else str(cuda),
        findings=tuple(_spec_findings(spec, ground)),
    )


def _spec_records(spec: MatchSpec, places: Sequence[Place]) -> Iterator[SpecRecord]:
    found: dict[PackageRecord, list[str]] = {}
    for place in places:
        for record in place.records:
            if canonicalize_name(record.name) == canonicalize_name(spec.name):
                found.setdefault(record, []).append(place.subdir)
    for record, subdirs in found.items():
        yield SpecRecord(record, tuple(subdirs), differences(spec, record))


def _spec_findings(spec: MatchSpec, ground: Ground) -> Iterator[Finding]:
    """What `check` would say of an environment.yml with this one line."""
    line = Dependency(spec.text)
    is_pip = spec.name in ground.knowledge.pypi_names.values() or "+" in (spec.version or "")
    asked = Environment(
        channels=(spec.channel or _DEFAULT_CHANNEL,),
        dependencies=() if is_pip else (line,),
        pip=(line,) if is_pip else (),
    )
    for target in ground.targets:
        for finding in judge_environment(asked, target, ground.knowledge):
            if finding.status in _TOLD and finding.rule not in _NOT_ABOUT_THE_SPEC:
                yield replace(finding, location=None, target=finding.target or target.name)
