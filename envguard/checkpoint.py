"""Checkpoints of a training run that outlive a crash, a SIGTERM, a full disk and the container.

    with checkpoint.guard():
        for step in range(done, steps):
            ...
            checkpoint.save("/data/run1", step=step + 1, every=500, keep=3, model=model, optimizer=optimizer)

and after a restart `checkpoint.load("/data/run1", "cuda", model=model, optimizer=optimizer)["step"]`.
In a job of several ranks, rank 0 saves. Imports nothing of envguard, and torch only to write and to read.
"""

from __future__ import annotations

import contextlib
import errno
import io
import operator
import os
import pickle
import re
import signal
import sys
import tempfile
import warnings
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"step-(\d+)(\.emergency)?\.pt")
_PLAIN = (str, bytes, int, float, bool, type(None))
_GONE_WITH_THE_CONTAINER = ("overlay", "aufs", "fuse.fuse-overlayfs", "tmpfs", "ramfs")
# a Kubernetes emptyDir, and a Docker volume that was given no name
_GONE_WITH_THE_POD = re.compile(r"/kubernetes\.io~empty-dir/|/volumes/[0-9a-f]{64}/_data")

_last: dict[Path, tuple[int, dict[str, Any]]] | None = None
"""Inside of `guard`: what `save` was last given, by folder. Live objects, saved as they are when it ends."""


def save(
    path: str | os.PathLike[str],
    *,
    step: int,
    every: int = 1,
    keep: int | None = None,
    ephemeral: bool = False,
    **state: Any,
) -> Path | None:
    """Write `path`/step-N.pt where `step` is a multiple of `every`; None where it is not.

    What has a state_dict() (a model, an optimizer) is saved as that; the rest has to be tensors, text,
    numbers, and lists, tuples and dicts of them, so that `load` needs to run no code of the file. The file
    appears whole or not at all. `keep` leaves that many of the newest (None = all); emergency saves stay.

    Raises TypeError for what could not be read back, ValueError for a folder that goes with the container
    (unless `ephemeral`) or that holds later steps, and OSError where the disk does not take it.
    """
    step = int(operator.index(step))  # of numpy too, whose numbers would not be loaded again
    if step < 0 or every < 1 or (keep is not None and keep < 1):
        raise ValueError(f"step={step}, every={every}, keep={keep}: at least 0, 1 and 1")
    folder, due = Path(path).absolute(), step % every == 0
    if due or (_last is not None and folder not in _last):
        _accept(folder, step, ephemeral)
    if _last is not None:
        _last[folder] = (step, state)
    if not due:
        return None
    file = _write(folder, f"step-{step:09d}.pt", step, state)
    regular = [file for _, is_regular, file in _saved(folder) if is_regular]
    for old in regular[:-keep] if keep else ():
        old.unlink(missing_ok=True)  # another writer may have been faster
    return file


def latest(path: str | os.PathLike[str]) -> Path | None:
    """The file of the highest step in a folder, also one of an emergency; None where there is none."""
    return max(_saved(Path(path)), default=(0, False, None))[2]


def load(path: str | os.PathLike[str], device: Any, **objects: Any) -> dict[str, Any]:
    """What was saved, on `device`, from a file or the latest one of a folder; no code of it is run.

    `objects` (model=model) get their part by load_state_dict(). Raises FileNotFoundError for a folder without
    a checkpoint, and KeyError for an object that was not saved.
    """
    import torch

    file = latest(path) if Path(path).is_dir() else Path(path)
    if file is None:
        raise FileNotFoundError(f"{path} holds no checkpoint (step-N.pt)")
    state: dict[str, Any] = torch.load(file, map_location=device, weights_only=True)
    if missing := sorted(objects.keys() - state.keys()):
        raise KeyError(f"{file} holds {', '.join(sorted(state))}, and no {', '.join(missing)}")
    for name, thing in objects.items():
        thing.load_state_dict(state[name])
    return state


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """On an exception, ^C or SIGTERM, save what `save` was last given (step-N.emergency.pt), and go on dying.

    The weights are those of that moment, perhaps in the middle of the step after N. SIGTERM ends the program
    with status 143. Works in the main thread only (Python handles signals there), and not inside itself.
    """
    global _last
    if _last is not None:
        raise RuntimeError("guard() is on already")
    owner = os.getpid()

    def terminated(number: int, _frame: object) -> None:
        if os.getpid() != owner:  # a child that was forked, such as a worker of a DataLoader
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, terminated)
    _last = {}
    try:
        yield
    except BaseException as error:
        ended_well = isinstance(error, SystemExit) and not error.code
        if os.getpid() == owner and not ended_well:
            signal.signal(
                signal.SIGTERM, signal.SIG_IGN
            )  # a second one must not cut the save short
            _save_what_was_last_given()
        raise
    finally:
        if os.getpid() == owner:
            signal.signal(signal.SIGTERM, before)
        _last = None


