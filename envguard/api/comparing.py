"""Comparing what is locked, and writing it in the formats of other tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.lock_diff import LockDiff
    from envguard.model.lock_options import LockOptions
    from envguard.model.rendering import Rendered, RenderKind


def diff(old: str | Path, new: str | Path, *, files: bool = False) -> LockDiff:
    """What changed between two locks of any format that is read, environments, or environment files.

    With `files` the files of an installed side are compared with the hashes that they were installed with.
    Raises InputError for what names no packages.
    """
    from envguard.adapters import rules, subjects
    from envguard.adapters.prefixes.file_drift import altered_files
    from envguard.commands.diff import diff as compare

    return compare(
        subjects.find_subject(str(old)),
        subjects.find_subject(str(new)),
        knowledge=rules.load(),
        altered=altered_files if files else None,
    )


def render(
    what: str | None, kind: RenderKind, *, platforms: Sequence[str] = ()
) -> tuple[Rendered, ...]:
    """A lock in the format of another tool, one file a platform where the format wants it so.

    `what` None = conda-lock.yml here. Raises InputError for what is no lock, and for a platform it lacks.
    """
    from envguard.adapters import subjects
    from envguard.errors import InputError
    from envguard.formats.renders import render as render_lock
    from envguard.model.lockfile import Lockfile
    from envguard.model.rendering import RenderSource

    path, found = subjects.find_subject(what, looked_for=("conda-lock.yml",))
    if not isinstance(found, Lockfile):
        raise InputError(
            f"{path} is no conda-lock.yml, and only a lock can be written as {kind.value}",
            hint=f"envguard lock, then envguard export conda-lock.yml --format {kind.value}",
        )
    return render_lock(found, kind, platforms=platforms, source=RenderSource(Path(path).name))


def refuse_renders_nowhere(options: LockOptions) -> None:
    """Raise InputError where there is no "beside the lock": standard output, a pipe, /dev/stdout."""
    from envguard.errors import InputError

    output = options.output
    nowhere = (
        output is None
        or Path("/dev") in output.absolute().parents
        or (output.exists() and not output.is_file())
    )
    if options.renders and nowhere:
        raise InputError(
            f"--render writes files beside the lock, and {output or 'standard output'} is no file",
            hint="write the lock to a file: -o conda-lock.yml",
        )


def rendered_beside(
    lock_text: str, output: Path, kinds: Sequence[RenderKind]
) -> tuple[tuple[Path, Rendered], ...]:
    """The renders of a lock that is about to be written, with the files they belong into.

    They are made of the lock's text, so `render` gives the same bytes later.
    """
    if not kinds:
        return ()
    from envguard.formats.locks.conda_lock import parse_conda_lock
    from envguard.formats.renders import render as render_lock
    from envguard.model.rendering import RenderSource

    lockfile = parse_conda_lock(lock_text, str(output))
    return tuple(
        (output.parent / rendered.file_name(output.name), rendered)
        for kind in dict.fromkeys(kinds)
        for rendered in render_lock(lockfile, kind, source=RenderSource(output.name))
    )


def pixi_lock_of(lock_texts: Mapping[str, str], output: Path) -> tuple[Path, Rendered]:
    """One pixi.lock of the locks of several machines, by name, and where it goes beside `output`."""
    from envguard.formats.locks.conda_lock import parse_conda_lock
    from envguard.formats.renders.pixi import render_pixi_of

    rendered = render_pixi_of({n: parse_conda_lock(text, n) for n, text in lock_texts.items()})
    return output.parent / rendered.file_name(output.name), rendered
