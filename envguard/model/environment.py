"""What is asked for: an environment.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Dependency:
    """One line of `dependencies:` or `pip:`.

    `spec` is the MatchSpec or requirement as written; `selector` the text of a `# [linux]` comment,
    `line` counts from 1 and `column` (of the spec) from 1.
    """

    spec: str
    line: int | None = None
    column: int | None = None
    selector: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment.yml. Channels are as written: names, URLs, `defaults`, `nodefaults`.

    `pip` holds requirement lines and pip's options, in order. `prefix` is kept only to be reported.
    """

    name: str | None = None
    channels: tuple[str, ...] = ()
    channel_lines: tuple[Dependency, ...] = ()
    """Where each of `channels` is in the file, without credentials; empty where there is no file."""
    dependencies: tuple[Dependency, ...] = ()
    pip: tuple[Dependency, ...] = ()
    platforms: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: str | None = None
    path: str | None = None
    notes: tuple[str, ...] = ()
    """What was ignored in the file, as `file:line: what`."""

    def for_subdir(self, subdir: str) -> Environment:
        """The environment with the lines whose selector holds for `subdir`."""
        return replace(
            self,
            dependencies=_selected(self.dependencies, subdir),
            pip=_selected(self.pip, subdir),
        )


SELECTORS = ("linux", "linux64", "aarch64", "osx", "osx64", "arm64", "win", "win64", "unix")


_ONE = rf"(?:not )*(?:{'|'.join(SELECTORS)})"
_SELECTOR = re.compile(rf"{_ONE}(?: (?:and|or) {_ONE})*")


def selector_holds(selector: str, subdir: str) -> bool:
    """Whether a selector (`linux`, `not win`, `osx or linux64`) names `subdir`; `and` binds closer than `or`.

    `linux64`, `osx64` and `win64` are the x86-64 subdirs, `arm64` is osx-arm64, `aarch64` linux-aarch64.
    """
    return any(
        all(_term_holds(term.split(), subdir) for term in alternative.split(" and "))
        for alternative in selector.split(" or ")
    )


def is_selector(text: str) -> bool:
    """Whether `text` is made of `SELECTORS`, each with `not` or without, joined by `and` and `or`."""
    return _SELECTOR.fullmatch(" ".join(text.split())) is not None


def _term_holds(words: list[str], subdir: str) -> bool:
    if words[:1] == ["not"]:
        return not _term_holds(words[1:], subdir)
    return len(words) == 1 and _word_holds(words[0], subdir)


def _word_holds(word: str, subdir: str) -> bool:
    os_name, _, _ = subdir.partition("-")
    return {
        "linux": os_name == "linux",
        "linux64": subdir == "linux-64",
        "aarch64": subdir == "linux-aarch64",
        "osx": os_name == "osx",
        "osx64": subdir == "osx-64",
        "arm64": subdir == "osx-arm64",
        "win": os_name == "win",
        "win64": subdir == "win-64",
        "unix": os_name in ("linux", "osx"),
    }.get(word, False)


def _selected(lines: tuple[Dependency, ...], subdir: str) -> tuple[Dependency, ...]:
    return tuple(
        line for line in lines if line.selector is None or selector_holds(line.selector, subdir)
    )
