"""Packs: the same bytes each time, and nothing read that `pack` has not written."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from envguard.adapters import subjects
from envguard.adapters.packs import (
    open_pack,
    refuse_nowhere,
    refuse_without_room,
    write_pack,
)
from envguard.errors import EnvguardError, InputError, UnavailableError
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.lockfile import Lockfile
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.packs import (
    CONTENTS,
    document_of,
    forged,
    index_of,
    lock_text,
    make_pack,
    sha256_of,
)

SUBDIR = current_subdir()
LONG = f"pip/charset_normalizer-3.4.4-cp312-cp312-{'manylinux_2_17_x86_64.' * 4}any.whl"


def unpacked(path: Path, folder: Path) -> dict[str, bytes]:
    with open_pack(path) as pack:
        return {name: f.read_bytes() for name, f in pack.unpack(folder, SILENT).items()}


def refusal(path: Path, folder: Path) -> EnvguardError:
    """Why it is not used; nothing may have been written beside the members that were whole before it."""
    folder.mkdir()
    with pytest.raises((InputError, UnavailableError)) as caught:
        unpacked(path, folder)
    assert caught.value.hint or caught.value.problems
    assert {p.name for p in folder.parent.iterdir()} <= {"x.pack", "sources", folder.name}
    return caught.value


@pytest.mark.parametrize("contents", [CONTENTS, CONTENTS | {LONG: b"y" * 513}])
def test_what_is_packed_is_unpacked(tmp_path: Path, contents: Mapping[str, bytes]) -> None:
    make_pack(tmp_path / "x.pack", contents)
    assert unpacked(tmp_path / "x.pack", tmp_path / "out") == contents
    with open_pack(tmp_path / "x.pack") as pack:
        assert pack.lockfile == parse_conda_lock(lock_text(contents), "x")
        assert pack.index == index_of(lock_text(contents), contents)


def test_the_same_files_give_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    sums = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        sums.append(make_pack(tmp_path / folder / "x.pack"))
    written = [(tmp_path / folder / "x.pack").read_bytes() for folder in ("a", "b")]
    assert written[0] == written[1]
    assert sums == [sha256_of(written[0])] * 2


def test_any_tar_reads_a_pack(tmp_path: Path) -> None:
    make_pack(tmp_path / "x.pack", CONTENTS | {LONG: b"y"})
    with tarfile.open(tmp_path / "x.pack") as tar:
        names = tar.getnames()
        assert all(member.isreg() for member in tar)
    assert names[:2] == ["envguard-pack.json", "conda-lock.yml"]
    assert names[2:] == sorted([*CONTENTS, LONG])


def test_what_goes_in_is_compared_with_the_index(tmp_path: Path) -> None:
    text, sources = lock_text(), []
    for number, content in enumerate(content for _, content in sorted(CONTENTS.items())):
        sources.append(tmp_path / str(number))
        sources[-1].write_bytes(content)
    sources[0].write_bytes(b"another" * 300)
    (tmp_path / "out").mkdir()
    with pytest.raises(UnavailableError, match="is not what was locked"):
        write_pack(
            tmp_path / "out" / "x.pack", index_of(text), text.encode(), sources, progress=SILENT
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_the_lock_in_a_pack_is_found_like_any_lock(tmp_path: Path) -> None:
    make_pack(tmp_path / "conda-lock.yml")  # whatever it is called
    path, found = subjects.find_subject(str(tmp_path / "conda-lock.yml"))
    assert path.endswith("conda-lock.yml")
    assert isinstance(found, Lockfile)
    assert len(found.records_for(SUBDIR)) == 3


def changed(at: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Sets `packages.0.path` of a document."""

    def change(document: dict[str, Any]) -> None:
        *way, last = at.split(".")
        place: Any = document
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


