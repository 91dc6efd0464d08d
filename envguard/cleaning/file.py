"""An environment.yml that somebody wrote or a program exported: what is to change in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envguard.cleaning.channels import DEFAULTS, clean_channel, clean_channels
from envguard.cleaning.pins import conda_pin, single_version
from envguard.cleaning.platforms import platform_notes, selector_of
from envguard.cleaning.specs import Known, clean_spec, written
from envguard.model.channel import channel_name
from envguard.model.cleaning import Edits, Pin, Policy, Rewrite
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.secrets import public_variables, redacted
from envguard.model.spec_facts import OnePlatform

_MANY = 10
_PATCH = re.compile(r"\d+\.\d+\.\d[\w.+!]*\Z")


def clean_file(
    environment: Environment,
    policy: Policy = Policy(),  # noqa: B008  frozen
    *,
    pypi_names: Mapping[str, str] | None = None,
    one_platform: Sequence[OnePlatform] = (),
) -> Edits:
    """What is to change so that others can use the file; what a person chose in it stays.

    No line is lost but one that is there twice, and a bare pip line that conda's package answers. Where a
    program wrote the list (`prefix:`, or many exact versions with nothing else), versions are by policy.
    """
    by_program = _by_program(environment, policy)
    rewrites, removals, behind = _conda(environment, policy, one_platform, by_program=by_program)
    of_pip, gone, told = _pip(environment, pypi_names or {})
    variables, secret = public_variables(environment.variables)
    channels = _channels(environment, policy)
    added = tuple(_added(environment))
    return Edits(
        rewrites=(*rewrites, *of_pip, *channels.rewrites),
        insertions=channels.insertions,
        removals=(*removals, *gone, *channels.removals),
        channels=channels.channels,
        dependencies=added,
        drop_prefix=environment.prefix is not None,
        drop_variables=secret,
        variables=tuple(
            (name, value)
            for name, value in variables.items()
            if value != environment.variables[name]
        ),
        notes=(
            *environment.notes,
            *platform_notes(behind),
            *told,
            *channels.notes,
            *(f"{name}: added, because there are pip packages" for name in added),
            *(f"variables: {name} looks like a secret and is left out" for name in secret),
        ),
    )


def _by_program(environment: Environment, policy: Policy) -> bool:
    """Whether a program listed what was installed: a prefix, or nothing but exact versions, and many."""
    if environment.prefix is not None:
        return True
    lines = {
        (clean_line(line.spec, policy, by_program=False), line.selector)
        for line in environment.dependencies
    }
    versions = [single_version(parse_match_spec(spec).version) for spec, _ in lines]
    exact = [version for version in versions if version is not None]
    patches = [version for version in exact if _PATCH.match(version)]
    return len(lines) >= _MANY and len(exact) == len(lines) and len(patches) * 2 >= len(lines)


def _conda(
    environment: Environment,
    policy: Policy,
    one_platform: Sequence[OnePlatform],
    *,
    by_program: bool,
) -> tuple[list[Rewrite], list[Dependency], list[tuple[str, str]]]:
    rewrites, removals, behind = [], [], []
    seen: set[tuple[str, str | None]] = set()
    for line in environment.dependencies:
        spec = clean_line(line.spec, policy, by_program=by_program)
        selector = None if line.selector else selector_of(spec, one_platform)
        key = (spec, line.selector or selector)
        if key in seen:
            removals.append(line)
            continue
        seen.add(key)
        if spec != line.spec or selector is not None:
            rewrites.append(Rewrite(line, spec, selector))
        if selector is not None:
            behind.append((spec, selector))
    return rewrites, removals, behind


def clean_line(text: str, policy: Policy, *, by_program: bool) -> str:
    """One spec of a file. What means the same is left as it is written."""
    spec = parse_match_spec(text)
    new = clean_spec(text, Known(), policy.pin)
    version = single_version(spec.version)
    if by_program and version is not None and spec.build is None and policy.pin is not Pin.EXACT:
        new = _with_channel(spec.channel, written(spec.name, conda_pin(version, policy.pin), None))
    if spec.channel is not None and channel_name(spec.channel) == DEFAULTS:
        new = f"{clean_channel(spec.channel, policy)}::{new.rpartition('::')[2]}"
    return redacted(text) if same(text, new) else new


def same(one: str, other: str) -> bool:
    """Whether two texts are the same query."""
    return replace(parse_match_spec(one), text="") == replace(parse_match_spec(other), text="")


def _with_channel(channel: str | None, spec: str) -> str:
    return f"{channel_name(channel)}::{spec}" if channel is not None else spec


def _pip(
    environment: Environment, pypi_names: Mapping[str, str]
) -> tuple[list[Rewrite], list[Dependency], list[str]]:
    """Credentials go, and what is there twice; a bare name that conda's package answers, too."""
    conda = {
        canonicalize_name(pypi_names.get(name, name))
        for line in environment.dependencies
        if line.selector is None
        for name in [parse_match_spec(line.spec).name]
    }
    rewrites, removals, notes = [], [], []
    seen: set[tuple[str, str | None]] = set()
    for line in environment.pip:
        name, key = _bare_name(line.spec), (redacted(line.spec), line.selector)
        if key in seen and not line.spec.startswith("-"):
            removals.append(line)
        elif name is not None and name in conda:
            removals.append(line)
            notes.append(f"pip's {line.spec}: left out, conda gives it")
        elif redacted(line.spec) != line.spec:
            rewrites.append(Rewrite(line, redacted(line.spec)))
        seen.add(key)
    return rewrites, removals, notes


def _bare_name(line: str) -> str | None:
    """The name that a line asks for in any version, without extras; None for every other line."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    said = (requirement.specifier, requirement.url, requirement.extras, requirement.marker)
    return None if any(said) else canonicalize_name(requirement.name)


def _added(environment: Environment) -> Iterator[str]:
    """pip packages need python and pip, whoever brings them by chance."""
    if not environment.pip:
        return
    names = {parse_match_spec(line.spec).name for line in environment.dependencies}
    yield from (name for name in ("python", "pip") if name not in names)


def _channels(environment: Environment, policy: Policy) -> Edits:
    """Each channel once and without credentials; `defaults` by policy."""
    rewrites, removals, seen = [], [], set()
    insertions: list[Rewrite] = []
    for written_, line in zip(environment.channels, environment.channel_lines, strict=True):
        clean = clean_channels([written_], policy) if channel_name(written_) == DEFAULTS else ()
        first, *more = clean or (_public(written_),)
        if first in seen:
            removals.append(line)
        elif first != written_:
            rewrites.append(Rewrite(line, first))
        insertions += [Rewrite(line, url) for url in reversed(more) if url not in seen]
        seen |= {first, *more}
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if not environment.channels:
        added = clean_channels([DEFAULTS], policy) if policy.defaults is not None else ()
        notes = () if added else (_NO_CHANNEL,)
    return Edits(
        rewrites=tuple(rewrites),
        insertions=tuple(insertions),
        removals=tuple(removals),
        channels=added,
        notes=notes,
    )


_NO_CHANNEL = (
    "the file names no channel: everybody gets those of their own configuration; name one, or write "
    "`--defaults conda-forge`"
)


def _public(channel: str) -> str:
    """The channel as it was written, where that gives nothing away."""
    return channel if redacted(channel) == channel else channel_name(channel)
