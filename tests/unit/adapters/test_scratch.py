"""Scratch folders: removed whatever happens, and nobody else's are."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envguard.adapters.scratch import prune, remove_tree, scratch_folder
from envguard.errors import UnavailableError

CHILD = """
import sys, time
from pathlib import Path
from envguard.adapters.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "deep" / "down").mkdir(parents=True)
    (folder / "deep" / "down" / "file").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


def start_child(parent: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(parent)],
        stdout=subprocess.PIPE,
        text=True,
        # under nohup it would inherit that a closed terminal is ignored
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip(), "the child has made its folder"
    return child


def stop(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_a_folder_is_gone_after_normal_use(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "file").write_text("x")
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_gone_after_an_exception(tmp_path: Path) -> None:
    def work() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "file").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert list(tmp_path.iterdir()) == []


def test_a_kept_folder_stays_and_is_not_pruned_later(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, keep=lambda: True) as folder:
        (folder / "file").write_text("x")
    with scratch_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="ctrl-c"),
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGHUP, id="terminal closed"),
    ],
)
def test_a_signal_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    child = start_child(tmp_path)
    try:
        child.send_signal(number)
        assert child.wait(timeout=10) != 0
    finally:
        stop(child)
    assert list(tmp_path.iterdir()) == []


def test_what_kill_9_leaves_is_pruned_at_the_next_start(tmp_path: Path) -> None:
    child = start_child(tmp_path)
    stop(child)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 2, "a folder and its owner file"
    with scratch_folder(tmp_path) as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"{folder.name}.owner"}
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_process_is_not_pruned(tmp_path: Path) -> None:
    child = start_child(tmp_path)
    try:
        assert prune(tmp_path) == ()
        assert len(list(tmp_path.iterdir())) == 2
    finally:
        stop(child)
    assert len(prune(tmp_path)) == 1


def test_an_owner_file_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    target = tmp_path / "elsewhere"
    target.write_text("")
    (tmp_path / "envguard-x.owner").symlink_to(target)
    (tmp_path / "envguard-x").mkdir()
    assert prune(tmp_path) == ()
    assert (tmp_path / "envguard-x").is_dir()


def test_read_only_folders_are_removed_too(tmp_path: Path) -> None:
    folder = tmp_path / "tree" / "inner"
    folder.mkdir(parents=True)
    (folder / "file").write_text("x")
    folder.chmod(0o500)
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_a_second_ctrl_c_waits_until_the_folder_is_gone(tmp_path: Path) -> None:
    code = CHILD.replace(
        "time.sleep(60)",
        """
    for i in range(3000):
        (folder / str(i)).write_text("x")
    print("ready", flush=True)
    time.sleep(60)""",
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.readline()
        for _ in range(4):
            child.send_signal(signal.SIGINT)
            time.sleep(0.01)
        child.wait(timeout=10)
    finally:
        stop(child)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UnavailableError, match="cannot be written to: Not a directory") as caught,
        scratch_folder(tmp_path / "file" / "below"),
    ):
        pass
    assert caught.value.hint is not None
    assert "ENVGUARD_CACHE_DIR" in caught.value.hint


def test_handlers_of_others_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with scratch_folder(tmp_path):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_uses_a_dead_folder_is_ended_before_it_goes(tmp_path: Path) -> None:
    stop(start_child(tmp_path))
    seen = []
    prune(tmp_path, end=lambda folder: seen.append(folder.exists()))
    assert seen == [True]


def test_a_parent_that_the_last_user_removes_is_made_again(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(parent: Path) -> None:
        made.append(parent)
        if len(made) > 1:
            parent.mkdir()

    with scratch_folder(tmp_path / "root", make=make) as folder:
        assert folder.parent == tmp_path / "root"
    assert len(made) == 2


def test_a_signal_while_the_folder_is_made_leaves_nothing(tmp_path: Path) -> None:
    def make(_: Path) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path, make=make):
        pytest.fail("it came late")
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_removed_in_time_is_pruned_later(tmp_path: Path) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path, keep=interrupted) as folder:
        pass
    assert folder.exists()
    assert prune(tmp_path) == (folder,)
    assert list(tmp_path.iterdir()) == []