ENTRY = {"path": "conda/noarch/evil-1.0-0.conda", "sha256": sha256_of(b"x"), "size": 1}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(changed("schema_version", 2), "schema version 2", id="a newer one"),
        pytest.param(changed("schema_version", None), "schema version None", id="no version"),
        pytest.param(changed("subdir", "../x"), "subdir", id="no subdir"),
        pytest.param(changed("rules_date", None), "rules_date", id="no date"),
        pytest.param(changed("lock.path", "../conda-lock.yml"), "lock.path", id="lock elsewhere"),
        pytest.param(changed("lock.size", 1 << 30), "lock.size", id="a lock too large"),
        pytest.param(changed("lock.sha256", "0"), "lock.sha256", id="no hash of the lock"),
        pytest.param(changed("packages", []), "packages", id="no packages"),
        pytest.param(changed("packages", {}), "packages", id="packages that are no list"),
        pytest.param(changed("packages", [ENTRY] * 20_001), "packages", id="too many"),
        pytest.param(changed("packages.0.path", "/etc/x.conda"), "package file", id="absolute"),
        pytest.param(
            changed("packages.0.path", "conda/noarch/../../x.conda"), "package file", id="traversal"
        ),
        pytest.param(changed("packages.0.path", "conda/../x.conda"), "package file", id="dots"),
        pytest.param(changed("packages.0.path", "pip/.x.whl"), "package file", id="hidden"),
        pytest.param(changed("packages.0.path", "pip/x\n.whl"), "cannot be printed", id="a line"),
        pytest.param(changed("packages.0.path", "pip/x/y.whl"), "package file", id="a folder"),
        pytest.param(changed("packages.0.path", f"pip/{'x' * 300}.whl"), "package file", id="long"),
        pytest.param(changed("packages.0.sha256", "g" * 64), "sha256", id="no hash"),
        pytest.param(changed("packages.0.sha256", None), "sha256", id="a hash too few"),
        pytest.param(changed("packages.0.size", -1), "size", id="a negative size"),
        pytest.param(changed("packages.0.size", 1 << 60), "size", id="a bomb"),
        pytest.param(changed("packages.0.size", True), "size", id="no number"),
        pytest.param(changed("packages.0.extra", 1), "unknown key", id="an unknown key"),
        pytest.param(
            lambda d: d["packages"].insert(1, copy.deepcopy(d["packages"][0])),
            "twice or not in order",
            id="a member twice",
        ),
        pytest.param(
            lambda d: d["packages"].reverse(), "twice or not in order", id="another order"
        ),
    ],
)
def test_an_index_that_pack_did_not_write_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    document = document_of()
    change(document)
    (tmp_path / "x.pack").write_bytes(forged(document, *CONTENTS.items()))
    error = refusal(tmp_path / "x.pack", tmp_path / "out")
    assert told in " ".join([error.message, *error.problems])
    assert list((tmp_path / "out").iterdir()) == [], "it was read no further"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(b"", "does not start with its index", id="empty"),
        pytest.param(b"x", "is not JSON", id="no JSON"),
        pytest.param(b"[" * 100_000, "is not JSON", id="nested"),
        pytest.param(b"\xff{}", "is not JSON", id="no text"),
        pytest.param(b"[]", "schema version None", id="a list"),
        pytest.param(json.dumps(document_of()).encode(), "not as `envguard", id="other spaces"),
        pytest.param(b" " * (16 * 1024**2 + 1), "does not start with its index", id="too large"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: bytes, told: str) -> None:
    (tmp_path / "x.pack").write_bytes(forged(text))
    assert told in refusal(tmp_path / "x.pack", tmp_path / "out").message


def test_files_that_the_lock_does_not_name_and_those_that_are_missing_are_refused(
    tmp_path: Path,
) -> None:
    contents = CONTENTS | {str(ENTRY["path"]): b"x"}
    gone = f"conda/{SUBDIR}/libx-1.0-h0_0.conda"
    del contents[gone]
    document = document_of(contents)
    document["lock"] = document_of()["lock"]  # it is the lock of CONTENTS
    (tmp_path / "x.pack").write_bytes(forged(document, *sorted(contents.items())))
    error = refusal(tmp_path / "x.pack", tmp_path / "out")
    assert set(error.problems) == {
        f"{ENTRY['path']}: the lock does not name it",
        f"{gone}: the lock names it, and it is missing",
    }


def test_a_file_with_another_hash_than_in_the_lock_is_refused(tmp_path: Path) -> None:
    contents = CONTENTS | {"conda/noarch/tz-1.0-0.tar.bz2": b"evil"}
    document = document_of(contents)
    document["lock"] = document_of()["lock"]
    (tmp_path / "x.pack").write_bytes(forged(document, *sorted(contents.items())))
    [problem] = refusal(tmp_path / "x.pack", tmp_path / "out").problems
    assert f"of the index {sha256_of(b'evil')}" in problem


