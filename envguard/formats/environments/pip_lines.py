"""Lines of a `pip:` section as uv takes them: the options it has in other places, those it has not.

pip's options of a requirements file: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from envguard.model.relock import canonical_name

_COMMENT = re.compile(r"(^|\s)#.*")
_OPTION = re.compile(r"(--[a-z][a-z-]*|-[A-Za-z])(?:\s*=\s*|\s+|(?<=^-[A-Za-z])|$)(.*)")
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_SHA256 = re.compile(r"(?:--hash[=\s]\s*sha256:|#sha256=|&sha256=)([0-9a-fA-F]+)")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:$|[\[<>=!~;@\s(])")
_SPACED_OPTION = re.compile(r"\s(--[a-z][a-z-]*)")
_LONG = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable"}
_LONG |= {"-i": "--index-url", "-f": "--find-links"}
_READ_BY_UV = {*_LONG.values(), "--extra-index-url", "--no-index", "--only-binary", "--pypi-url"}
_WITHOUT_MEANING = {"--prefer-binary", "--require-hashes", "--use-feature"}
"""A lock holds wheels and their hashes in any case, and uv has no features to switch on."""


@dataclass(slots=True)
class UvLines:
    """What uv reads (`lines`) and is told on its command line (`arguments`).

    `hashes` are the sha256 that a line allows, by PyPI name; `refused` are (line, why).
    """

    lines: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    hashes: dict[str, frozenset[str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)


def uv_lines(lines: Iterable[str], *, build: bool) -> UvLines:
    """Take requirement lines and pip's options apart; `build`: whether sources may be built."""
    told = UvLines()
    for line in lines:
        text = _COMMENT.sub("", line).strip()
        option = split_option(text)
        if option is None:
            _requirement(text, told)
        else:
            _option(text, *option, build=build, told=told)
    return told


def split_option(line: str) -> tuple[str, str] | None:
    """(`--requirement`, `FILE`) of `-r FILE`, `-rFILE`, `--requirement=FILE`; None for no option."""
    match = _OPTION.fullmatch(_COMMENT.sub("", line).strip())
    return (_LONG.get(match[1], match[1]), match[2].strip()) if match else None


def variables_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Names of the environment variables (`${TOKEN}`) that pip expands in these lines."""
    return tuple(dict.fromkeys(name for line in lines for name in _VARIABLE.findall(line)))


def requirement_name(line: str) -> str | None:
    """The PyPI name that a line asks for; None for options, paths and URLs without a name."""
    text = _COMMENT.sub("", line).strip()
    if text.startswith(("-", ".", "/")) or "://" in text.partition("@")[0]:
        return None
    match = _NAME.match(text)
    return None if match is None or match[0].endswith("/") else canonical_name(match[1])


def indexes(lines: Iterable[str]) -> tuple[str, ...]:
    """Extra indexes that the lines name."""
    options = (split_option(line) for line in lines)
    return tuple(o[1] for o in options if o is not None and o[0] == "--extra-index-url")


def scanned_arguments(lines: Sequence[str]) -> tuple[str, ...]:
    """What files behind `-r` say that uv reads only on its command line."""
    told = UvLines()
    for line in lines:
        option = split_option(line)
        if option is not None and option[0] in ("--pre", "--trusted-host"):
            _option(line, *option, build=True, told=told)
    return tuple(told.arguments)


def _requirement(text: str, told: UvLines) -> None:
    if not text:
        return
    name = requirement_name(text)
    for option in _SPACED_OPTION.findall(text):
        if option != "--hash":
            told.refused.append((text, f"{option} changes how a source is built"))
            return
    if name is not None and (allowed := _SHA256.findall(text)):
        told.hashes[name] = frozenset(value.lower() for value in allowed)
    told.lines.append(text)


def _option(text: str, name: str, value: str, *, build: bool, told: UvLines) -> None:
    if name == "--pre":
        told.arguments += ["--prerelease", "allow"]
    elif name == "--trusted-host":
        told.arguments += ["--allow-insecure-host", value]
    elif name == "--no-binary" and not build and value != ":none:":
        told.refused.append((text, "it asks for a build, which would run the code of a source"))
    elif name in _READ_BY_UV or name == "--no-binary":
        told.lines.append(f"{name} {value}".strip())
    elif name not in _WITHOUT_MEANING:
        told.refused.append(
            (text, f"{name} is no option of a requirements file that can be locked")
        )
