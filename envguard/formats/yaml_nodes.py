"""What plain data no longer tells of a YAML file."""

from __future__ import annotations

import yaml

from envguard.errors import InputError


def refuse_repeated_keys(root: yaml.Node, where: str) -> None:
    """Raise InputError for a key that is there twice in one mapping: YAML would drop the first."""
    problems: list[str] = []
    open_nodes, seen_nodes = [root], set[int]()
    while open_nodes:
        node = open_nodes.pop()
        if id(node) in seen_nodes:  # an alias
            continue
        seen_nodes.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            open_nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                open_nodes.append(value)
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if key.value in lines:
                    first = lines[key.value]
                    problems.append(
                        f"{where}:{line}: {key.value}: is there already, in line {first}"
                    )
                lines.setdefault(key.value, line)
    if problems:
        raise InputError(f"{where}: a key is there twice", problems=tuple(sorted(problems)))
