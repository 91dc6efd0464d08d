"""Running a notebook from top to bottom, in a throwaway environment or in what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api import stamping
from envguard.api.knowing import signatures
from envguard.api.machines import target_here
from envguard.api.notebooks import environment_of
from envguard.api.stamping import Evidence

if TYPE_CHECKING:
    from envguard.commands.verifying.notebook import NotebookRequest
    from envguard.model.lockfile import Lockfile
    from envguard.model.notebook import Notebook
    from envguard.model.report import Report
    from envguard.ports.prefixes import Prefix
    from envguard.ports.progress import Progress

INSTALL = "pip install 'conda-envguard[notebook]'"


def verify_notebook(
    what: str | Path,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    python: Path | None = None,
    cell_timeout_s: float = 600.0,
    executed: Path | None = None,
    as_script: bool = False,
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    allow: frozenset[str] = frozenset(),
    condarc: Path | None = None,
    no_condarc: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Restart & Run All of a notebook, and with `as_script` the same as a script.

    It runs in a throwaway prefix of the lock beside it or here, or in what `name`, `prefix` or `python`
    name, or what is active. `cell_timeout_s` is each cell's; `executed` a file for the notebook with its
    outputs, as far as it came. `allow` may hold `contract`. Raises InputError or UnavailableError where
    nothing can run; what the notebook does is in the report.
    """
    from envguard.adapters.notebooks.run import NotebookProcesses, has_ipykernel, missing_here
    from envguard.commands.verifying import notebook as commands
    from envguard.errors import InputError
    from envguard.ports.progress import SILENT

    progress = progress or SILENT
    if missing := missing_here():
        raise InputError(
            f"notebooks are run with {', '.join(missing)}, which is not beside envguard",
            hint=f"there: {INSTALL}",
        )
    request = _request(str(what), cell_timeout_s, as_script)
    with _environment(
        request.path, name, prefix, python, allow, mirrors, offline, condarc, no_condarc, progress
    ) as place:
        if not has_ipykernel(place.prefix):
            raise _no_ipykernel(place.label)
        evidence = _evidence(request, place.lock)
        detail = f"in {place.label}"
        request = replace(request, subject=replace(request.subject, detail=detail))
        report, made = commands.verify_notebook(
            request, place.prefix, runner=NotebookProcesses(), progress=progress
        )
    notes = place.notes
    report = evidence.kept(replace(report, notes=(*report.notes, *_ran_before(evidence, report))))
    if executed is not None and made is not None:
        from envguard.adapters import files

        files.write_text(executed, made)
        notes = (*notes, f"wrote     {executed}")
    return replace(report, notes=(*report.notes, *notes))


def _evidence(request: NotebookRequest, lock: Lockfile | None) -> Evidence:
    """The stamp of a notebook in a lock; what is there already changes, and keeps none."""
    from envguard.commands.verifying.verify import recorded_targets
    from envguard.model.subdir import current_subdir

    digest = None if lock is None else stamping.lock_digest(request.path)
    targets = () if lock is None else recorded_targets(lock, current_subdir())
    return Evidence.of_notebook(request.path, digest, request.machine, targets)


