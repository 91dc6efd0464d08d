"""Files are written whole or not at all, and read within limits."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envguard.adapters import files
from envguard.errors import InputError, UnavailableError


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "conda-lock.yml"
    path.write_text("old")
    path.chmod(0o640)

    files.write_text(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["conda-lock.yml"]


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "real.yml"
    real.write_text("old")
    link = tmp_path / "link.yml"
    link.symlink_to(real)

    files.write_text(link, "new")

    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_pipe_or_a_device_is_written_to_and_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write_text(pipe, "text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_full_device_is_no_success():
    with pytest.raises(UnavailableError, match="No space left"):
        files.write_text(Path("/dev/full"), "text")
    assert Path("/dev/full").is_char_device()


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(UnavailableError, match=r"nowhere/x.yml could not be written"):
        files.write_text(tmp_path / "nowhere" / "x.yml", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text("old")
    with files_of_at_most(1000), pytest.raises(UnavailableError, match="could not be written"):
        files.write_text(path, "x" * 5000)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.yml"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_files_that_belong_together_are_all_written_or_none(tmp_path):
    """The last one does not fit, after the others did."""
    old = tmp_path / "conda-lock.yml"
    old.write_text("old")
    texts = {
        old: "new",
        tmp_path / "conda-linux-64.lock": "new",
        tmp_path / "pixi.lock": "x" * 5000,
    }

    with files_of_at_most(1000), pytest.raises(UnavailableError, match=r"pixi\.lock could not be"):
        files.write_texts(texts)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("conda-lock.yml", "old")]

    files.write_texts(texts)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        path.name: text for path, text in texts.items()
    }


@pytest.mark.parametrize("broken", ["a device", "a folder"])
def test_what_cannot_be_replaced_stops_the_others(tmp_path, broken):
    other = Path("/dev/full") if broken == "a device" else tmp_path / "folder"
    if broken == "a folder":
        other.mkdir()
    with pytest.raises(UnavailableError, match="could not be written"):
        files.write_texts({tmp_path / "a": "text", other: "text"})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("content", "message", "encoding"),
    [
        (b"name: caf\xe9\n", "x.yml:1: not UTF-8", "latin1"),
        (b"a: 1\nb: \xff\n", "x.yml:2: not UTF-8", "latin1"),
        ("name: x\n".encode("utf-16"), "x.yml:1: not UTF-8", "utf-16"),
        (b"\xfe\xff" + "name: x\n".encode("utf-16-be"), "x.yml:1: not UTF-8", "utf-16"),
    ],
)
def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path, content, message, encoding):
    """The hint is right: the file reads as UTF-8 once it is converted from what it says."""
    path = tmp_path / "x.yml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        files.read_text(path)
    assert f"iconv -f {encoding} " in (caught.value.hint or "")
    assert content.decode(encoding)


def test_a_missing_file_and_a_directory_are_said_to_be_so(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        files.read_text(tmp_path / "x.yml")
    with pytest.raises(InputError, match="is a directory"):
        files.read_text(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "x.yml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert files.read_text(path) == "name: x\n"


def test_a_file_over_the_limit_is_not_read(tmp_path):
    path = tmp_path / "x.yml"
    with path.open("wb") as stream:
        stream.truncate(files.MAX_TEXT_BYTES + 1)
    with pytest.raises(InputError, match="at most"):
        files.read_text(path)
    with path.open("wb") as stream:
        stream.truncate(files.MAX_TEXT_BYTES // 64)
    assert files.read_text(path)


def test_text_is_added_to_a_file_or_the_failure_is_said(tmp_path):
    path = tmp_path / "summary.md"
    files.append_text(path, "a\n")
    files.append_text(path, "b\n")
    assert path.read_text() == "a\nb\n"
    with pytest.raises(UnavailableError, match="could not be written"):
        files.append_text(tmp_path, "x")


def test_a_device_without_an_end_is_refused():
    with pytest.raises(InputError, match="/dev/zero has more than"):
        files.read_text(Path("/dev/zero"))


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    with files.made_folder(tmp_path / "a" / "b"):
        files.write_text(tmp_path / "a" / "b" / "c", "text")
    assert (tmp_path / "a" / "b" / "c").read_text() == "text"


def test_of_a_folder_that_was_made_in_vain_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UnavailableError), files.made_folder(tmp_path / "there" / "a" / "b"):
        raise UnavailableError("no room")
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError), files.made_folder(tmp_path / "."):
        raise UnavailableError("no room")
    assert tmp_path.is_dir()


def test_a_folder_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UnavailableError, match="file/a could not be written"),
        files.made_folder(tmp_path / "file" / "a"),
    ):
        pass
