"""What `pack` says before it fetches, and what stops it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from envguard.adapters.archives import ArchiveCache
from envguard.commands.pack import PackRequest, fetching, pack
from envguard.errors import UnavailableError
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.pack import Wanted
from envguard.model.package import PackageRecord
from tests.prefixes import lock_of

RECORD = PackageRecord("x", "1")
HERE = Wanted(RECORD, Path("x"), "0" * 64, 7)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        pytest.param([HERE, HERE], "all 2 files are here", id="all here"),
        pytest.param(
            [HERE, Wanted(RECORD, size_bytes=310_000_000)],
            "fetching 1 of 2 files, 310.0 MB (the others are here)",
            id="one is not",
        ),
        pytest.param(
            [Wanted(RECORD, size_bytes=1_500_000_000)] * 2,
            "fetching 2 of 2 files, 3,000.0 MB",
            id="none is",
        ),
        pytest.param(
            [Wanted(RECORD, size_bytes=1_000_000), Wanted(RECORD), Wanted(RECORD)],
            "fetching 3 of 3 files, 1.0 MB and 2 whose size nobody tells",
            id="sizes that are not known",
        ),
    ],
)
def test_the_size_is_said_before_the_download(wanted: Sequence[Wanted], told: str) -> None:
    assert fetching(wanted) == told


def test_nothing_is_fetched_where_it_would_not_fit(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/noarch/x-1-0.conda"
    record = PackageRecord("x", "1", subdir="noarch", url=url, sha256="0" * 64, size_bytes=10**18)
    lock = lock_of([record])
    asked: list[tuple[int, int]] = []

    def room(fetched: int, packed: int) -> None:
        asked.append((fetched, packed))
        raise UnavailableError("no room")

    def write(*_: object) -> tuple[str, int]:
        raise AssertionError("nothing is written")

    text = dump_conda_lock(lock, created_by="test")
    request = PackRequest("conda-lock.yml", text, lock, "x.pack", "2026-11-22")
    with pytest.raises(UnavailableError, match="no room"):
        pack(request, archives=ArchiveCache(tmp_path), room=room, write=write)
    assert asked == [(10**18, 10**18)]
    assert list(tmp_path.iterdir()) == []
