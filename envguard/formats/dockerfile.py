"""The FROM lines of a Dockerfile, with the defaults of ARG put in. Nothing in it is run.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath

from envguard.errors import InputError
from envguard.formats.image_name import parse_image_name
from envguard.model.image import BaseImage, Images

_FILE = re.compile(r"(?:.*\.)?(?:docker|container)file(?:\..*)?", re.IGNORECASE)
_LOOKS = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:ARG[ \t]+\w|FROM[ \t]+\S)")
_INSTRUCTION = re.compile(r"\s*(ARG|FROM)\s+(.*)", re.IGNORECASE | re.DOTALL)
_FROM = re.compile(
    r"(?:--platform=(?P<platform>\S+)\s+)?(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(r"""(?P<name>\w+)(?:=(?P<value>"[^"]*"|'[^']*'|\S*))?""")
_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?:(?P<how>:?[-+])(?P<word>[^}]*))?\}|(?P<bare>\w+))"
)
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")


def is_dockerfile(text: str, path: str) -> bool:
    """Tell by the name, or by how it starts."""
    return bool(_FILE.fullmatch(PurePath(path).name) or _LOOKS.match(text))


def parse_dockerfile(text: str, path: str) -> Images:
    """Read every FROM; raises InputError for one that cannot be read, and where there is none."""
    arguments: dict[str, str | None] = {}
    stages: dict[str, int] = {}
    bases: list[BaseImage] = []
    parents: list[int | None] = []
    for number, line in _instructions(text):
        match = _INSTRUCTION.match(line)
        if match is None:
            continue
        if match[1].upper() == "ARG":
            if not bases:  # what comes later is of a stage, and no FROM sees it
                arguments.update(_arguments(match[2], arguments))
            continue
        base, stage = _base(match[2], arguments, stages, f"{path}:{number}")
        parents.append(stages.get(_called(base).lower()))
        bases.append(_placed(base, match[2], number, text.splitlines()[number - 1]))
        if stage is not None:
            stages[stage.lower()] = len(bases) - 1
    if not bases:
        raise InputError(f"{path} has no FROM line", hint="name the image: image:REPOSITORY:TAG")
    last = _root(len(bases) - 1, parents)
    return Images(
        "dockerfile",
        tuple(
            replace(base, runs=index == last)
            for index, base in enumerate(bases)
            if parents[index] is None and _called(base) != "scratch"
        ),
    )


def _called(base: BaseImage) -> str:
    return base.name.text if base.name is not None else base.written


def _root(index: int, parents: list[int | None]) -> int:
    """The FROM that a stage goes back to; each names only an earlier one."""
    while (parent := parents[index]) is not None:
        index = parent
    return index


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Instructions with their first line; continued lines are joined, comments and heredocs left out."""
    pending, start, until = "", 0, None
    for number, line in enumerate(text.splitlines(), 1):
        if until is not None:
            until = None if line.strip() == until else until
        elif not line.lstrip().startswith("#"):
            start = start if pending else number
            pending += line.rstrip()
            if pending.endswith("\\"):
                pending = f"{pending[:-1]} "
                continue
            heredoc = _HEREDOC.search(pending)
            until = heredoc[1] if heredoc else None
            yield start, pending
            pending = ""
    if pending:
        yield start, pending


def _arguments(text: str, known: Mapping[str, str | None]) -> Iterator[tuple[str, str | None]]:
    for match in _ARGUMENT.finditer(text):
        value = match["value"]
        yield match["name"], None if value is None else _filled(value.strip("\"'"), known)


def _base(
    text: str, arguments: Mapping[str, str | None], stages: Container[str], where: str
) -> tuple[BaseImage, str | None]:
    match = _FROM.fullmatch(text)
    if match is None:
        raise InputError(
            f"{where}: {' '.join(text.split())!r} is no image: FROM [--platform=P] IMAGE [AS NAME]"
        )
    image = _filled(match["image"].strip("\"'"), arguments)
    platform = _filled(match["platform"], arguments) if match["platform"] else None
    if image is None:
        return BaseImage(None, match["image"], platform=platform), match["stage"]
    name = parse_image_name(image)
    if name is None and image.lower() not in stages:
        raise InputError(f"{where}: {image!r} is no name of an image")
    return BaseImage(name, match["image"], platform=platform), match["stage"]


def _filled(text: str, arguments: Mapping[str, str | None]) -> str | None:
    """The text with its variables put in; None where one of them has no value here."""
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        found = arguments.get(match["braced"] or match["bare"])
        how, word = match["how"] or "", match["word"] or ""
        if how.endswith("+"):
            found = word if found is not None else ""
        elif how and not found:
            found = word
        unknown = unknown or found is None
        return found or ""

    filled = _VARIABLE.sub(value, text)
    return None if unknown else filled


def _placed(base: BaseImage, instruction: str, line: int, text: str) -> BaseImage:
    match = _FROM.fullmatch(instruction)
    written = match["image"] if match is not None else base.written
    at = text.find(written)
    return replace(base, line=line, column=at + 1 if at >= 0 else None, text=text.strip())
