"""The table of PyTorch's builds against the pytorch channel's own records, where they are at hand."""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict

import pytest
import zstandard

from envguard.adapters.rules import load
from envguard.model.conda import version_matches
from tests.real_data import real_data

_CUDA = re.compile(r"cuda(\d+\.\d+)")
FIRST = "1.9"
"""No list of architectures is known of older builds."""
ALL_THERE = ("1.9.0", "1.9.1", "1.10.0", "1.10.1", "1.10.2", "1.11.0", "1.12.0", "1.12.1", "1.13.0",
             "1.13.1", "2.0.0", "2.0.1", "2.3.0", "2.3.1", "2.5.1")  # fmt: skip
"""Versions of which the data holds the records of every CUDA; of later ones it holds a part."""


def recorded(subdir: str) -> dict[str, set[str]]:
    """The CUDAs of each version for which the data has a record."""
    file = real_data("channels") / "pytorch" / subdir / "repodata.json.zst"
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(file.read_bytes())) as stream:
        repodata = json.loads(stream.read())
    found: dict[str, set[str]] = defaultdict(set)
    for record in (*repodata["packages"].values(), *repodata["packages.conda"].values()):
        cuda = _CUDA.search(record["build"])
        if (
            record["name"] == "pytorch"
            and cuda
            and version_matches(record["version"], f">={FIRST}")
        ):
            found[record["version"]].add(cuda[1])
    return found


def tabled(subdir: str, version: str) -> set[str]:
    return {
        str(cuda)
        for row in load().torch_builds
        if (row.channel, row.subdir) == ("pytorch", subdir) and version_matches(version, row.torch)
        for cuda in row.cuda
    }


@pytest.mark.parametrize("subdir", ["linux-64", "win-64"])
def test_every_build_that_the_channel_has_is_tabled(subdir: str) -> None:
    builds = recorded(subdir)
    assert len(builds) > 5
    assert {v: c - tabled(subdir, v) for v, c in builds.items() if not c <= tabled(subdir, v)} == {}


@pytest.mark.parametrize("version", ALL_THERE)
def test_no_cuda_is_tabled_that_the_version_was_not_built_for(version: str) -> None:
    assert tabled("linux-64", version) == recorded("linux-64")[version]
