"""An environment.yml judged by its lines: what pins decide, and what only a lock can."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from envguard.checks.case import Case, case_of
from envguard.checks.judgement import judge
from envguard.checks.lint import lint_environment
from envguard.checks.lint_builds import check_builds
from envguard.checks.lint_channels import check_channels
from envguard.checks.lint_pythons import check_pythons
from envguard.checks.lint_specs import check_specs
from envguard.checks.places import place
from envguard.checks.requests import (
    asks_for_gpu,
    conda_lines,
    may_ask_for_gpu,
    pip_lines,
    unreadable_lines,
)
from envguard.model.channel import channel_name
from envguard.model.conda import parse_match_spec, version_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Location, Status
from envguard.model.target import Target

_EXACT = re.compile(r"={0,2}\s*(\d+(?:\.\d+)+)(?:\.\*)?\Z")
_PIP_EXACT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*==\s*([0-9][^\s;,#*]*)\s*(?:;.*|#.*)?\Z")
_ANY = "*"
_FROZEN = "EG403"


def judge_environment(
    environment: Environment,
    target: Target,
    knowledge: Knowledge,
    *,
    exists: Callable[[str, str], bool] | None = None,
    lint: bool = False,
) -> tuple[Finding, ...]:
    """What its pins and channels decide, and one finding about the rest.

    `exists` tells whether the file of a `-r FILE` line is there; None = nobody looks.
    """
    here = environment.for_subdir(target.subdir)
    lines = dict(_pins(here))
    case = _case(here, target, knowledge, tuple(lines))
    decided = [
        replace(finding, location=_location(finding, lines, here))
        for finding in judge(case, target)
        if finding.status in (Status.FAIL, Status.WARN)
    ]
    judged = {finding.rule for finding in decided}
    written = (
        *(f for f in check_builds(here, target, knowledge) if f.rule not in judged),
        *check_pythons(here, target, knowledge),
        *check_channels(here, target),
        *check_specs(here, knowledge, exists=exists),
        *(lint_environment(here, knowledge) if lint else ()),
    )
    named = (replace(finding, target=target.name) for finding in written)
    rest = _undecided(here, target, knowledge)
    return (*decided, *_unreleased(here, knowledge), *named, rest)


def _case(
    environment: Environment,
    target: Target,
    knowledge: Knowledge,
    records: tuple[PackageRecord, ...],
) -> Case:
    return case_of(
        target,
        records,
        knowledge,
        channels=tuple(map(channel_name, environment.channels)),
        complete=False,
        variables=environment.variables or None,
    )


def _pins(environment: Environment) -> Iterator[tuple[PackageRecord, Dependency]]:
    """Lines that name one version, or a build that says CPU or CUDA, as if they were packages."""
    for line, name, build in conda_lines(environment):
        spec = parse_match_spec(line.spec)
        exact = _EXACT.match(spec.version or "")
        named_build = (build or "").strip("*^$")
        if exact or named_build:
            version = exact[1] if exact else _ANY
            yield (
                PackageRecord(
                    name, version, build=named_build or None, channel=_named(spec.channel)
                ),
                line,
            )
    if any(line.spec.lstrip().startswith("-") for line in environment.pip):
        return  # an index of its own: versions alone do not say which wheels these are
    for line, pip_name in pip_lines(environment):
        match = _PIP_EXACT.match(line.spec)
        if match and pip_name:
            yield PackageRecord(pip_name, match[2], manager=Manager.PIP), line


def _location(
    finding: Finding, lines: dict[PackageRecord, Dependency], environment: Environment
) -> Location | None:
    for record in finding.packages:
        line = lines.get(record)
        if line is not None:
            return place(environment, line, part=record.build)
    return Location(environment.path) if environment.path else None


def _unreleased(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """EG403 as a failure: a version that the frozen channel never got."""
    frozen = {row.package: row for row in knowledge.frozen_packages}
    for line, name, _ in conda_lines(environment):
        row, spec = frozen.get(name), parse_match_spec(line.spec)
        if (
            row is None
            or spec.version is None
            or not _only_from(row.channel, spec.channel, environment)
        ):
            continue
        if any(version_matches(version, spec.version) for version in row.versions):
            continue
        yield Finding(
            _FROZEN,
            Status.FAIL,
            f"the {row.channel} channel has no {name} {spec.version}: {row.versions[-1]} is its last",
            symptom='"PackagesNotFoundError"',
            location=place(environment, line),
            fix=Fix(f"conda-forge::{name}"),
            sources=(row.origin.source,),
        )


def _only_from(channel: str, written: str | None, environment: Environment) -> bool:
    """Whether a line can be had from that channel alone."""
    if written is not None:
        return _named(written) == channel
    channels = set(map(channel_name, environment.channels))
    return channel in channels and channels <= {channel, "nvidia", "nodefaults"}


def _named(channel: str | None) -> str | None:
    return None if channel is None else channel_name(channel)


def _undecided(environment: Environment, target: Target, knowledge: Knowledge) -> Finding:
    """EG601: whether a lock is needed to say more."""
    asking = asks_for_gpu(environment, knowledge) or may_ask_for_gpu(environment, knowledge)
    decides = "which build of {!r} it gets" if asking else "what {!r} brings"
    asking = asking or unreadable_lines(environment)
    if not asking:
        return Finding("EG601", Status.PASS, "nothing in it depends on a GPU", target=target.name)
    first = asking[0]
    return Finding(
        "EG601",
        Status.UNKNOWN,
        f"not locked yet: {decides.format(first.spec)} decides",
        message="an environment.yml names packages, not builds; only a lock can be judged in full",
        target=target.name,
        location=place(environment, first),
        fix=Fix(f"envguard lock{_for(target)}, then check the lock"),
    )


def _for(target: Target) -> str:
    return f" --for {target.name}" if target.given else ""
