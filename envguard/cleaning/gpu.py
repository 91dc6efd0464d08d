"""Which part of a build string chooses a GPU, and which packages choose one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from envguard.model.package import PackageRecord

_CUDA_BUILD = re.compile(r"cuda\d*(?:\.\d+)?")
_WORD = re.compile(r"(?:^|_)(cpu|gpu)(?=_|$)")
_ASKS_A_DRIVER = {"__cuda", "pytorch-mutex"}
"""The pytorch channel's records depend on no `__cuda`; its mutex is what tells their builds apart."""
METAPACKAGES = ("pytorch-gpu", "pytorch-cuda", "cuda-version", "cudatoolkit")
"""Their version is a CUDA's, or that of what they bring: the build alone is the choice."""


def gpu_choice(build: str | None) -> str | None:
    """The part of a build that chooses a GPU: `*cuda129*`, `*cuda11.8*`, `gpu_*`, `cpu*`; else None."""
    if build is None:
        return None
    if match := _CUDA_BUILD.search(build):
        return f"*{match[0]}*"
    if match := _WORD.search(build):
        return f"{match[1]}*" if match.start() == 0 else f"*_{match[1]}*"
    return None


def cuda_bound(record: PackageRecord | None) -> str | None:
    """The GPU choice of a record that asks for a driver itself; its companions follow it."""
    if record is None or not _ASKS_A_DRIVER & {spec.split(" ")[0] for spec in record.depends}:
        return None
    choice = gpu_choice(record.build)
    return choice if choice is not None and "cuda" in choice else None


def undecided(records: Sequence[PackageRecord], deciding: Sequence[str]) -> Iterator[PackageRecord]:
    """CUDA builds that no package of `deciding` brings: nobody named them, and a CPU build would do as well.

    Of several the topmost, which bring the others.
    """
    by_name = {record.name: record for record in records}
    reached = _reached(deciding, by_name)
    bound = [record for record in records if cuda_bound(record) and record.name not in reached]
    brought = {
        name for record in bound for name in _reached([record.name], by_name) - {record.name}
    }
    yield from (record for record in bound if record.name not in brought)


def _reached(names: Sequence[str], by_name: Mapping[str, PackageRecord]) -> set[str]:
    """The packages of these names and all that they need."""
    found: set[str] = set()
    left = [name for name in names if name in by_name]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            needs = (spec.split(" ")[0] for spec in by_name[name].depends)
            left += [need for need in needs if need in by_name]
    return found
