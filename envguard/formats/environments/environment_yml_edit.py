"""An environment.yml with some of its lines changed, and all other bytes as they were.

Texts are put in at the marks of the strict reader's own nodes. A round-trip YAML library would write the
whole file anew, and with it indentation and quotes of lines that nobody wanted to change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_dump import scalar
from envguard.model.cleaning import Edits
from envguard.model.environment import Dependency, Environment

_MARK = "\ufeff"
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class _Splice:
    """`text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def edited(text: str, environment: Environment, edits: Edits) -> str:
    """The text of `environment` with `edits` in it, read again to be sure of them.

    Raises InputError where a line is written in a way that cannot be changed without the others.
    """
    if edits.empty:
        return text
    if text.startswith(_MARK):  # the reader does not count it where it says what stands where
        return _MARK + edited(text.removeprefix(_MARK), environment, edits)
    path = environment.path or "environment.yml"
    root = yaml_reader.compose(text, path)
    assert isinstance(root, yaml.MappingNode)
    splices = sorted(
        _Editor(text, root).splices(edits), key=lambda splice: (splice.start, splice.end)
    )
    new = text
    for splice in reversed(splices):
        new = new[: splice.start] + splice.text + new[splice.end :]
    if not _says(new, environment, edits):
        raise InputError(
            f"{path}: it is written in a way that cannot be edited line by line",
            hint="write one package a line (`- numpy`), without anchors and block scalars",
        )
    return new


def _says(text: str, before: Environment, edits: Edits) -> bool:
    """Whether what was written is read as what was meant, whatever the file looked like.

    Lines at one place are aliases of one line: what is done to it is done to all of them.
    """
    lines = (*before.dependencies, *before.pip, *before.channel_lines)
    if len({(line.line, line.column) for line in lines}) < len(lines):
        return False
    try:
        found = parse_environment(text, before.path or "environment.yml")
    except InputError:
        return False
    wanted = (
        (*_lines(before.dependencies, edits), *edits.dependencies),
        _lines(before.pip, edits),
        (*_lines(before.channel_lines, edits), *edits.channels),
    )
    read = tuple(
        tuple(line.spec for line in lines)
        for lines in (found.dependencies, found.pip, found.channel_lines)
    )
    kept = set(before.variables) - set(edits.drop_variables)
    prefix = None if edits.drop_prefix else before.prefix
    return read == wanted and set(found.variables) == kept and found.prefix == prefix


def _lines(lines: tuple[Dependency, ...], edits: Edits) -> tuple[str, ...]:
    new = {rewrite.line: rewrite.spec for rewrite in edits.rewrites}
    behind: dict[Dependency, list[str]] = {}
    for insertion in edits.insertions:
        behind.setdefault(insertion.line, []).insert(0, insertion.spec)
    return tuple(
        text
        for line in lines
        if line not in edits.removals
        for text in (new.get(line, line.spec), *behind.get(line, ()))
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """A node in its list."""

    node: yaml.Node
    parent: yaml.SequenceNode
    index: int


class _Editor:
    """Finds the characters of lines and keys in one file."""

    def __init__(self, text: str, root: yaml.MappingNode) -> None:
        self.text, self.root = text, root
        self.starts = [0, *(match.end() for match in _BREAK.finditer(text))]
        self.newline = match[0] if (match := _BREAK.search(text)) else "\n"
        self.items = {
            (item.node.start_mark.line + 1, item.node.start_mark.column + 1): item
            for item in _items(root)
        }

    def splices(self, edits: Edits) -> Iterator[_Splice]:
        for rewrite in edits.rewrites:
            item = self.at(rewrite.line)
            yield self.replaced(item.node, rewrite.spec, flow=bool(item.parent.flow_style))
            if rewrite.selector is not None and not item.parent.flow_style:
                end = self.end_of_line(item.node)
                yield _Splice(end, end, f"  # [{rewrite.selector}]")
        for insertion in edits.insertions:
            yield self.behind(self.at(insertion.line), insertion.spec)
        yield from self.removals([self.at(line) for line in edits.removals])
        for name in edits.dependencies:
            yield self.appended("dependencies", name)
        yield from self.new_channels(edits.channels)
        if edits.drop_prefix:
            yield self.without_key(self.root, "prefix")
        yield from self.variables(edits)

    def at(self, line: Dependency) -> _Item:
        return self.items[(line.line or 0, line.column or 0)]

    def replaced(self, node: yaml.Node, text: str, *, flow: bool) -> _Splice:
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        if style == "'":
            new = "'" + text.replace("'", "''") + "'"
        elif style == '"':
            new = json.dumps(text, ensure_ascii=False)
        else:
            new = scalar(text, flow=flow)
        return _Splice(self.start(node), self.end(node), new)

    def behind(self, item: _Item, text: str) -> _Splice:
        """One more item, indented as its neighbour."""
        if item.parent.flow_style:
            return _Splice(self.end(item.node), self.end(item.node), f", {scalar(text, flow=True)}")
        at = self.next_line(item.node)
        lead = self.text[self.line_start(item.node) : self.start(item.node)]
        missing = "" if self.text[at - 1 : at] in self.newline else self.newline
        return _Splice(
            at, at, f"{missing}{lead}{scalar(text)}{self.newline if not missing else ''}"
        )

    def removals(self, items: list[_Item]) -> Iterator[_Splice]:
        gone = {id(item.node) for item in items}
        for item in items:
            section = self.pip_section(item.parent)
            siblings = item.parent.value
            if section is not None and all(id(node) in gone for node in siblings):
                if item.index == 0:
                    yield self.without_item(section)
            elif item.parent.flow_style and all(id(n) in gone for n in siblings[item.index :]):
                yield self.without_last(item, behind=id(siblings[item.index - 1]) not in gone)
            else:
                yield self.without_item(item)

    def pip_section(self, sequence: yaml.SequenceNode) -> _Item | None:
        """The `- pip:` item whose list this is."""
        for item in self.items.values():
            if isinstance(item.node, yaml.MappingNode) and any(
                value is sequence for _, value in item.node.value
            ):
                return item
        return None

    def without_item(self, item: _Item) -> _Splice:
        siblings = item.parent.value
        if not item.parent.flow_style:
            return _Splice(self.line_start(item.node), self.next_line(item.node), "")
        return _Splice(self.start(item.node), self.start(siblings[item.index + 1]), "")

    def without_last(self, item: _Item, *, behind: bool) -> _Splice:
        """The end of a list in brackets, with the comma before it where what is `behind` of it stays."""
        siblings = item.parent.value
        if not behind and item.index:
            return _Splice(
                self.start(item.node), self.start(item.node), ""
            )  # the one before took it
        start = self.end(siblings[item.index - 1]) if item.index else self.start(item.node)
        return _Splice(start, self.end(siblings[-1]), "")

    def appended(self, key: str, text: str) -> _Splice:
        """A line behind the last package of a list, before its `pip:` section."""
        value = next(value for name, value in self.root.value if name.value == key)
        packages = [item for item in self.items.values() if item.parent is value]
        last = [item for item in packages if isinstance(item.node, yaml.ScalarNode)]
        if last:
            return self.behind(last[-1], text)
        first = packages[0]
        at = self.line_start(first.node)
        lead = self.text[at : self.start(first.node)]
        return _Splice(at, at, f"{lead}{scalar(text)}{self.newline}")

    def new_channels(self, channels: tuple[str, ...]) -> Iterator[_Splice]:
        """Channels where there are none: before the packages, or below the empty key."""
        if not channels:
            return
        lines = "".join(f"  - {scalar(channel)}{self.newline}" for channel in channels)
        keys = {name.value: name for name, _ in self.root.value}
        if "channels" in keys:
            at = self.next_line(keys["channels"])
            yield _Splice(at, at, lines)
        else:
            at = self.line_start(keys["dependencies"])
            yield _Splice(at, at, f"channels:{self.newline}{lines}")

    def variables(self, edits: Edits) -> Iterator[_Splice]:
        node = next((value for name, value in self.root.value if name.value == "variables"), None)
        if not isinstance(node, yaml.MappingNode):
            return
        names = {name.value for name, _ in node.value}
        if edits.drop_variables and names <= set(edits.drop_variables):
            yield self.without_key(self.root, "variables")
            return
        for name in edits.drop_variables:
            yield self.without_key(node, name)
        for name, text in edits.variables:
            value = next(value for key, value in node.value if key.value == name)
            yield self.replaced(value, text, flow=True)

    def without_key(self, mapping: yaml.MappingNode, key: str) -> _Splice:
        pairs = mapping.value
        index = next(i for i, (name, _) in enumerate(pairs) if name.value == key)
        name, value = pairs[index]
        if not mapping.flow_style:
            return _Splice(self.line_start(name), self.next_line(value), "")
        if index + 1 < len(pairs):
            return _Splice(self.start(name), self.start(pairs[index + 1][0]), "")
        start = self.end(pairs[index - 1][1]) if index else self.start(name)
        return _Splice(start, self.end(value), "")

    def start(self, node: yaml.Node) -> int:
        return self.starts[node.start_mark.line] + int(node.start_mark.column)

    def end(self, node: yaml.Node) -> int:
        return self.starts[node.end_mark.line] + int(node.end_mark.column)

    def line_start(self, node: yaml.Node) -> int:
        return self.starts[node.start_mark.line]

    def next_line(self, node: yaml.Node) -> int:
        line = _last_line(node) + 1
        return self.starts[line] if line < len(self.starts) else len(self.text)

    def end_of_line(self, node: yaml.Node) -> int:
        match = _BREAK.search(self.text, self.end(node))
        end = match.start() if match else len(self.text)
        return len(self.text[:end].rstrip(" \t"))


def _last_line(node: yaml.Node) -> int:
    """The line that a node ends in; a block ends, by its mark, where the next one starts."""
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1])
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1][1])
    ends_before = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return int(node.end_mark.line) - int(ends_before)


def _items(root: yaml.MappingNode) -> Iterator[_Item]:
    """Items of `channels:`, `dependencies:` and `pip:`."""
    for key, value in root.value:
        if key.value not in ("channels", "dependencies") or not isinstance(
            value, yaml.SequenceNode
        ):
            continue
        for index, node in enumerate(value.value):
            yield _Item(node, value, index)
            for _, inner in node.value if isinstance(node, yaml.MappingNode) else ():
                if isinstance(inner, yaml.SequenceNode):
                    yield from (_Item(n, inner, i) for i, n in enumerate(inner.value))
