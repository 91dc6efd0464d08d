"""conda-meta/history, written and read."""

from __future__ import annotations

from datetime import datetime

import pytest

from envguard.formats.history_writing import (
    NewRevision,
    asked_after,
    dist_string,
    dists_after,
    dump_revision,
    spec_name,
)
from envguard.model.package import PackageRecord

WHEN = datetime(2026, 11, 22, 5, 6, 7)


def test_a_revision_has_the_lines_that_conda_writes() -> None:
    revision = NewRevision(
        WHEN,
        "envguard install --mirror https://me:secret@host/x=y",
        linked=frozenset({"conda-forge/noarch::b-1-0", "conda-forge/noarch::a-2-0"}),
        unlinked=frozenset({"conda-forge/noarch::a-1-0"}),
        specs=("a >=2", "https://me:secret@host/c::b"),
        dropped=("c",),
        version="1.0",
        channels=("https://me:secret@host/c", "conda-forge"),
    )
    assert dump_revision(revision).splitlines() == [
        "==> 2026-11-22 05:06:07 <==",
        "# cmd: envguard install --mirror https://host/x=y",
        "# envguard version: 1.0",
        '# envguard channels: ["https://host/c", "conda-forge"]',
        "-conda-forge/noarch::a-1-0",
        "+conda-forge/noarch::a-2-0",
        "+conda-forge/noarch::b-1-0",
        '# remove specs: ["c"]',
        '# update specs: ["a >=2", "https://host/c::b"]',
    ]


def test_a_command_cannot_add_lines() -> None:
    text = dump_revision(NewRevision(WHEN, "envguard install 'x\n+evil::a-1-0'"))
    assert dists_after(text) == frozenset()


@pytest.mark.parametrize(
    ("history", "left"),
    [
        pytest.param("", set(), id="none"),
        pytest.param(
            "==> t <==\na-1-0\nb-1-0\n", {"a-1-0", "b-1-0"}, id="a state, as conda 3 wrote it"
        ),
        pytest.param(
            "==> t <==\na-1-0\n==> t <==\n-a-1-0\n+a-2-0\n", {"a-2-0"}, id="a change of it"
        ),
        pytest.param("+lost-1-0\n==> t <==\n+a-1-0\n", {"a-1-0"}, id="before the first head"),
        pytest.param("==> t <==\n+a-1-0\n==> t <==\n# cmd: x\n", set(), id="a state of nothing"),
    ],
)
def test_what_the_newest_revision_left(history: str, left: set[str]) -> None:
    assert dists_after(history) == left


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (["# update specs: ['a >=1']", '# update specs: ["a >=2", "b"]'], {"a": "a >=2", "b": "b"}),
        (["# install specs: a,b", "# remove specs: ['a']"], {"b": "b"}),
        (["# update specs: ['c::a[version=\">=1\"]']"], {"a": 'c::a[version=">=1"]'}),
        (["# update specs: [[[["], {"[[[[": "[[[["}),
    ],
)
def test_what_was_asked_for(lines: list[str], asked: dict[str, str]) -> None:
    assert asked_after(lines) == asked


def test_names() -> None:
    assert spec_name("conda-forge::NumPy>=1.2") == "numpy"
    record = PackageRecord("a", "1.0", build="h_0", channel="conda-forge", subdir="noarch")
    assert dist_string(record) == "conda-forge/noarch::a-1.0-h_0"
