"""What a package would write outside of a prefix: rattler 0.28 joins the paths that it lists as they are.

It refuses such paths in archives and in the names of entry points by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePath


def escaping(package: Path) -> str | None:
    """The first path in the unpacked `package` that is not below the prefix, else None.

    Raises what Python raises where its lists cannot be read.
    """
    return next((path for path in _listed(package / "info") if leaves(path)), None)


def _listed(info: Path) -> Iterator[str]:
    if (info / "paths.json").is_file():
        for entry in json.loads((info / "paths.json").read_bytes())["paths"]:
            yield entry["_path"]
    elif (info / "files").is_file():  # packages of the old kind
        yield from (info / "files").read_text(encoding="utf-8").splitlines()


def leaves(path: str) -> bool:
    """Whether it is not below the folder that it is of."""
    parts = PurePath(path)
    return parts.is_absolute() or ".." in parts.parts
