"""What to say of whose fault a death is: one cause, one finding. Pure."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from envguard.checks.culprits import entry_in_words, environment_without
from envguard.checks.probe_findings import PYTHON_RULE, signs_of
from envguard.model.culprit import Blame, Entry, EntryKind, Fault, Setter, SetterKind, Tried
from envguard.model.report import Finding, Fix, Status
from envguard.model.secrets import public_variables

VALUE_CHARACTERS = 60
USER_SITE_RULE = "EG502"
"""What the static check says of a user site that comes before the environment."""


def finding_of_blame(blame: Blame, died: Finding, variables: Mapping[str, str]) -> Finding:
    """One finding of one cause. `died` says how, `variables` what the probes were started with."""
    match blame.fault:
        case Fault.ENTRIES:
            return _entries(blame, died, variables)
        case Fault.ORDER | Fault.TOGETHER:
            return _imports(blame, died)
        case Fault.SOMETIMES:
            return _sometimes(blame, died)
        case Fault.PACKAGES:
            whose = "it is the interpreter" if died.rule == PYTHON_RULE else "it is the packages'"
            again = f"it ends so without anything of your own environment, too: {whose}"
            return replace(died, evidence=(*died.evidence, again))
        case Fault.UNDECIDED:
            return replace(died, evidence=(*died.evidence, _left(blame)))
        case _:
            assert_never(blame.fault)


def without_known(known: Sequence[Finding], blames: Sequence[Blame]) -> tuple[Finding, ...]:
    """Findings of the static check, without what was found out here: one cause is one finding."""
    kinds = {entry.kind for b in blames if b.fault is Fault.ENTRIES for entry in b.entries}
    of_site = kinds & {EntryKind.USER_SITE, EntryKind.DISTRIBUTION}
    return tuple(finding for finding in known if not (of_site and finding.rule == USER_SITE_RULE))


def _left(blame: Blame) -> str:
    if not blame.entries:
        return f"whose fault it is was not found out: {blame.left}"
    return (
        f"it passes in a clean environment; which entry is at fault is undecided ({blame.left}), "
        f"one of: {', '.join(map(entry_in_words, blame.entries))}"
    )


def _entries(blame: Blame, died: Finding, variables: Mapping[str, str]) -> Finding:
    named = " and ".join(_named(entry, blame.setter) for entry in blame.entries)
    are = "are" if len(blame.entries) > 1 else "is"
    counts = f"fails {blame.failed} times with it, passes {blame.passed} times without it"
    return Finding(
        rule="EG720",
        status=Status.FAIL,
        title=f"your packages are fine; {named} {are} not",
        message=f"{died.title}: {died.message}",
        gpu=died.gpu,
        have="; ".join(_placed(entry, blame.setter, variables) for entry in blame.entries),
        evidence=(*blame.trail, counts, *signs_of(blame.results[0])),
        fix=Fix(_fix(blame.entries, blame.setter, variables), checked=_tried(blame.tried)),
    )


def _named(entry: Entry, setter: Setter | None) -> str:
    """The culprit as the title says it, by what the user typed where that is known."""
    if setter is not None and setter.kind is SetterKind.MODULE:
        return f"`module load {setter.name}`"
    match entry.kind:
        case EntryKind.VARIABLE:
            return _assignment(entry)
        case EntryKind.DISTRIBUTION:
            return f"{entry.value} in your user site"
        case EntryKind.USER_SITE:
            return f"your user site {entry.value}"
        case _:
            return f"{entry.value} in {entry.kind.value}"


def _assignment(entry: Entry) -> str:
    """`OMP_NUM_THREADS=x`, without a value that looks like a secret or takes too much room."""
    public, _ = public_variables({entry.name: entry.value})
    value = public.get(entry.name)
    if value is None or len(value) > VALUE_CHARACTERS:
        return entry.name
    return f"{entry.name}={value}"


def _placed(entry: Entry, setter: Setter | None, variables: Mapping[str, str]) -> str:
    """Where the entry stands, and who put it there."""
    by = "" if setter is None else f", set by {_setter_in_words(setter)}"
    if entry.kind in (EntryKind.LIBRARY_PATH, EntryKind.PYTHON_PATH):
        folders = [word for word in variables.get(entry.kind.value, "").split(os.pathsep) if word]
        at = folders.index(entry.value) + 1 if entry.value in folders else 0
        return f"{entry.value}, number {at} of {len(folders)} in {entry.kind.value}{by}"
    return f"{_named(entry, None)}{by}"


def _setter_in_words(setter: Setter) -> str:
    match setter.kind:
        case SetterKind.MODULE:
            return f"the module {setter.name}"
        case SetterKind.ACTIVATION:
            return setter.name + (f" of {setter.owner}" if setter.owner else "")
        case SetterKind.PREFIX:
            return "the variables of the environment (conda env config vars list)"
        case _:
            assert_never(setter.kind)


def _fix(entries: Sequence[Entry], setter: Setter | None, variables: Mapping[str, str]) -> str:
    """What to type; it says what was tried."""
    command = _command(entries, variables)
    match setter:
        case Setter(kind=SetterKind.MODULE):
            return f"module unload {setter.name}"
        case Setter(kind=SetterKind.PREFIX):
            return f"conda env config vars unset {setter.name}   (here: {command})"
        case Setter(kind=SetterKind.ACTIVATION):
            return f"{command}   (after `conda activate`; {setter.name} sets it)"
        case _:
            return command


def _command(entries: Sequence[Entry], variables: Mapping[str, str]) -> str:
    gone = [entry.value for entry in entries if entry.kind is EntryKind.DISTRIBUTION]
    if gone:
        names = " ".join(word.partition(" ")[0] for word in gone)
        return f"export PYTHONNOUSERSITE=1   (or uninstall {names} from the user site)"
    changes = environment_without(variables, frozenset(entries))
    unset = [name for name, value in changes.items() if value is None]
    lines = [f"export {n}={shlex.quote(value)}" for n, value in changes.items() if value]
    return "; ".join(([f"unset {' '.join(unset)}"] if unset else []) + lines)


def _tried(tried: Tried | None) -> str | None:
    if tried is None:
        return None
    if not tried.passed.of:
        return "tried: it comes past where it died; there was no time for the rest"
    words = f"tried: {tried.passed} pass"
    if tried.rest:
        words += f"; {', '.join(tried.rest)} still not"
    return words if tried.all_run else f"{words}; there was no time for the others"


def _imports(blame: Blame, died: Finding) -> Finding:
    *others, last = blame.modules
    before = " and ".join(others)
    told = (
        f"import {last} alone passes, after {before} it does not",
        f"fails {blame.failed} times",
    )
    if blame.fault is Fault.ORDER:
        title = f"{last} cannot be imported after {before}; the other order works"
        fix = Fix(f"import {last} before {before}", checked=_tried(blame.tried))
    else:
        title = f"{last} and {before} cannot be in one process"
        fix = Fix(
            "import them in processes of their own",
            checked=f"tried: {last} passes without {before}",
        )
    return Finding(
        rule="EG721",
        status=Status.FAIL,
        title=title,
        message=f"{died.title}: {died.message}",
        gpu=died.gpu,
        evidence=(*told, *died.evidence),
        fix=fix,
        sources=died.sources,
    )


def _sometimes(blame: Blame, died: Finding) -> Finding:
    return replace(
        died,
        rule="EG722",
        title=f"{died.title}, {blame.failed} times: not always",
        evidence=("what fails only sometimes is blamed on nothing", *died.evidence),
    )