def _ran_before(evidence: Evidence, report: Report) -> tuple[str, ...]:
    """Where it no longer runs and all that a stamp knows is as it was: that is what to look for."""
    from envguard.model.report import Status

    if report.verdict is not Status.FAIL or evidence.older is None or evidence.note is not None:
        return ()
    since = str(evidence.older["date"])[:10]
    return (
        f"it ran here on {since} with this code, lock, driver and cards: what changed is something else, "
        "such as its data or modules beside it",
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a notebook runs, what that is called; `lock` is that of a throwaway prefix."""

    prefix: Prefix
    label: str
    notes: tuple[str, ...] = ()
    lock: Lockfile | None = None


def _request(path: str, cell_timeout_s: float, as_script: bool) -> NotebookRequest:
    from envguard.adapters import files
    from envguard.commands.verifying.notebook import NotebookRequest
    from envguard.formats.notebook import parse_notebook
    from envguard.model.report import Subject
    from envguard.ports.notebooks import NotebookJob

    text = files.read_text(Path(path))
    notebook = parse_notebook(text, path)
    _refuse_others(notebook, path)
    folder = Path(path).absolute().parent
    return NotebookRequest(
        notebook,
        path,
        NotebookJob(text, folder, len(notebook.cells), cell_timeout_s),
        Subject("notebook", path),
        target_here().machine,
        signatures(),
        as_script,
    )


def _refuse_others(notebook: Notebook, path: str) -> None:
    from envguard.checks.notebooks.judgement import is_python
    from envguard.errors import InputError

    if not is_python(notebook):
        raise InputError(f"{path} is a notebook of {notebook.language}; those of Python are run")
    if not any(cell.source.strip() for cell in notebook.cells):
        raise InputError(f"{path} has no code that could run")


def _no_ipykernel(label: str) -> Exception:
    from envguard.errors import InputError

    return InputError(
        f"{label} has no ipykernel, in which the cells of a notebook run",
        hint="add ipykernel to the environment.yml and lock again: envguard lock",
    )


@contextlib.contextmanager
def _environment(
    path: str,
    name: str | None,
    prefix: Path | None,
    python: Path | None,
    allow: frozenset[str],
    mirrors: Mapping[str, str] | None,
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
    progress: Progress,
) -> Iterator[_Place]:
    from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
    from envguard.adapters.probing import existing
    from envguard.errors import InputError
    from envguard.model.lockfile import Lockfile
    from envguard.model.pip_source import located
    from envguard.model.probe import REMOVED
    from envguard.ports.prefixes import Installed

    if python is not None:
        if (name, prefix) != (None, None):
            raise InputError("-n, -p and --python are ways to name one environment: give one")
        there = existing.existing_python(python, reader=PrefixReaderOnDisk())
        yield _Place(there.prefix, there.subject.path)
        return
    found = environment_of(path, name=name, prefix=prefix)
    if found is None:
        raise InputError(
            f"nothing says which environment {path} is to run in",
            hint="put conda-lock.yml beside it (envguard lock), or name one: -p PREFIX, -n NAME, --python",
        )
    label, subject = found
    if isinstance(subject, Installed):
        yield _Place(existing.existing_prefix(subject).prefix, label)
        return
    if not isinstance(subject, Lockfile):
        raise InputError(
            f"{label} is no lock and no environment on disk",
            hint=f"lock it first: envguard lock {label}",
        )
    lock = located(subject, Path(label).resolve().parent)
    _refuse_lock(lock, label, allow)
    with _throwaway(lock, label, mirrors, offline, condarc, no_condarc, progress) as made:
        yield _Place(made, label, (REMOVED,), subject)


def _refuse_lock(lock: Lockfile, path: str, allow: frozenset[str]) -> None:
    """Before anything is installed: no ipykernel in it, or a contract that this machine breaks."""
    from envguard.adapters import rules
    from envguard.adapters.prefixes.distributions import canonical_name
    from envguard.commands.checking.check import check_lock
    from envguard.errors import InputError
    from envguard.model.report import Status

    here = target_here()
    if here.subdir not in lock.platforms:  # the prefix factory says so
        return
    if "ipykernel" not in {canonical_name(r.name) for r in lock.records_for(here.subdir)}:
        raise _no_ipykernel(path)
    contract = check_lock(lock, path, (here,), knowledge=rules.load())[0].contract
    if contract is not None and contract.status is Status.FAIL and "contract" not in allow:
        raise InputError(
            f"this machine breaks the contract of {path} ({', '.join(contract.rules)}): nothing was "
            "installed",
            hint=f"envguard check {path} says why; --allow contract runs it all the same",
        )


@contextlib.contextmanager
def _throwaway(
    lock: Lockfile,
    path: str,
    mirrors: Mapping[str, str] | None,
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
    progress: Progress,
) -> Iterator[Prefix]:
    from envguard.adapters import conda_config
    from envguard.adapters.prefixes.packed import packed_prefixes
    from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
    from envguard.commands.locking.channels import refuse_records
    from envguard.model.subdir import current_subdir

    config = conda_config.load(condarc=condarc, none=no_condarc)
    subdir = current_subdir()
    refuse_records(lock.records_for(subdir), config.policy, then="nothing was installed")
    factory = packed_prefixes(path) or ThrowawayPrefixes(
        mirrors=mirrors,
        network=config.network,
        pkgs_dirs=[Path(folder) for folder in config.pkgs_dirs],
        offline=offline or config.offline,
    )
    with factory.throwaway(lock, subdir, keep=False, progress=progress) as prefix:
        yield prefix
