"""Files of ours: written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from envguard.errors import InputError, UnavailableError

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Twenty times the largest real lock that is known; a requirements.txt of 50 MB takes minutes to judge."""
NOTEBOOK = ".ipynb"
MAX_NOTEBOOK_BYTES = 64 * 1024 * 1024
"""A notebook holds the pictures of its outputs."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that Windows PowerShell's `>` has written."""


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, keeping the mode of a file that was there.

    What is no regular file (/dev/stdout, a pipe) is written to, never replaced. Raises UnavailableError
    when it cannot be written, or is read-only; then nothing has changed.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """The same for `content`."""
    _write_all({path: content})


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write several files that belong together: each as `write_text` does, and none before all are on disk.

    Raises UnavailableError as it does; where the room gives out in the middle, nothing has changed.
    """
    _write_all({path: text.encode("utf-8") for path, text in texts.items()})


def _write_all(contents: Mapping[Path, bytes]) -> None:
    for path in contents:
        refuse_read_only(path)
    with contextlib.ExitStack() as waiting:
        whole = [
            (waiting.enter_context(_temporary(path, content)), _real(path))
            for path, content in contents.items()
            if _replaces(path)
        ]
        for path, content in contents.items():
            if not _replaces(path):
                _write_into(path, content)
        for temporary, path in whole:
            try:
                temporary.replace(path)
            except OSError as error:
                raise _not_written(path, error) from error


def is_read_only(path: Path) -> bool:
    """Whether somebody has made a file or a folder that is there read-only: to root everything is writable,
    so its mode counts, too."""
    try:
        return not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)
    except OSError:
        return False


def refuse_read_only(path: Path) -> None:
    """Raise UnavailableError for a file that is read-only: to replace it takes no more than its folder."""
    if path.is_file() and is_read_only(path):
        raise UnavailableError(
            f"{path} is read-only, and stays as it is",
            hint=f"chmod u+w {shlex.quote(str(path))}, or another place: -o FILE",
        )


def _replaces(path: Path) -> bool:
    """A pipe, a device: what is there and no file is written to."""
    return path.is_file() or not path.exists()


def _real(path: Path) -> Path:
    return path.resolve() if path.is_symlink() else path


@contextlib.contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """`content` in a file beside `path`, on disk and with its mode; gone at the end if it is still there."""
    import tempfile  # and with it shutil and its archives: most starts write nothing

    path = _real(path)
    temporary: Path | None = None
    try:
        try:
            mode = mode_of(path)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode)
        except OSError as error:
            raise _not_written(path, error) from error
        yield temporary
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """The folder `path`, made with its parents where it is not there, and taken away again on an error.

    Raises UnavailableError where it cannot be made.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for folder in missing:  # only while it is empty: others may have begun to use it
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise _not_written(path, error) from error
        raise


def append_text(path: Path, text: str) -> None:
    """Add `text` to a file. Raises UnavailableError when it cannot be written."""
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UnavailableError(f"{path} could not be written: {error.strerror or error}") from error


def _write_into(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as stream:
            stream.write(content)
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"{path} could not be written: {error.strerror or error}",
        hint="choose another place with -o FILE, or make room there",
    )


def read_text(path: Path, *, keep_mark: bool = False) -> str:
    """The text of a user's file. Raises InputError: missing, not a file, too large, not UTF-8.

    `keep_mark`: a byte order mark (Windows editors write one) is its first character, to be written again.
    """
    most = MAX_NOTEBOOK_BYTES if path.suffix == NOTEBOOK else MAX_TEXT_BYTES
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory, a file was expected")
        size = path.stat().st_size
        if size > most:
            raise InputError(f"{path} has {size:,} bytes; at most {most:,} are read")
        with path.open("rb") as stream:  # a device says 0 and has no end
            data = stream.read(most + 1)
        if len(data) > most:
            raise InputError(f"{path} has more than {most:,} bytes; no more are read")
        return data.decode("utf-8" if keep_mark else "utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist", hint=f"look in {path.absolute().parent}, or name another file"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        encoding = "utf-16" if error.object.startswith(_UTF_16) else "latin1"
        raise InputError(
            f"{path}:{line}: not UTF-8 (byte {error.object[error.start]:#04x})",
            hint=f"convert it: iconv -f {encoding} -t utf-8 {path} > FILE",
        ) from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}") from error


def starts_with(path: Path, start: bytes) -> bool:
    """Whether a file begins with `start`; what cannot be read does not."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(start)) == start
    except OSError:
        return False


def mode_of(path: Path) -> int:
    """The permissions of a file that is to be replaced; for a new one those that the umask leaves."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask
