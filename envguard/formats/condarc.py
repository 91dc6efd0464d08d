"""A .condarc or .mambarc, and the CONDA_* variables, as settings with the lines that say them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.model.condarc import Condarc, Flag, Item, Kind, Setting

_FLAG = re.compile(r"(?:^|\s)#!(final|top|bottom)\s*$")
_ALIASES = {
    "channel": "channels",
    "whitelist_channels": "allowlist_channels",
    "verify_ssl": "ssl_verify",
    "add_binstar_token": "add_anaconda_token",
    "envs_path": "envs_dirs",
}
KINDS = {
    "channels": Kind.LIST,
    "default_channels": Kind.LIST,
    "channel_alias": Kind.SCALAR,
    "custom_channels": Kind.MAP,
    "custom_multichannels": Kind.MAP_OF_LISTS,
    "allowlist_channels": Kind.LIST,
    "denylist_channels": Kind.LIST,
    "channel_priority": Kind.SCALAR,
    "proxy_servers": Kind.MAP,
    "ssl_verify": Kind.SCALAR,
    "pkgs_dirs": Kind.LIST,
    "envs_dirs": Kind.LIST,
    "offline": Kind.SCALAR,
    "mirrored_channels": Kind.MAP_OF_LISTS,
    "add_pip_as_python_dependency": Kind.SCALAR,
    "add_anaconda_token": Kind.SCALAR,
}


def parse_condarc(text: str, path: str) -> Condarc:
    """Read one file; raises InputError whose `problems` are `file:line: key: what`."""
    root = yaml_reader.compose(text, path)
    reader = _Reader(path, text.splitlines())
    condarc = reader.condarc(root)
    if reader.problems:
        number = len(reader.problems)
        raise InputError(
            f"{path}: {number} mistake{'s'[: number > 1]} in the configuration of conda",
            problems=tuple(reader.problems),
            hint="mend the lines above, or read no such file: --no-condarc",
        )
    return condarc


def environment_settings(variables: Mapping[str, str]) -> Condarc:
    """CONDA_CHANNELS, CONDA_SSL_VERIFY ...: lists are split at commas, paths of
    environments at colons, as conda does; mappings have none."""
    settings, other = {}, {}
    for name, value in variables.items():
        key = name.removeprefix("CONDA_").lower()
        key = _ALIASES.get(key, key)
        kind = KINDS.get(key)
        if name.startswith("CONDA_") and value and kind is None:
            other[key] = f"${name}"
        if not name.startswith("CONDA_") or kind not in (Kind.SCALAR, Kind.LIST) or not value:
            continue
        separator = os.pathsep if key == "envs_dirs" else ","
        texts = [value] if kind is Kind.SCALAR else value.split(separator)
        items = tuple(Item(text.strip(), f"${name}") for text in texts if text.strip())
        settings[key] = Setting(kind, items, f"${name}")
    return Condarc("the environment", settings, other)


@dataclass(slots=True)
class _Reader:
    path: str
    lines: list[str]
    problems: list[str] = field(default_factory=list)

    def condarc(self, root: yaml.Node | None) -> Condarc:
        settings: dict[str, Setting] = {}
        other: dict[str, str] = {}
        if root is None or _is_null(root):
            return Condarc(self.path, settings)
        if not isinstance(root, yaml.MappingNode):
            self.problem(root, None, "`key: value` lines are expected")
            return Condarc(self.path, settings)
        for key_node, value in root.value:
            key = _ALIASES.get(str(key_node.value), str(key_node.value))
            if key in settings:
                self.problem(key_node, key, f"is there twice, first in {settings[key].place}")
            elif key not in KINDS:
                other[key] = self.place(key_node)
            elif not _is_null(value):
                settings[key] = Setting(
                    KINDS[key],
                    tuple(self.items(value, key, KINDS[key])),
                    self.place(key_node),
                    final=self.flag(key_node) is Flag.FINAL,
                )
        return Condarc(self.path, settings, other)

    def items(self, node: yaml.Node, key: str, kind: Kind) -> Iterator[Item]:
        if kind is Kind.SCALAR:
            yield from self.texts([node], key)
        elif kind is Kind.LIST:
            yield from self.list_of_texts(node, key)
        elif not isinstance(node, yaml.MappingNode):
            self.problem(node, key, "a mapping (`name: value` lines) is expected")
        else:
            for name, value in node.value:
                inner, inner_key = str(name.value), f"{key}.{name.value}"
                if kind is Kind.MAP:
                    yield from self.texts([value], inner_key, inner)
                else:
                    yield from self.list_of_texts(value, inner_key, inner)

    def list_of_texts(self, node: yaml.Node, key: str, inner: str | None = None) -> Iterator[Item]:
        if isinstance(node, yaml.SequenceNode):
            yield from self.texts(node.value, key, inner)
        else:
            self.problem(node, key, "a list (`- item` lines) is expected")

    def texts(self, nodes: list[yaml.Node], key: str, inner: str | None = None) -> Iterator[Item]:
        for node in nodes:
            if not isinstance(node, yaml.ScalarNode):
                self.problem(node, key, "a single value is expected")
            elif not _is_null(node) and str(node.value).strip():
                yield Item(str(node.value).strip(), self.place(node), inner, self.flag(node))

    def flag(self, node: yaml.Node) -> Flag | None:
        line = node.end_mark.line
        match = _FLAG.search(self.lines[line]) if line < len(self.lines) else None
        return Flag(match[1]) if match else None

    def place(self, node: yaml.Node) -> str:
        return f"{self.path}:{node.start_mark.line + 1}"

    def problem(self, node: yaml.Node, key: str | None, what: str) -> None:
        self.problems.append(": ".join(part for part in (self.place(node), key, what) if part))


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")
