"""`stamp check` on machines in a folder: what holds, what does not, and what nobody can tell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from envguard import stamp_check, stamp_file
from envguard.adapters import stamps
from envguard.adapters.rules import rules_directory
from envguard.formats.locks.pack_index import BLOCK
from envguard.model.pack import INDEX_PATH, LOCK_PATH, START
from envguard.stamp_changes import CANNOT_TELL, NOT_PROVEN, PROVEN
from tests.packs import lock_text, make_pack, sha256_of, tar_of
from tests.stamps import LOCK, A, B, C, machine_in, stamp_of


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVGUARD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path / "state"


def asked(root: Path, digest: str = LOCK, **environment: str) -> tuple[int, str]:
    """Code and reason for the lock `there.yml`."""
    code, reason, _ = stamp_check.answer(
        "there.yml", digest, environment=environment, root=str(root)
    )
    return code, reason


def rebuilt(root: Path, **facts: object) -> Path:
    """The machine at `root` with other facts, in a folder beside it."""
    return machine_in(root.with_name("now"), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("then", "now", "environment", "code", "words"),
    [
        pytest.param({}, {}, {}, PROVEN, "ran on 2 GPUs, driver 570.124.06", id="nothing changed"),
        pytest.param({}, {"driver": "570.124.6"}, {}, PROVEN, "ran", id="the driver, written otherwise"),
        pytest.param(
            {}, {"driver": "570.124.07"}, {}, NOT_PROVEN,
            "driver 570.124.07 was 570.124.06", id="one patch newer",
        ),
        pytest.param({}, {"driver": None}, {}, NOT_PROVEN, "driver none was", id="no driver any more"),
        pytest.param(
            {}, {"driver": None, "pci": True}, {}, CANNOT_TELL, "not loaded", id="not loaded yet"
        ),
        pytest.param({}, {"gpus": [A]}, {}, PROVEN, "ran", id="one of two cards is left"),
        pytest.param({}, {"gpus": [A, C]}, {}, NOT_PROVEN, "is new", id="one card of two replaced"),
        pytest.param({}, {"gpus": [A, B, C]}, {}, NOT_PROVEN, "is new", id="a card was added"),
        pytest.param({}, {"gpus": [C]}, {}, NOT_PROVEN, "is new", id="all cards are others"),
        pytest.param({}, {"gpus": ["GPU-????????"]}, {}, CANNOT_TELL, "UUID", id="no UUID"),
        pytest.param({}, {"gpus": []}, {}, CANNOT_TELL, "/dev/nvidia", id="no card is listed"),
        pytest.param(
            {}, {"nodes": False}, {}, CANNOT_TELL, "container", id="a container without the GPU"
        ),
        pytest.param(
            {}, {"gpus": [A, C]}, {"CUDA_VISIBLE_DEVICES": A[:9]}, PROVEN, "ran", id="the proven one chosen"
        ),
        pytest.param(
            {}, {"gpus": [A, C]}, {"CUDA_VISIBLE_DEVICES": C}, NOT_PROVEN, "is new", id="the new one chosen"
        ),
        pytest.param(
            {}, {"gpus": [A, C]}, {"CUDA_VISIBLE_DEVICES": "0"}, CANNOT_TELL, "which GPU",
            id="an index may mean another card in a cgroup",
        ),
        pytest.param({}, {}, {"CUDA_VISIBLE_DEVICES": "1"}, PROVEN, "ran", id="any index is proven"),
        pytest.param(
            {}, {}, {"CUDA_VISIBLE_DEVICES": ""}, NOT_PROVEN, "none is visible", id="all hidden"
        ),
        pytest.param(
            {}, {}, {"CUDA_VISIBLE_DEVICES": "MIG-1"}, CANNOT_TELL, "MIG", id="a part of a card"
        ),
        pytest.param(
            {}, {}, {"LD_LIBRARY_PATH": "/x"}, NOT_PROVEN, "LD_LIBRARY_PATH changed", id="other libraries"
        ),
        pytest.param(
            {}, {}, {"PYTHONPATH": "/x"}, NOT_PROVEN, "PYTHONPATH changed", id="other modules"
        ),
        pytest.param({"driver": None}, {"driver": None}, {}, PROVEN, "ran on the CPU", id="no GPU, as then"),
        pytest.param(
            {"driver": None}, {}, {}, NOT_PROVEN, "driver 570.124.06 was none", id="a GPU came"
        ),
        pytest.param(
            {"driver": None}, {"driver": None, "pci": True}, {}, CANNOT_TELL, "not loaded",
            id="a GPU came, without a driver",
        ),
    ],
)  # fmt: skip
def test_a_stamp_holds_while_the_machine_is_the_same(
    tmp_path: Path,
    then: dict[str, object],
    now: dict[str, object],
    environment: dict[str, str],
    code: int,
    words: str,
) -> None:
    before = machine_in(tmp_path / "then", **then)  # type: ignore[arg-type]
    stamps.keep(stamp_of(before, {}), "there.yml")
    told, reason = asked(rebuilt(before, **now), **environment)
    assert (told, words in reason) == (code, True), reason


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        pytest.param({"tier": "imported"}, NOT_PROVEN, "imported", id="only imported"),
        pytest.param({"verdict": "fail"}, NOT_PROVEN, "fail", id="failed"),
        pytest.param({"verdict": "unknown"}, NOT_PROVEN, "unknown", id="unknown is no pass"),
        pytest.param({"verdict": "warn"}, PROVEN, "ran", id="a warning"),
        pytest.param({"until": "1999-01-01"}, NOT_PROVEN, "waiver", id="its waiver ended"),
        pytest.param({"until": "2999-01-01"}, PROVEN, "ran", id="its waiver holds"),
        pytest.param({"probes": {"matmul.py": "0"}}, NOT_PROVEN, "probes changed", id="other probes"),
        pytest.param({"cpu": "0" * 32}, NOT_PROVEN, "CPU", id="another CPU"),
        pytest.param({"glibc": "2.17"}, NOT_PROVEN, "was 2.17", id="another glibc"),
        pytest.param({"gpus": None}, NOT_PROVEN, "damaged: gpus", id="a key of another type"),
        pytest.param({"ran": {"matmul": 1}}, NOT_PROVEN, "damaged: ran", id="a value of another type"),
        pytest.param({"schema_version": 2}, NOT_PROVEN, "newer envguard", id="of the future"),
        pytest.param({"schema_version": True}, NOT_PROVEN, "no version", id="true is not 1"),
        pytest.param({"schema_version": "1"}, NOT_PROVEN, "no version", id="text is not 1"),
    ],
)  # fmt: skip
def test_a_stamp_says_itself_whether_it_counts(
    tmp_path: Path, more: dict[str, object], code: int, words: str
) -> None:
    root = machine_in(tmp_path / "root")
    stamps.keep(stamp_of(root, {}, **more), "there.yml")
    told, reason = asked(root)
    assert (told, words in reason) == (code, True), reason


def test_a_stamp_without_what_verify_could_not_observe_proves_nothing(tmp_path: Path) -> None:
    root = machine_in(tmp_path / "root")
    for key, words in (("driver", "could not ask"), ("gpus", "could not look")):
        stamp = stamp_of(root, {})
        del stamp[key]
        stamps.keep({**stamp, "seal": stamp_file.seal_of(stamp)}, "there.yml")
        code, reason = asked(root)
        assert (code, words in reason) == (NOT_PROVEN, True), reason


def test_a_lock_for_the_cpu_holds_on_any_driver(tmp_path: Path) -> None:
    before = machine_in(tmp_path / "then")
    stamps.keep(stamp_of(before, {}, device="cpu"), "there.yml")
    assert asked(rebuilt(before, driver="999.1", gpus=[C]))[0] == PROVEN


def damages() -> dict[str, Callable[[Path], object]]:
    def linked(path: Path) -> None:
        path.rename(path.with_name("elsewhere"))
        path.symlink_to(path.with_name("elsewhere"))

    def edited(path: Path) -> None:
        path.write_text(path.read_text().replace("570.124.06", "570.124.07"))

    def piped(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    return {
        "empty": lambda path: path.write_bytes(b""),
        "no JSON": lambda path: path.write_bytes(b"\xff\x00"),
        "nested": lambda path: path.write_bytes(b"[" * 200_000),
        "a list": lambda path: path.write_bytes(b"[]"),
        "null": lambda path: path.write_bytes(b"null"),
        "an object": lambda path: path.write_bytes(b"{}"),
        "large": lambda path: path.write_bytes(b" " * (stamp_file.MAX_BYTES + 1)),
        "edited": edited,
        "a link": linked,
        "a pipe": piped,
    }


@pytest.mark.parametrize("damage", damages())
def test_a_damaged_stamp_does_not_hold_and_says_so(
    tmp_path: Path, state: Path, damage: str
) -> None:
    root = machine_in(tmp_path / "root")
    stamps.keep(stamp_of(root, {}), "there.yml")
    (path,) = state.glob(f"*/*/{LOCK}.json")
    damages()[damage](path)
    code, reason = asked(root)
    assert code == NOT_PROVEN
    assert "damaged" in reason or "foreign" in reason


def test_no_part_of_a_stamp_holds(tmp_path: Path, state: Path) -> None:
    root = machine_in(tmp_path / "root")
    stamps.keep(stamp_of(root, {}), "there.yml")
    (path,) = state.glob(f"*/*/{LOCK}.json")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        assert asked(root)[0] == NOT_PROVEN, length


def test_the_stamp_of_another_lock_or_machine_under_this_name_is_foreign(
    tmp_path: Path, state: Path
) -> None:
    root = machine_in(tmp_path / "root")
    stamps.keep(stamp_of(root, {}), "there.yml")
    (path,) = state.glob(f"*/*/{LOCK}.json")
    path.with_name("b" * 64 + ".json").write_bytes(path.read_bytes())
    assert asked(root, "b" * 64) == (NOT_PROVEN, "the stamp is foreign: of another lock")
    other = machine_in(tmp_path / "other", machine_id="1" * 32)
    there = Path(stamp_file.folder_of(stamp_file.machine_id(str(other))))
    there.mkdir()
    (there / path.name).write_bytes(path.read_bytes())
    assert asked(other) == (NOT_PROVEN, "the stamp is foreign: of another machine")


def test_a_lock_that_changed_is_told_from_one_that_was_never_verified(tmp_path: Path) -> None:
    root = machine_in(tmp_path / "root")
    assert asked(root) == (NOT_PROVEN, "never verified here")
    stamps.keep(stamp_of(root, {}), "there.yml")
    assert asked(root, "b" * 64) == (NOT_PROVEN, "the lock changed")


def test_another_machine_of_the_same_home_has_no_stamp(tmp_path: Path) -> None:
    stamps.keep(stamp_of(machine_in(tmp_path / "one"), {}), "there.yml")
    assert asked(machine_in(tmp_path / "two", machine_id="1" * 32)) == (
        NOT_PROVEN, "never verified here",
    )  # fmt: skip


def test_wsl_and_a_hidden_proc_cannot_be_told(tmp_path: Path) -> None:
    before = machine_in(tmp_path / "then")
    stamps.keep(stamp_of(before, {}), "there.yml")
    now = rebuilt(before, driver=None)
    (now / "dev/dxg").write_text("")
    assert asked(now) == (CANNOT_TELL, "the driver cannot be read cheaply (WSL2)")
    (now / "dev/dxg").unlink()
    (now / "dev/nvidia0").write_text("")
    assert asked(now)[0] == CANNOT_TELL


def test_a_stamp_is_as_its_schema_says_and_tells_no_name_and_no_path(tmp_path: Path) -> None:
    text = (rules_directory() / "schema" / "stamp-v1.json").read_text()
    schema = jsonschema.Draft202012Validator(json.loads(text))
    stamp = stamp_of(machine_in(tmp_path / "root"), {"LD_LIBRARY_PATH": "/home/someone/lib"})
    assert [error.message for error in schema.iter_errors(stamp)] == []
    assert not schema.is_valid({**stamp, "host": "gpu-17"})
    said = json.dumps(stamp)
    assert "/" not in said
    assert "someone" not in said


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        pytest.param([], ("conda-lock.yml", "text"), id="none"),
        pytest.param(["x.yml"], ("x.yml", "text"), id="a lock"),
        pytest.param(["x.yml", "--format", "json"], ("x.yml", "json"), id="and a format"),
        pytest.param(["--format=json"], ("conda-lock.yml", "json"), id="a format"),
        pytest.param(["--format=xml"], None, id="no such format"),
        pytest.param(["--help"], None, id="help is the CLI's"),
        pytest.param(["a", "b"], None, id="two locks"),
        pytest.param([""], None, id="an empty name"),
    ],
)
def test_what_is_not_understood_at_once_is_left_to_the_cli(
    arguments: list[str], parsed: tuple[str, str] | None
) -> None:
    assert stamp_check.parse(arguments) == parsed


def test_the_state_folder_is_that_of_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.delenv("ENVGUARD_STATE_DIR")
    for base in ("", "/somewhere"):
        monkeypatch.setenv("XDG_STATE_HOME", base)
        assert stamp_file.state_root() == platformdirs.user_state_dir("envguard")


class TestPack:
    """A pack is proven by the lock in it: what is installed from it is what the lock says, by hash."""

    @pytest.fixture
    def pack(self, tmp_path: Path) -> Path:
        make_pack(tmp_path / "train.pack")
        return tmp_path / "train.pack"

    def test_its_digest_is_that_of_the_lock_in_it(self, pack: Path) -> None:
        assert stamp_file.digest_of_lock(str(pack)) == sha256_of(lock_text().encode())

    def test_it_begins_as_packs_begin(self) -> None:
        assert stamp_file.PACK_START == START
        assert LOCK_PATH.encode() + b"\0" == stamp_file.PACK_LOCK
        assert stamp_file.BLOCK == BLOCK

    @pytest.mark.parametrize("size", [20, 512, 600], ids=lambda size: f"{size} bytes")
    def test_one_that_is_cut_before_its_lock_is_told(self, pack: Path, size: int) -> None:
        pack.write_bytes(pack.read_bytes()[:size])
        with pytest.raises(OSError, match="pack"):
            stamp_file.digest_of_lock(str(pack))

    def test_one_that_is_cut_in_its_lock_is_of_another(self, pack: Path) -> None:
        end = pack.read_bytes().index(lock_text().encode()[-40:])
        pack.write_bytes(pack.read_bytes()[:end])
        assert stamp_file.digest_of_lock(str(pack)) != sha256_of(lock_text().encode())

    def test_one_without_a_lock_is_told(self, pack: Path) -> None:
        pack.write_bytes(tar_of((INDEX_PATH, b"{}"), ("other.yml", b"")))
        with pytest.raises(OSError, match="no conda-lock"):
            stamp_file.digest_of_lock(str(pack))
