"""What a prefix factory promises, asked of the fake and of the real ones."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.prefixes.packed import PackedPrefixes
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.errors import InputError, UnavailableError
from envguard.model.subdir import SUBDIRS, current_subdir
from envguard.ports.prefixes import PrefixFactory
from envguard.ports.progress import SILENT
from tests.fakes import FakePrefixFactory
from tests.packs import pack_of
from tests.prefixes import lock_of


@pytest.fixture(params=["fake", "real", "packed"])
def prefixes(
    request: pytest.FixtureRequest, tmp_path: Path, local_channel: LocalChannel
) -> PrefixFactory:
    if request.param == "fake":
        return FakePrefixFactory(tmp_path)
    if request.param == "packed":
        pack_of(local_channel, tmp_path / "x.pack")
        return PackedPrefixes(tmp_path / "x.pack", root=tmp_path)
    return ThrowawayPrefixes(root=tmp_path)


def test_its_python_runs_with_the_environment_of_the_prefix(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    lock = lock_of(local_channel.packages, variables={"GREETING": "hello"})
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        code = "import os; print(os.environ['GREETING'], os.environ['CONDA_PREFIX'])"
        said = subprocess.check_output(
            ["python", "-c", code], text=True, env=dict(prefix.environment)
        )
        assert said.split() == ["hello", str(prefix.path)]
        assert prefix.python.is_relative_to(prefix.path)
        assert prefix.environment["PATH"].startswith(f"{prefix.python.parent}:")


def test_it_is_gone_afterwards(prefixes: PrefixFactory, local_channel: LocalChannel) -> None:
    lock = lock_of(local_channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        assert prefix.python.exists()
    assert not prefix.path.exists()


def test_it_is_gone_after_an_exception(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    made: list[Path] = []

    def work() -> None:
        lock = lock_of(local_channel.packages)
        with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
            made.append(prefix.path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not made[0].exists()


def test_it_stays_when_it_is_to_be_kept(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    lock = lock_of(local_channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=True, progress=SILENT) as prefix:
        pass
    assert prefix.python.exists()


def test_a_lock_for_another_subdir_is_refused(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    other = next(subdir for subdir in SUBDIRS if subdir != current_subdir())
    with (
        pytest.raises(InputError, match=other) as caught,
        prefixes.throwaway(lock_of(local_channel.packages), other, keep=False, progress=SILENT),
    ):
        pass
    assert caught.value.hint


def test_a_lock_without_python_is_refused(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    without = [record for record in local_channel.packages if record.name != "python"]
    with (
        pytest.raises(InputError),
        prefixes.throwaway(lock_of(without), current_subdir(), keep=False, progress=SILENT),
    ):
        pass


def test_a_record_that_nothing_can_be_checked_against_is_refused(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    bare = [replace(record, sha256=None, md5=None) for record in local_channel.packages]
    with (
        pytest.raises(UnavailableError, match="cannot be checked"),
        prefixes.throwaway(lock_of(bare), current_subdir(), keep=False, progress=SILENT),
    ):
        pass


def test_what_is_known_of_it_afterwards_can_be_asked(
    prefixes: PrefixFactory, local_channel: LocalChannel
) -> None:
    lock = lock_of(local_channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        pass
    after = prefix.aftermath()
    assert after.notes == ()
    assert after.throwaway is None or after.throwaway.packages == len(local_channel.packages)
