"""An installation that is killed or interrupted at any time: run again, it ends right."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from envguard.adapters.prefixes.conda_meta import HALF
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.cli.main import run
from envguard.model.package import PackageRecord
from tests.installs import package, tree, write_lock
from tests.prefix_server import serve
from tests.prefixes import wheel_record
from tests.wheels import make_wheel

COMMAND = [sys.executable, "-m", "envguard", "install"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))


def records(channel: Path, version: str, *, count: int = 60) -> list[PackageRecord]:
    """Packages of which each version has some files of its own and loses others."""
    found = []
    for number in range(count):
        name = f"p{number}"
        files = {f"share/{name}/{i}-{version}": f"{name} {i} {version}\n" for i in range(20)}
        files[f"share/{name}/same"] = "same\n"
        found.append(package(channel, name, version, files))
    return found


def start(lock: Path, prefix: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, str(lock), "-p", str(prefix)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def until_half(child: subprocess.Popen[bytes], prefix: Path) -> None:
    """Wait until it has begun to change the prefix, or has ended."""
    end = time.monotonic() + 30
    while not (prefix / "conda-meta" / HALF).exists() and child.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.002)


def end(child: subprocess.Popen[bytes], number: int) -> str:
    helpers = psutil.Process(child.pid).children(recursive=True) if child.poll() is None else []
    child.send_signal(number)
    _, err = child.communicate(timeout=30)
    assert psutil.wait_procs(helpers, timeout=5)[1] == [], "what it started ends with it"
    return err.decode()


@pytest.mark.parametrize("over", [False, True], ids=["new", "over another"])
def test_killed_at_each_stage_the_next_run_ends_it(over: bool, tmp_path: Path) -> None:
    old, new = records(tmp_path / "c", "1.0"), records(tmp_path / "c", "2.0")
    old_lock = write_lock(tmp_path / "old.yml", old, specs=("p1",))
    lock = write_lock(tmp_path / "new.yml", new, specs=("p1", "p2"))
    whole = tmp_path / "whole"
    assert run(["install", str(lock), "-p", str(whole)]) == 0
    chance = random.Random(over)
    halves = 0
    for attempt in range(6):
        prefix = tmp_path / f"env-{attempt}"
        if over:
            assert run(["install", str(old_lock), "-p", str(prefix)]) == 0
        child = start(lock, prefix)
        until_half(child, prefix)
        time.sleep(chance.uniform(0, 0.25))
        end(child, signal.SIGKILL)
        if half := (prefix / "conda-meta" / HALF).exists():
            assert any(
                "half-installed" in told for told in PrefixReaderOnDisk().read(prefix).problems
            )
        halves += half
        assert run(["install", str(lock), "-p", str(prefix)]) == 0
        assert tree(prefix) == tree(whole)
        assert not (prefix / "conda-meta" / HALF).exists()
        found = PrefixReaderOnDisk().read(prefix)
        assert found.problems == ()
        assert found.requested == ("p1", "p2")
    assert halves, "none was killed halfway: the test has to be made slower"
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "SIGTERM"])
def test_interrupted_a_new_prefix_is_gone(tmp_path: Path, number: signal.Signals) -> None:
    lock = write_lock(tmp_path / "lock.yml", records(tmp_path / "c", "1.0"), specs=("p1",))
    prefix = tmp_path / "above" / "env"
    with serve(tmp_path / "c", stalling=True) as url:
        lock.write_text(lock.read_text().replace((tmp_path / "c").as_uri(), url))
        child = start(lock, prefix)
        until_half(child, prefix)
        end(child, number)
    assert child.returncode == (130 if number is signal.SIGINT else 128 + number)
    assert not (tmp_path / "above").exists()
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []


def test_interrupted_while_it_fetches_a_prefix_that_was_there_is_as_it_was(tmp_path: Path) -> None:
    old, new = records(tmp_path / "c", "1.0", count=3), records(tmp_path / "c", "2.0", count=3)
    prefix = tmp_path / "env"
    assert run(["install", str(write_lock(tmp_path / "old.yml", old)), "-p", str(prefix)]) == 0
    before = tree(prefix)
    lock = write_lock(tmp_path / "new.yml", new)
    with serve(tmp_path / "c", stalling=True) as url:
        lock.write_text(lock.read_text().replace((tmp_path / "c").as_uri(), url))
        child = start(lock, prefix)
        time.sleep(2.5)  # it waits for the server
        assert child.poll() is None
        err = end(child, signal.SIGINT)
    assert child.returncode == 130
    assert "half changed" not in err
    assert tree(prefix) == before
    assert PrefixReaderOnDisk().read(prefix).problems == ()


def test_interrupted_while_it_changes_a_prefix_it_says_so(tmp_path: Path) -> None:
    old, new = records(tmp_path / "c", "1.0"), records(tmp_path / "c", "2.0")
    prefix = tmp_path / "env"
    assert run(["install", str(write_lock(tmp_path / "old.yml", old)), "-p", str(prefix)]) == 0
    lock = write_lock(tmp_path / "new.yml", new)
    child = start(lock, prefix)
    until_half(child, prefix)
    err = end(child, signal.SIGINT)
    if not (prefix / "conda-meta" / HALF).exists():
        pytest.fail("it had ended before it was interrupted: the test has to be made slower")
    assert "is half changed; run the same again to finish it" in err
    assert "nothing was left behind" not in err
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert len(list((prefix / "conda-meta").glob("*.json"))) == 60


def test_killed_in_pips_part_the_next_run_ends_it(
    local_channel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = [
        make_wheel(
            tmp_path / "w", f"big{n}", "1.0", {f"big{n}/{i}.py": f"V = {i}\n" for i in range(400)}
        )
        for n in range(8)
    ]
    pip = [wheel_record(w, name=w.name.split("-")[0], version="1.0") for w in wheels]
    lock = write_lock(tmp_path / "lock.yml", [*local_channel.packages, *pip], specs=("python",))
    prefix = tmp_path / "env"
    child = start(lock, prefix)
    site = None
    until = time.monotonic() + 30
    while site is None and time.monotonic() < until and child.poll() is None:
        site = next(prefix.glob("lib/python3*/site-packages/big*"), None)
    end(child, signal.SIGKILL)
    assert (prefix / "conda-meta" / HALF).exists()
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    assert "did not end; it is finished with this one" in capsys.readouterr().out
    found = PrefixReaderOnDisk().read(prefix)
    assert found.problems == ()
    assert sum(r.name.startswith("big") for r in found.records) == 8
    code = "import importlib; [importlib.import_module(f'big{n}.{i}') for n in range(8) for i in range(400)]"
    subprocess.run([prefix / "bin/python", "-I", "-c", code], check=True)


def test_two_at_once_one_waits_its_turn(tmp_path: Path) -> None:
    lock = write_lock(tmp_path / "lock.yml", records(tmp_path / "c", "1.0", count=2))
    prefix = tmp_path / "env"
    with serve(tmp_path / "c", stalling=True) as url:
        lock.write_text(lock.read_text().replace((tmp_path / "c").as_uri(), url))
        child = start(lock, prefix)
        until_half(child, prefix)
        second = subprocess.run(
            [*COMMAND, str(lock), "-p", str(prefix)], capture_output=True, text=True, check=False
        )
        end(child, signal.SIGINT)
    assert second.returncode == 4
    assert "another envguard install is at work on" in second.stderr
    assert list((tmp_path / "cache" / "scratch").iterdir()) == []
