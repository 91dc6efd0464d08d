"""Where a throwaway prefix goes, and whether there is room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.adapters.machine.mounts import Mount
from envguard.adapters.prefixes.places import (
    kind_of,
    make_private,
    place_for,
    refuse_without_room,
)
from envguard.errors import UnavailableError

NOTHING = frozenset[str]()


def mounts(root: str, tmp: str, at: Path) -> tuple[Mount, ...]:
    """The root, a home with the cache, and a job's folder, of these kinds."""
    return (
        Mount("/", "/", "ext4", NOTHING),
        Mount("/", str(at / "home"), root, NOTHING),
        Mount("/", str(at / "job"), tmp, NOTHING),
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        pytest.param(0o1777, "scratch/envguard-{uid}-prefixes", id="of the whole machine"),
        pytest.param(0o770, "scratch/envguard-{uid}-prefixes", id="of a group"),
        pytest.param(0o755, "scratch", id="ours, others may look"),
        pytest.param(0o700, "scratch", id="ours"),
        pytest.param(None, "scratch", id="not there yet"),
    ],
)
def test_a_scratch_folder_of_all_gets_one_of_ours(
    tmp_path: Path, mode: int | None, expected: str
) -> None:
    scratch = tmp_path / "scratch"
    if mode is not None:
        scratch.mkdir()
        scratch.chmod(mode)
    place = place_for(tmp_path / "cache", {"ENVGUARD_SCRATCH_DIR": str(scratch)}, ())
    assert place.parent == tmp_path / expected.format(uid=os.getuid())
    make_private(place.parent)


@pytest.mark.parametrize(
    ("cache", "job", "variables", "expected"),
    [
        pytest.param("ext4", "xfs", ["SLURM_TMPDIR"], "home/cache/scratch", id="a local cache"),
        pytest.param("nfs4", "xfs", ["SLURM_TMPDIR"], "job/envguard-{uid}-prefixes", id="a job"),
        pytest.param("lustre", "ext4", ["TMPDIR"], "job/envguard-{uid}-prefixes", id="TMPDIR"),
        pytest.param("nfs", "tmpfs", ["TMPDIR"], "home/cache/scratch", id="memory is no disk"),
        pytest.param("nfs", "ramfs", ["TMPDIR"], "home/cache/scratch", id="nor is this memory"),
        pytest.param("nfs", "nfs", ["TMPDIR"], "home/cache/scratch", id="no better"),
        pytest.param("nfs", "xfs", [], "home/cache/scratch", id="nobody names another"),
        pytest.param("nfs", "xfs", ["ENVGUARD_SCRATCH_DIR"], "job", id="somebody says so"),
        pytest.param("ext4", "xfs", ["ENVGUARD_SCRATCH_DIR"], "job", id="whatever the cache is"),
    ],
)
def test_the_place_of_a_prefix(
    tmp_path: Path, cache: str, job: str, variables: list[str], expected: str
) -> None:
    for name in ("home", "job"):
        (tmp_path / name).mkdir()
    place = place_for(
        tmp_path / "home" / "cache",
        dict.fromkeys(variables, str(tmp_path / "job")),
        mounts(cache, job, tmp_path),
    )
    assert place.parent == tmp_path / expected.format(uid=os.getuid())
    assert place.why


def test_the_last_mount_on_a_point_is_the_one_that_is_seen(tmp_path: Path) -> None:
    seen = (Mount("/", "/", "ext4", NOTHING), Mount("/", "/", "overlay", NOTHING))
    assert kind_of(tmp_path, seen) == "overlay"
    assert kind_of(tmp_path, ()) is None


def test_folders_of_one_file_system_share_its_room(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    refuse_without_room({tmp_path / "a": free // 3, tmp_path / "b": free // 3})
    with pytest.raises(UnavailableError, match="MB free; the packages take"):
        refuse_without_room({tmp_path / "a": free * 2 // 3, tmp_path / "b": free * 2 // 3})


@pytest.mark.parametrize("mode", [0o777, 0o775], ids=["everybody", "the group"])
def test_a_place_where_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(UnavailableError, match="not ours alone"):
        make_private(folder)


def test_a_place_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(UnavailableError, match="not ours alone"):
        make_private(tmp_path / "link")
