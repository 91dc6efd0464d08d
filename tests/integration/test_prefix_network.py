"""Packages for a throwaway prefix: from channels that want a credential, from conda's own caches, by size."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.errors import UnavailableError
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.network import Network
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from tests.channel_server import PASSWORD, TOKEN, Behaviour, channel_server
from tests.integration.test_prefix import Noted, moved
from tests.prefixes import lock_of


def made(prefixes: ThrowawayPrefixes, records: Sequence[PackageRecord]) -> str:
    """Make a prefix; the first thing that was said of it."""
    noted = Noted()
    with prefixes.throwaway(
        lock_of(records), current_subdir(), keep=False, progress=noted
    ) as prefix:
        assert list(prefix.path.glob("lib/python*/site-packages/tiny/__init__.py"))
    return noted.stages[0]


@pytest.mark.parametrize(
    ("wants", "written"),
    [
        pytest.param(Behaviour(basic=f"me:{PASSWORD}"), f"me:{PASSWORD}@", id="password"),
        pytest.param(Behaviour(token=TOKEN), f"t/{TOKEN}", id="token"),
    ],
)
def test_credentials_of_the_configuration_fetch_what_the_lock_names_without_them(
    wants: Behaviour, written: str, local_channel: LocalChannel, tmp_path: Path
) -> None:
    with channel_server(local_channel.directory, wants) as url:
        with_them = url.replace("://", f"://{written}") if "@" in written else f"{url}/{written}"
        records = moved(local_channel, url)
        known = Network(credentials={url: with_them})
        made(ThrowawayPrefixes(root=tmp_path / "a", network=known), records)
        with pytest.raises(UnavailableError) as none:
            made(ThrowawayPrefixes(root=tmp_path / "b"), records)
        wrong = Network(credentials={url: with_them.replace("s3cret", "wr0ng-s3cret")})
        with pytest.raises(UnavailableError) as refused:
            made(ThrowawayPrefixes(root=tmp_path / "c", network=wrong), records)
    for error in (none.value, refused.value):
        assert "wants some" in error.message
        assert "machine 127.0.0.1 login" in (error.hint or "")
        assert "s3cret" not in f"{error.message} {error.hint} {error.problems}"


@pytest.fixture
def conda_cache(local_channel: LocalChannel, tmp_path: Path) -> Path:
    """A pkgs_dir of conda that holds the archives, and that nobody may write to."""
    folder = tmp_path / "pkgs"
    folder.mkdir()
    for record in local_channel.packages:
        shutil.copy(local_channel.path_of(record), folder)
    folder.chmod(0o555)
    return folder


def test_archives_of_condas_caches_are_used_without_a_network_and_not_changed(
    local_channel: LocalChannel, conda_cache: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in conda_cache.iterdir())
    prefixes = ThrowawayPrefixes(root=tmp_path / "ours", pkgs_dirs=[conda_cache], offline=True)
    said = made(prefixes, moved(local_channel, "https://nobody.example/ch"))
    assert said == "checking 3 packages, all of them here"
    assert sorted(path.name for path in conda_cache.iterdir()) == before


def test_an_archive_that_is_not_what_was_locked_is_passed_over(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    folder = tmp_path / "pkgs"
    folder.mkdir()
    for record in local_channel.packages:
        (folder / local_channel.path_of(record).name).write_bytes(b"something else")
    seen = Behaviour()
    with channel_server(local_channel.directory, seen) as url:
        made(
            ThrowawayPrefixes(root=tmp_path / "ours", pkgs_dirs=[folder]), moved(local_channel, url)
        )
    assert len([path for path in seen.asked if path.endswith(".conda")]) == 3


def test_the_size_of_a_download_is_said_before_and_what_is_cached_is_taken_off(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    with channel_server(local_channel.directory) as url:
        records = [replace(r, size_bytes=5_000_000) for r in moved(local_channel, url)]
        tiny = [r for r in records if r.name != "tiny"]
        prefixes = ThrowawayPrefixes(root=tmp_path)
        with prefixes.throwaway(
            lock_of(tiny), current_subdir(), keep=False, progress=(first := Noted())
        ):
            pass
        rest = made(prefixes, records)
        again = made(prefixes, records)
    assert first.stages[0] == "fetching 2 of 2 packages, 10 MB"
    assert rest == "fetching 1 of 3 packages, 5 MB (2 are here)"
    assert again == "checking 3 packages, all of them here"


def test_sizes_survive_the_way_through_a_lock(local_channel: LocalChannel) -> None:
    lock = lock_of(moved(local_channel, "https://nobody.example/ch"))
    sizes = {package.record.name: package.record.size_bytes for package in lock.packages}
    assert all(sizes.values())
    again = parse_conda_lock(dump_conda_lock(lock, created_by="test"), "conda-lock.yml")
    assert {p.record.name: p.record.size_bytes for p in again.packages} == sizes


@pytest.mark.parametrize("text", ["{", "[]", '{"tiny": "1"}', '{"x.conda": true}', "null"])
def test_damaged_sizes_are_not_known(text: str, local_channel: LocalChannel) -> None:
    bare = [replace(r, size_bytes=None) for r in moved(local_channel, "https://nobody.example/ch")]
    lock = replace(lock_of(bare), custom_metadata={"envguard_sizes": text})
    again = parse_conda_lock(dump_conda_lock(lock, created_by="test"), "conda-lock.yml")
    assert [package.record.size_bytes for package in again.packages] == [None] * 3
