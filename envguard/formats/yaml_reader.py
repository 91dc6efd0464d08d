"""The one reader of YAML that strangers wrote: limits first, then plain data or marked nodes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
    try:
        with collector_paused():
            return _plain(text, where, limits)
    except _NotPlainError:
        return _load_any(text, where, limits)
    except yaml.YAMLError as error:
        raise _input_error(error, where, text) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: a value cannot be read: {error}") from error


def _load_any(text: str, where: str, limits: Limits) -> object:
    """The same by yaml's own loader, which knows anchors, tags and merge keys, and takes twice the time."""
    _refuse_excess(text, where, limits)
    try:
        with collector_paused():
            return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _input_error(error, where, text) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: a value cannot be read: {error}") from error


class _NotPlainError(Exception):
    """There is more in it than mappings, lists and scalars without tags."""


_NO_KEY = object()
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_FRAME = (
    yaml.StreamStartEvent,
    yaml.StreamEndEvent,
    yaml.DocumentStartEvent,
    yaml.DocumentEndEvent,
)


@lru_cache(maxsize=4096)
def _plain_scalar(text: str) -> object:
    """What yaml takes an unquoted scalar for: a number, a date, true, nothing or text."""
    may_be = yaml.CSafeLoader.yaml_implicit_resolvers.get(text[:1], ())
    if not any(pattern.match(text) for _, pattern in may_be):
        return text
    if text in ("<<", "="):
        raise _NotPlainError
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _plain(text: str, where: str, limits: Limits) -> object:
    """Data out of events, the limits held on the way: the text is gone through once."""
    documents = 0
    root: object = None
    within: Any = None
    key: object = _NO_KEY
    outside: list[tuple[Any, object]] = []
    for number, event in enumerate(_events(text), 1):
        kind = type(event)
        if number > limits.events:
            _refuse(event, where, limits, depth=0, aliases=0)
        if kind in _ENDS:
            within, key = outside.pop()
            continue
        if kind in _FRAME:
            documents += kind is yaml.DocumentStartEvent
            if documents > 1:
                raise _NotPlainError
            continue
        value = _value(event, kind)
        if within is None:
            root = value
        elif type(within) is list:
            within.append(value)
        elif key is _NO_KEY:
            key = value
            if kind is not yaml.ScalarEvent:
                raise _NotPlainError
            continue
        else:
            within[key] = value
            key = _NO_KEY
        if kind is not yaml.ScalarEvent:
            outside.append((within, key))
            within, key = value, _NO_KEY
            if len(outside) > limits.depth:
                _refuse(event, where, limits, depth=len(outside), aliases=0)
    return root


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.CSafeLoader(text)
    try:
        yield from iter(loader.get_event, None)
    finally:
        loader.dispose()


def _value(event: Any, kind: type) -> object:
    """What an event begins; raises _NotPlainError where there is more to it."""
    if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None:
        raise _NotPlainError
    if kind is yaml.ScalarEvent:
        return _plain_scalar(event.value) if event.implicit[0] else event.value
    return {} if kind is yaml.MappingStartEvent else []


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
