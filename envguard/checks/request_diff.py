"""An environment.yml against packages, or against another one: line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement

from envguard.checks.lock_lines import unmet_lines
from envguard.checks.lock_pip_lines import LockedPip, pip_findings
from envguard.model.channel import ChannelNames
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.lock_diff import RequestChange, RequestKind
from envguard.model.package import Manager
from envguard.model.relock import canonical_name
from envguard.model.report import Finding, Status
from envguard.model.secrets import public_variables, redacted

Decides = Callable[[Manager, str], bool]


def unmet_requests(
    environment: Environment, locked: LockedPip, *, decides: Decides, installed: bool
) -> Iterator[RequestChange]:
    """The lines that the packages of a platform do not meet: `old` is the line, `new` what is there.

    With `installed` nobody recorded the lines that were asked for: what only they could say is undecided.
    """
    for finding in unmet_lines(environment, locked.subdir, locked.records, ChannelNames()):
        name = _conda_name(finding.title)
        gpu = decides(Manager.CONDA, name)
        yield _unmet(finding, locked.subdir, RequestKind.CONDA, gpu=gpu)
    # what is no longer asked for is no line of this file
    lines = {redacted(line.spec).strip() for line in environment.for_subdir(locked.subdir).pip}
    for finding in pip_findings(environment, replace(locked, recorded=locked.recorded or None)):
        if not any(line.startswith(finding.title) for line in lines):
            continue
        pip_name = _pip_name(finding.title)
        change = _unmet(
            finding,
            locked.subdir,
            RequestKind.PIP,
            gpu=pip_name is not None and decides(Manager.PIP, pip_name),
        )
        unsaid = installed and pip_name is None
        yield replace(change, new=None, undecided=True) if unsaid else change


def changed_requests(
    old: Environment, new: Environment, *, decides: Decides
) -> Iterator[RequestChange]:
    """Lines that one of the files has alone, or has otherwise; channels in their order; variables."""
    yield from _changed(
        _by_name(old.dependencies, _conda_name), _by_name(new.dependencies, _conda_name),
        RequestKind.CONDA, lambda name: decides(Manager.CONDA, name),
    )  # fmt: skip
    yield from _changed(
        _by_name(old.pip, _pip_key), _by_name(new.pip, _pip_key),
        RequestKind.PIP, lambda name: decides(Manager.PIP, name),
    )  # fmt: skip
    had, has = (", ".join(map(redacted, each.channels)) for each in (old, new))
    if had != has:
        yield RequestChange(RequestKind.CHANNELS, had or None, has or None, gpu=True)
    before, after = (public_variables(each.variables)[0] for each in (old, new))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            was, now = (f"{name}={v}" if (v := side.get(name)) is not None else None
                        for side in (before, after))  # fmt: skip
            yield RequestChange(RequestKind.VARIABLE, was, now)


def _unmet(finding: Finding, subdir: str, kind: RequestKind, *, gpu: bool) -> RequestChange:
    return RequestChange(
        kind,
        finding.title,
        finding.have,
        subdir=subdir,
        gpu=gpu,
        undecided=finding.status is Status.UNKNOWN,
    )


def _changed(
    old: dict[str, str], new: dict[str, str], kind: RequestKind, decides: Callable[[str], bool]
) -> Iterator[RequestChange]:
    for key in [*old, *(key for key in new if key not in old)]:
        if old.get(key) != new.get(key):
            gpu = decides(key) or any("cuda" in (side.get(key) or "") for side in (old, new))
            yield RequestChange(kind, old.get(key), new.get(key), gpu=gpu)


def _by_name(lines: Sequence[Dependency], name_of: Callable[[str], str]) -> dict[str, str]:
    """All lines of a name, with their selectors; the order within a file is no difference."""
    told: dict[str, list[str]] = {}
    for line in lines:
        spec = redacted(line.spec).strip()
        text = f"{spec}  # [{line.selector}]" if line.selector else spec
        told.setdefault(name_of(spec), []).append(text)
    return {name: "; ".join(sorted(texts)) for name, texts in told.items()}


def _conda_name(spec: str) -> str:
    try:
        return parse_match_spec(spec).name
    except ValueError:
        return spec


def _pip_name(line: str) -> str | None:
    try:
        return canonical_name(Requirement(line).name)
    except InvalidRequirement:
        return None


def _pip_key(line: str) -> str:
    return _pip_name(line) or line