def linked(path: str, kind: bytes, to: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(path)
    info.type, info.linkname = kind, to
    return info, b""


def renamed(path: str, **changes: Any) -> tuple[tarfile.TarInfo, bytes]:
    """The empty member under another header."""
    info = tarfile.TarInfo(path)
    for name, value in changes.items():
        setattr(info, name, value)
    return info, b""


TZ = "conda/noarch/tz-1.0-0.tar.bz2"


@pytest.mark.parametrize(
    ("member", "told"),
    [
        pytest.param(linked(TZ, tarfile.SYMTYPE, "/etc/passwd"), "a symbolic link", id="symlink"),
        pytest.param(linked(TZ, tarfile.LNKTYPE, "../../x"), "a hard link", id="hard link"),
        pytest.param(renamed(TZ, type=tarfile.DIRTYPE), "another member", id="a folder"),
        pytest.param(renamed(TZ, type=tarfile.FIFOTYPE), "another member", id="a pipe"),
        pytest.param(renamed(TZ, type=tarfile.CHRTYPE), "another member", id="a device"),
        pytest.param(renamed("../" + TZ), "'../conda", id="traversal"),
        pytest.param(renamed("/" + TZ), "'/conda", id="absolute"),
        pytest.param(renamed(f"conda/{SUBDIR}/libx-1.0-h0_0.conda"), "libx", id="twice"),
        pytest.param(renamed(TZ, mode=0o4755), "tz-1.0", id="a mode of its own"),
        pytest.param(renamed(TZ, uid=1000), "tz-1.0", id="an owner"),
        pytest.param(renamed(TZ, mtime=1), "tz-1.0", id="a time"),
    ],
)
def test_members_that_pack_did_not_write_are_refused(
    tmp_path: Path, member: tuple[tarfile.TarInfo, bytes], told: str
) -> None:
    names = sorted(CONTENTS)
    members = [member if name == TZ else (name, CONTENTS[name]) for name in names]
    (tmp_path / "x.pack").write_bytes(forged(document_of(), *members))
    assert told in refusal(tmp_path / "x.pack", tmp_path / "out").message
    assert [p.name for p in (tmp_path / "out").rglob("*.*")] == ["libx-1.0-h0_0.conda"]


def test_every_byte_counts_but_those_of_the_date(tmp_path: Path) -> None:
    make_pack(tmp_path / "x.pack")
    good = (tmp_path / "x.pack").read_bytes()
    date = good.index(b"2026-11-22")
    for at in {*range(0, len(good), 53), date} - set(range(date + 1, date + 10)):
        (tmp_path / "x.pack").write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        if at == date:
            assert unpacked(tmp_path / "x.pack", tmp_path / str(at)) == CONTENTS
            continue
        with pytest.raises(EnvguardError):
            unpacked(tmp_path / "x.pack", tmp_path / str(at))


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        pytest.param(lambda b: b[:-1], "is cut short", id="by a byte"),
        pytest.param(lambda b: b[:-1024], "is cut short", id="by its end"),
        pytest.param(lambda b: b[:3000], "is cut short", id="in the lock"),
        pytest.param(lambda b: b[:513], "is not JSON", id="in the index"),
        pytest.param(lambda b: b[:100], "does not start with its index", id="in its first block"),
        pytest.param(lambda b: b + b"\0", "goes on behind its end", id="longer by a byte"),
        pytest.param(lambda b: b + b, "goes on behind its end", id="twice"),
    ],
)
def test_a_copy_that_is_not_whole_is_seen_before_a_package_is_read(
    tmp_path: Path, cut: Callable[[bytes], bytes], told: str
) -> None:
    make_pack(tmp_path / "x.pack")
    (tmp_path / "x.pack").write_bytes(cut((tmp_path / "x.pack").read_bytes()))
    assert told in refusal(tmp_path / "x.pack", tmp_path / "out").message
    assert list((tmp_path / "out").iterdir()) == []


def test_what_another_tar_made_of_it_is_refused(tmp_path: Path) -> None:
    make_pack(tmp_path / "x.pack")
    subprocess.run(["tar", "xf", "x.pack"], cwd=tmp_path, check=True)
    members = ["envguard-pack.json", "conda-lock.yml", "conda", "pip"]
    subprocess.run(["tar", "cf", "x.pack", *members], cwd=tmp_path, check=True)
    with pytest.raises(InputError, match="does not start with its index") as caught:
        unpacked(tmp_path / "x.pack", tmp_path / "out")
    assert "envguard pack" in (caught.value.hint or "")


def test_a_place_that_takes_no_pack_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    refuse_nowhere(tmp_path / "new.pack")
    with pytest.raises(InputError, match="is no file"):
        refuse_nowhere(tmp_path)
    with pytest.raises(InputError, match="is no file"):
        refuse_nowhere(Path(os.devnull))
    with pytest.raises(InputError, match="there is no folder") as caught:
        refuse_nowhere(tmp_path / "nowhere" / "x.pack")
    assert "mkdir" in (caught.value.hint or "")


def test_too_little_room_is_said_with_numbers(tmp_path: Path) -> None:
    refuse_without_room(tmp_path / "cache", tmp_path / "x.pack", 1, 1)
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    with pytest.raises(UnavailableError, match="MB free; the files take"):
        refuse_without_room(tmp_path / "cache", tmp_path / "x.pack", free, free)