def _save_what_was_last_given() -> None:
    for folder, (step, state) in (_last or {}).items():
        try:
            _write(folder, f"step-{step:09d}.emergency.pt", step, state)
        except Exception as error:  # what ended the training is what has to be raised
            warnings.warn(f"no emergency checkpoint in {folder}: {error}", stacklevel=4)


def _write(folder: Path, name: str, step: int, state: dict[str, Any]) -> Path:
    import torch

    content: dict[str, Any] = {"step": step}
    for key, value in state.items():
        content[key] = value.state_dict() if hasattr(value, "state_dict") else value
        _accept_value(key, content[key])
    _sweep(folder)
    handle, part = _part(folder, name)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(handle)
            if sys.platform != "win32":  # while the lock is held: others sweep what is not locked
                part.replace(folder / name)
        if sys.platform == "win32":  # there, an open file is not renamed
            part.replace(folder / name)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
            raise error.__context__ from None  # torch hides a full disk behind "unexpected pos"
        raise
    return folder / name


def _part(folder: Path, name: str) -> tuple[int, Path]:
    """A new file, locked; another one where a writer beside us swept it away before it was."""
    while True:
        handle, part = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
        locked = _lock(handle)
        if locked is not False and os.fstat(handle).st_nlink:
            return handle, Path(part)
        os.close(handle)


def _accept_value(where: str, value: Any) -> None:
    import torch

    if type(value) in (dict, OrderedDict) or (type(value) is Counter and _are_counters_read()):
        for key, part in value.items():
            _accept_value(f"{where}[{key!r}]", key)
            _accept_value(f"{where}[{key!r}]", part)
    elif type(value) in (list, tuple):
        for number, part in enumerate(value):
            _accept_value(f"{where}[{number}]", part)
    elif type(value) not in (*_PLAIN, torch.Tensor, torch.nn.Parameter, torch.Size):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(
            f"{where} is a {kind}, which is not loaded without running code: save its values"
        )


def _are_counters_read() -> bool:
    """Whether this torch loads a Counter, which MultiStepLR has in its state."""
    import torch

    content = io.BytesIO()
    torch.save(Counter(), content)
    content.seek(0)
    try:
        torch.load(content, weights_only=True)
    except pickle.UnpicklingError:
        return False
    return True


def _saved(folder: Path) -> list[tuple[int, bool, Path]]:
    """Step, whether it is no emergency save, and file: all there are, in that order."""
    names = folder.iterdir() if folder.is_dir() else ()
    return sorted(
        (int(m[1]), not m[2], file) for file in names if (m := _NAME.fullmatch(file.name))
    )


def _sweep(folder: Path) -> None:
    """Remove what killed writers have left; one that is at work holds the lock of its file."""
    for part in folder.glob(".step-*.part"):
        with contextlib.suppress(OSError), part.open("rb") as file:
            if _lock(file.fileno()) is True:
                part.unlink()


def _lock(handle: int) -> bool | None:
    """False where somebody else has it, None where the file system knows no locks."""
    if sys.platform == "win32":  # there, a file that somebody writes can't be removed
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN) else None
    return True


def _accept(folder: Path, step: int, ephemeral: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mounts = Path("/proc/self/mountinfo")  # Linux; nothing is known elsewhere
    if not ephemeral and mounts.exists():
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
        if reason := gone_with_the_container(folder.resolve(), text):
            raise ValueError(f"{folder} {reason}: choose a mounted volume, or say ephemeral=True")
    newest = latest(folder)
    if newest is not None and step < int(newest.name[len("step-") :].split(".")[0]):
        raise ValueError(
            f"{folder} holds {newest.name}, and step {step} is before it: load that one first, "
            "or choose another folder"
        )


def gone_with_the_container(folder: Path, mountinfo: str) -> str | None:
    """Why, or None. The longest mount point above a folder is its own, the last of two that are equal.

    Format: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    own = (Path("/"), "", "")
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        root, point = (
            re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), f) for f in before.split(" ")[3:5]
        )
        mount = Path(point)
        if (mount == folder or mount in folder.parents) and len(mount.parts) >= len(own[0].parts):
            own = (mount, root, after.split(" ")[0])
    mount, root, kind = own
    if kind in _GONE_WITH_THE_CONTAINER:
        return f"is on {kind} (mounted on {mount}), which is gone with the container or at the next start"
    if _GONE_WITH_THE_POD.search(root):
        return (
            f"is on a volume without a name (mounted on {mount}), which is gone with the container"
        )
    return None
