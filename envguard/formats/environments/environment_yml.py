"""environment.yml to Environment, with every mistake named at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.environments.nearest_spec import nearest_spec
from envguard.formats.environments.requirement_line import requirement_problem
from envguard.model.channel import channel_mistake
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment, is_selector
from envguard.model.secrets import redacted, without_credentials
from envguard.model.subdir import SUBDIRS, nearest_subdir

_COMMENT_SELECTOR = re.compile(r"#\s*\[\s*([^\]]+?)\s*\]\s*$")
MOST_ITEMS = 5_000
"""Of one list. The largest environments that people publish have some hundreds of lines."""
_KNOWN = ("name", "channels", "dependencies", "platforms", "variables", "prefix", "category")


def parse_environment(text: str, path: str) -> Environment:
    """Read an environment.yml; raises InputError whose `problems` are `file:line: key: what`."""
    root = yaml_reader.compose(text, path)
    reader = _Reader(path=path, lines=text.splitlines())
    environment = reader.environment(root)
    if reader.problems:
        raise InputError(
            f"{path}: {_count(len(reader.problems), 'mistake')}",
            problems=tuple(reader.problems),
            hint="mend the lines above and run it again",
        )
    return environment


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(slots=True)
class _Reader:
    """Walks the nodes of one file and collects what is wrong with them."""

    path: str
    lines: list[str]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def environment(self, root: yaml.Node | None) -> Environment:
        if root is None:
            self.problem(None, None, "the file is empty; at least `dependencies:` is needed")
            return Environment(path=self.path)
        if not isinstance(root, yaml.MappingNode):
            self.problem(
                root, None, f"{_kind(root)} where name, channels and dependencies are expected"
            )
            return Environment(path=self.path)
        parts = dict(self.keys(root))
        if "dependencies" not in parts:
            self.problem(root, "dependencies", "is missing")
        conda, pip = self.dependencies(parts.get("dependencies"))
        channels = tuple(self.strings(parts.get("channels"), "channels"))
        for text, node in channels:
            if mistake := channel_mistake(text):
                self.problem(node, "channels", f"{redacted(text)!r} {mistake}")
        return Environment(
            name=self.scalar(parts.get("name"), "name"),
            channels=tuple(text for text, _ in channels),
            channel_lines=tuple(_channel_line(text, node) for text, node in channels),
            dependencies=tuple(conda),
            pip=tuple(pip),
            platforms=tuple(self.platforms(parts.get("platforms"))),
            variables=self.variables(parts.get("variables")),
            prefix=self.scalar(parts.get("prefix"), "prefix"),
            path=self.path,
            notes=tuple(self.notes),
        )

    def keys(self, root: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, int] = {}
        for key_node, value in root.value:
            key = str(key_node.value)
            if key in seen:
                self.problem(key_node, key, f"is there twice, first in line {seen[key]}")
            elif key in _KNOWN:
                yield key, value
            else:
                self.note(key_node, key, "is no key of an environment.yml and is ignored")
            seen[key] = key_node.start_mark.line + 1

    def dependencies(self, node: yaml.Node | None) -> tuple[list[Dependency], list[Dependency]]:
        conda: list[Dependency] = []
        pip: list[Dependency] = []
        for index, item in enumerate(self.items(node, "dependencies")):
            key = f"dependencies[{index}]"
            if isinstance(item, yaml.MappingNode):
                pip.extend(self.pip_section(item, key))
            elif (text := self.text(item, key)) is not None:
                conda.extend(self.conda_spec(item, key, text))
        return conda, pip

    def conda_spec(self, node: yaml.Node, key: str, text: str) -> Iterator[Dependency]:
        try:
            parse_match_spec(text)
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            hint = nearest_spec(text)
            self.problem(
                node,
                key,
                f"{redacted(text)!r} is not a MatchSpec ({redacted(reason)})"
                + (f"; write {redacted(hint)!r}" if hint else ""),
            )
        else:
            yield self.dependency(node, text)

    def pip_section(self, node: yaml.MappingNode, key: str) -> Iterator[Dependency]:
        for name, value in node.value:
            if name.value != "pip":
                wanted = (
                    f"{name.value} {value.value}"
                    if isinstance(value, yaml.ScalarNode)
                    else name.value
                )
                self.problem(
                    name, key, f"'{name.value}:' is a mapping; a package is written {wanted!r}"
                )
                continue
            for index, item in enumerate(self.items(value, f"{key}.pip")):
                text = self.text(item, f"{key}.pip[{index}]")
                if text is None:
                    continue
                if reason := requirement_problem(text):
                    self.problem(
                        item,
                        f"{key}.pip[{index}]",
                        f"{redacted(text)!r} is no requirement ({reason})",
                    )
                else:
                    yield self.dependency(item, text)

    def dependency(self, node: yaml.Node, text: str) -> Dependency:
        mark = node.start_mark
        return Dependency(
            spec=text,
            line=mark.line + 1,
            column=mark.column + 1,
            selector=self.selector(mark.line),
        )

    def selector(self, line: int) -> str | None:
        match = _COMMENT_SELECTOR.search(self.lines[line]) if line < len(self.lines) else None
        if match is None:
            return None
        if is_selector(match[1]):
            return " ".join(match[1].split())
        self.notes.append(
            f"{self.path}:{line + 1}: [{match[1]}] is no selector of platforms; "
            "the line holds for all of them"
        )
        return None

    def platforms(self, node: yaml.Node | None) -> Iterator[str]:
        for text, item in self.strings(node, "platforms"):
            if text in SUBDIRS:
                yield text
            else:
                near = nearest_subdir(text)
                self.problem(
                    item,
                    "platforms",
                    f"{text!r} is no platform" + (f"; {near!r} is" if near else ""),
                )

    def variables(self, node: yaml.Node | None) -> dict[str, str]:
        if node is None or _is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, "variables", f"{_kind(node)} where NAME: value lines are expected")
            return {}
        pairs = [(str(k.value), self.scalar(v, f"variables.{k.value}")) for k, v in node.value]
        return {name: value or "" for name, value in pairs}

    def strings(self, node: yaml.Node | None, key: str) -> Iterator[tuple[str, yaml.Node]]:
        for index, item in enumerate(self.items(node, key)):
            text = self.text(item, f"{key}[{index}]")
            if text is not None:
                yield text, item

    def items(self, node: yaml.Node | None, key: str) -> list[yaml.Node]:
        if node is None or _is_null(node):
            return []
        if isinstance(node, yaml.SequenceNode):
            if len(node.value) > MOST_ITEMS:
                self.problem(
                    node, key, f"has {len(node.value):,} items; at most {MOST_ITEMS:,} are read"
                )
                return []
            return list(node.value)
        self.problem(node, key, f"{_kind(node)} where a list ('- item' lines) is expected")
        return []

    def text(self, node: yaml.Node, key: str) -> str | None:
        if isinstance(node, yaml.ScalarNode) and not _is_null(node):
            text = str(node.value).strip()
            if node.tag.endswith(":str") and text:
                return text
            self.problem(node, key, f"{node.value!r} is no name; quote it if it is meant as text")
            return None
        self.problem(node, key, f"{_kind(node)} where a text is expected")
        return None

    def scalar(self, node: yaml.Node | None, key: str) -> str | None:
        if node is None or _is_null(node):
            return None
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self.problem(node, key, f"{_kind(node)} where a text is expected")
        return None

    def problem(self, node: yaml.Node | None, key: str | None, what: str) -> None:
        self.problems.append(self.sentence(node, key, what))

    def note(self, node: yaml.Node | None, key: str | None, what: str) -> None:
        self.notes.append(self.sentence(node, key, what))

    def sentence(self, node: yaml.Node | None, key: str | None, what: str) -> str:
        place = self.path if node is None else f"{self.path}:{node.start_mark.line + 1}"
        return f"{place}: {key}: {what}" if key else f"{place}: {what}"


def _channel_line(text: str, node: yaml.Node) -> Dependency:
    mark = node.start_mark
    return Dependency(without_credentials(text), mark.line + 1, mark.column + 1)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")


def _kind(node: yaml.Node) -> str:
    if _is_null(node):
        return "nothing"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
