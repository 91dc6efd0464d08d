"""Stamps on disk: whole or not at all, and records that do not mix."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envguard import stamp_file
from envguard.adapters import stamps
from envguard.errors import InputError, UnavailableError
from tests.stamps import LOCK, machine_in, stamp_of

WRITER = """
import json, sys
from pathlib import Path
from envguard.adapters import stamps
stamp = json.loads(Path(sys.argv[1]).read_text())
print("ready", flush=True)
while True:
    stamps.keep(stamp, "there.yml")
"""
RECORDER = """
import sys
from pathlib import Path
from envguard.adapters import stamps
for number in range(50):
    stamps.record(Path(sys.argv[1]), {"who": sys.argv[2], "number": number, "long": "x" * 9000})
"""
KEEPER = """
import json, sys
from pathlib import Path
from envguard.adapters import stamps
for _ in range(20):
    stamps.keep(json.loads(Path(sys.argv[1]).read_text()), "there.yml")
"""
NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from envguard.adapters import stamps
from envguard.errors import UnavailableError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
try:
    stamps.record(Path(sys.argv[1]), {"long": "x" * 100})
except UnavailableError as error:
    print(error.message)
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_writer_that_is_killed_leaves_a_whole_stamp_and_the_next_one_tidies(
    tmp_path: Path,
) -> None:
    stamp = stamp_of(machine_in(tmp_path / "root"), {})
    (tmp_path / "stamp.json").write_text(json.dumps(stamp))
    chance = random.Random(5)
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "stamp.json")], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert stamp_file.read_stamp(LOCK, str(stamp["machine"])) in (None, stamp)
    folder = Path(stamp_file.folder_of(str(stamp["machine"])))
    (folder / f".{LOCK}.json.left").write_text("{")
    stamps.keep(stamp, "there.yml")
    place = stamp_file.place_of("there.yml")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [".lock", f"{LOCK}.json", place]
    )
    assert stamp_file.read_stamp(LOCK, str(stamp["machine"])) == stamp


def test_writers_at_once_end_with_one_whole_stamp(tmp_path: Path) -> None:
    stamp = stamp_of(machine_in(tmp_path / "root"), {})
    (tmp_path / "stamp.json").write_text(json.dumps(stamp))
    command = [sys.executable, "-c", KEEPER, str(tmp_path / "stamp.json")]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0] * 4
    assert stamp_file.read_stamp(LOCK, str(stamp["machine"])) == stamp


def test_the_folder_is_the_users_alone(tmp_path: Path) -> None:
    stamp = stamp_of(machine_in(tmp_path / "root"), {})
    stamps.keep(stamp, "there.yml")
    assert Path(stamp_file.folder_of(str(stamp["machine"]))).stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_the_outsides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", os.devnull)
    with pytest.raises(UnavailableError) as caught:
        stamps.keep(stamp_of(machine_in(tmp_path / "root"), {}), "there.yml")
    assert "ENVGUARD_STATE_DIR" in str(caught.value.hint)


def test_records_of_many_processes_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "verified.jsonl"
    file.write_text('{"who": "a writer that was killed", "num')
    command = [sys.executable, "-c", RECORDER, str(file)]
    children = [subprocess.Popen([*command, str(who)]) for who in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0] * 4
    cut, *lines = file.read_text().splitlines()
    assert cut.endswith('"num')
    told = sorted((value["who"], value["number"]) for value in map(json.loads, lines))
    assert told == [(str(who), number) for who in range(4) for number in range(50)]


def test_the_same_stamp_is_recorded_once(tmp_path: Path) -> None:
    file = tmp_path / "verified.jsonl"
    for number in (1, 1, 2):
        stamps.record(file, {"number": number})
    assert file.read_text() == '{"number": 1}\n{"number": 2}\n'


def test_a_disk_that_fills_up_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "verified.jsonl"
    file.write_text('{"number": 1}\n')
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(file)], capture_output=True, text=True, check=False
    )
    assert "could not be written" in done.stdout, done.stderr
    assert file.read_text() == '{"number": 1}\n'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("", "it is no regular file", id="a folder"),
        pytest.param("missing/verified.jsonl", "cannot be written to", id="no folder"),
    ],
)
def test_a_record_that_cannot_be_written_is_told_first(
    tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        stamps.check_record(tmp_path / name)
    stamps.check_record(tmp_path / "verified.jsonl")
    assert list(tmp_path.iterdir()) == []
