"""Machines that the configuration has given a name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from envguard.errors import InputError
from envguard.model.configuration import NamedTarget
from envguard.model.target import Target

Resolve = Callable[[str], Target]
NOTHING_NAMED: Mapping[str, NamedTarget] = {}


def spelled_out(texts: Sequence[str], named: Mapping[str, NamedTarget]) -> tuple[str, ...]:
    """The texts of `--for`, with each name of several machines replaced by what it stands for."""
    found: list[str] = []
    for text in texts:
        of_name = named[text].texts if text in named else ()
        found += of_name if len(of_name) > 1 else [text]
    return tuple(dict.fromkeys(found))


def lock_beside(output: Path, text: str) -> Path:
    """`conda-lock.NAME.yml` beside conda-lock.yml; raises InputError for what is no name of a file."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise InputError(
            f"--separate names a lock by its machine, and --for {text} is no name of a file",
            hint=f"give it one in the configuration: targets: {{my-machine: '{text}'}}",
        )
    return output.with_name(f"{output.stem}.{text}{output.suffix}")


def targets_of(
    text: str, named: Mapping[str, NamedTarget], *, parse: Resolve, resolve: Resolve
) -> tuple[Target, ...]:
    """The targets of one text of `--for`: of a name, all of its machines.

    One machine is called by the name, several by what they are. `parse` reads a description, `resolve` a
    description or a file; both raise InputError for what is neither.
    """
    if text not in named:
        return (_described(text, named, resolve),)
    target = named[text]
    _refuse_machines_name(target, parse)
    found = tuple(_in_configuration(said, target, resolve) for said in target.texts)
    return (replace(found[0], name=text),) if len(found) == 1 else found


def _refuse_machines_name(target: NamedTarget, parse: Resolve) -> None:
    """`--for a100` must not mean another card here than everywhere else."""
    try:
        parse(target.name)
    except InputError:
        return
    raise InputError(
        f"{_place(target)}: --for {target.name} means a machine without any configuration",
        hint=f"choose another name, such as our-{target.name}",
    )


def _described(text: str, named: Mapping[str, NamedTarget], resolve: Resolve) -> Target:
    try:
        return resolve(text)
    except InputError as error:
        source = next((target for target in named.values() if text in target.texts), None)
        if source is not None and len(source.texts) > 1:
            raise _error_in(source, error) from error
        near = difflib.get_close_matches(text, list(named), n=1)
        if not near:
            raise
        where = named[near[0]].location.file
        raise InputError(
            error.message, hint=f"did you mean {near[0]}, of {where}? {error.hint or ''}".rstrip()
        ) from error


def _in_configuration(said: str, target: NamedTarget, resolve: Resolve) -> Target:
    try:
        return resolve(said)
    except InputError as error:
        raise _error_in(target, error) from error


def _error_in(target: NamedTarget, error: InputError) -> InputError:
    told = error.message.removeprefix("--for ")
    return InputError(f"{_place(target)}: {told}", hint=error.hint, problems=error.problems)


def _place(target: NamedTarget) -> str:
    return f"{target.location.place}: targets.{target.name}"
