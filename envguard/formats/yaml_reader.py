"""The one reader of YAML that strangers wrote: limits first, then plain data or marked nodes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import yaml

from envguard.errors import InputError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may have at most. libyaml's loader crashes on deep nesting, so events are counted first."""

    depth: int = 64
    events: int = 2_000_000
    aliases: int = 100


DEFAULT_LIMITS = Limits()


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection while thousands of objects are made that all stay: a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load(text: str, where: str, *, limits: Limits = DEFAULT_LIMITS) -> object:
    """Plain data from YAML. Raises InputError as `file:line: what`."""
    _refuse_excess(text, where, limits)
    try:
        with collector_paused():
            return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _input_error(error, where, text) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: a value cannot be read: {error}") from error


def compose(text: str, where: str, *, limits: Limits = DEFAULT_LIMITS) -> yaml.Node | None:
    """Nodes with line marks; None for an empty file. Raises InputError as `file:line: what`."""
    _refuse_excess(text, where, limits)
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _input_error(error, where, text) from error
    return node if isinstance(node, yaml.Node) else None


def _refuse_excess(text: str, where: str, limits: Limits) -> None:
    """Count events: depth, their number and aliases; nothing is built while counting."""
    depth = events = aliases = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            events += 1
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
            if depth > limits.depth or events > limits.events or aliases > limits.aliases:
                _refuse(event, where, limits, depth=depth, aliases=aliases)
    except yaml.YAMLError as error:
        raise _input_error(error, where, text) from error


def _refuse(event: yaml.Event, where: str, limits: Limits, *, depth: int, aliases: int) -> None:
    if depth > limits.depth:
        what = f"nested deeper than {limits.depth} levels"
    elif aliases > limits.aliases:
        what = f"more than {limits.aliases} aliases"
    else:
        what = f"more than {limits.events:,} values"
    line = event.start_mark.line + 1 if event.start_mark is not None else 1
    raise InputError(f"{where}:{line}: {what}; such a file is not read")


def _input_error(error: yaml.YAMLError, where: str, text: str) -> InputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f"{where}:{mark.line + 1}" if mark is not None else where
    problem = getattr(error, "problem", None) or str(error)
    if "special characters are not allowed" in str(error):
        return InputError(f"{place}: not YAML: a control character; this is no text file")
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        problem = "a tab where YAML wants spaces"
    return InputError(f"{place}: not YAML: {problem}")
