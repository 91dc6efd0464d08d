"""The public Python API, and the only place that picks adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.adapters.probing.existing import Existing
    from envguard.commands.demo import Demo
    from envguard.commands.verify import VerifyRequest
    from envguard.formats.lock_text import LockSummary
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile
    from envguard.model.machine import Machine
    from envguard.model.report import Report
    from envguard.model.target import Target
    from envguard.ports import Progress


def write_text(path: Path, text: str) -> None:
    """Write a report or a lock whole or not at all."""
    from envguard.adapters import files

    files.write_text(path, text)


def append_text(path: Path, text: str) -> None:
    """Add to a file that something else owns, such as a CI step's summary."""
    from envguard.adapters import files

    files.append_text(path, text)


def machine() -> Machine:
    """This machine: driver, GPUs and host; what could not be observed is None, with a note."""
    from envguard.adapters.machine.here import HereMachine

    return HereMachine().observe()


def target_here() -> Target:
    """This machine as a target that nobody named: `given` is false."""
    from envguard.adapters.machine.here import HereMachine
    from envguard.commands import machine as commands

    return commands.target_here(machines=HereMachine())


def resolve_targets(texts: Sequence[str], *, subdir: str | None = None) -> tuple[Target, ...]:
    """What `--for` names, in order: cards, platforms, `cpu`, `here`, files of `envguard machine`.

    `subdir` is that of a card without one; None = this machine's. Raises InputError with candidates
    for what means nothing.
    """
    from envguard.adapters import files, rules
    from envguard.adapters.machine.here import HereMachine
    from envguard.commands import machine as commands
    from envguard.model.subdir import current_subdir

    return commands.resolve_targets(
        texts,
        default_subdir=subdir or current_subdir(),
        machines=HereMachine(),
        knowledge=rules.load(),
        read_text=files.read_text,
    )


def parse_mirrors(texts: Sequence[str]) -> dict[str, str]:
    """`CHANNEL=URL` pairs; a channel may be given by its name. Raises InputError for what is no pair."""
    from envguard.errors import InputError
    from envguard.model.channel import channel_urls
    from envguard.model.secrets import without_credentials

    mirrors = {}
    for text in texts:
        channel, separator, url = text.partition("=")
        if not separator or not channel or "://" not in url:
            raise InputError(
                f"--mirror {without_credentials(text)}: CHANNEL_URL=URL is expected",
                hint="--mirror https://conda.anaconda.org/conda-forge=http://127.0.0.1:8000/conda-forge",
            )
        for canonical in channel_urls(channel, subdir="noarch"):
            mirrors[canonical] = url.rstrip("/")
    return mirrors


def lock(
    environment_yml: Path | None = None,
    *,
    output: Path,
    targets: Sequence[str] = (),
    platforms: Sequence[str] = (),
    channels: Sequence[str] = (),
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    allow: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> LockSummary:
    """Solve an environment.yml and write its conda-lock.yml, whole or not at all.

    `allow` may hold `known-bad`: write a lock although the check of it fails. Raises InputError,
    UnsatisfiableError or UnavailableError; then nothing was written.
    """
    import os
    import time
    from dataclasses import replace

    from envguard.adapters import files, rules
    from envguard.adapters.pip.resolver import UvPipResolver
    from envguard.adapters.prefixes.throwaway import cache_root
    from envguard.adapters.solver import RattlerSolver
    from envguard.commands import lock as commands
    from envguard.commands.lock_summary import judged, summarize
    from envguard.formats.conda_lock_dump import dump_conda_lock
    from envguard.formats.environment_yml import parse_environment
    from envguard.ports import SILENT

    started = time.monotonic()
    path = environment_yml or Path("environment.yml")
    environment = parse_environment(files.read_text(path), str(path))
    environment = replace(environment, channels=(*channels, *environment.channels))
    knowledge = rules.load()
    progress = progress or SILENT
    outcome = commands.lock(
        environment,
        _targets_to_lock(environment, path, targets, platforms),
        solver=RattlerSolver(
            cache_dir=cache_root() / "repodata", mirrors=mirrors, offline=offline, progress=progress
        ),
        pip=UvPipResolver(pypi_names=knowledge.pypi_names, offline=offline),
        knowledge=knowledge,
        source=os.path.relpath(path.resolve(), output.parent.resolve()),
        directory=path.resolve().parent,
        progress=progress,
    )
    reports = judged(outcome, str(output), knowledge, allow_known_bad="known-bad" in allow)
    files.write_text(output, dump_conda_lock(outcome.lockfile, created_by=_created_by()))
    seconds = time.monotonic() - started
    return summarize(outcome, environment, reports, output=str(output), seconds=seconds)


def _targets_to_lock(
    environment: Environment, path: Path, said: Sequence[str], platforms: Sequence[str]
) -> dict[str, tuple[Target, ...]]:
    """Targets by subdir; raises InputError where the file asks for a GPU and no machine was named."""
    from shlex import quote

    from envguard.adapters import rules
    from envguard.checks.requests import asks_for_gpu
    from envguard.commands.lock_targets import lock_targets, refuse_unclaimed_gpu
    from envguard.model.subdir import current_subdir

    targets = lock_targets(
        environment,
        platforms=platforms,
        said=said,
        here_subdir=current_subdir(),
        here=target_here,
        resolve=lambda text, subdir: resolve_targets([text], subdir=subdir)[0],
    )
    refuse_unclaimed_gpu(
        environment,
        targets,
        lambda selected: asks_for_gpu(selected, rules.load()),
        command="envguard lock"
        + ("" if path == Path("environment.yml") else f" {quote(str(path))}"),
    )
    return targets


def _created_by() -> str:
    from envguard import __version__

    return f"conda-envguard {__version__}"


def export(
    what: str | None = None, *, name: str | None = None, prefix: Path | None = None
) -> tuple[str, tuple[str, ...]]:
    """A clean environment.yml of a lock, a prefix or a virtual environment, and notes on it.

    `what` None = what is here. Raises InputError for what is none of these.
    """
    from envguard.adapters import subjects
    from envguard.cleaning import clean_installed, clean_lock
    from envguard.errors import InputError
    from envguard.formats.environment_yml_dump import dump_environment
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile

    path, subject = subjects.find_subject(
        what, name=name, prefix=prefix, looked_for=("conda-lock.yml",)
    )
    if isinstance(subject, Environment | tuple):
        kind = "an environment.yml" if isinstance(subject, Environment) else f"a {subject[0].kind}"
        raise InputError(
            f"{path} is {kind}, and export is of what was locked or installed",
            hint="export a lock or an environment: envguard export conda-lock.yml, -n NAME, -p PREFIX",
        )
    clean = clean_lock(subject) if isinstance(subject, Lockfile) else clean_installed(subject)
    return dump_environment(clean), clean.notes


def verify(
    what: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    python: Path | None = None,
    timeout_s: float = 120.0,
    keep: str = "never",
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run the probes in a throwaway prefix made from a lock, or in an interpreter that is there.

    `keep` is `never`, `failed` or `always`; `timeout_s` is one probe's. Raises InputError or
    UnavailableError when there is nothing that could be probed; a probe that does not pass is in the report.
    """
    from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
    from envguard.adapters.probing.existing import Existing
    from envguard.adapters.probing.runner import process_probes
    from envguard.commands import verify as commands
    from envguard.errors import InputError
    from envguard.ports import SILENT

    progress = progress or SILENT
    found = _verifiable(what, name=name, prefix=prefix, python=python)
    if isinstance(found, Existing):
        if keep != "never":
            raise InputError("--keep is for a throwaway environment; what is there already stays")
        request = _verify_existing_request(found, targets, timeout_s)
        with process_probes() as runner:
            return commands.verify_prefix(found.prefix, request, runner=runner, progress=progress)
    path, lockfile = found
    request = _verify_lock_request(path, lockfile, targets, timeout_s)
    with process_probes() as runner:
        return commands.verify_lock(
            lockfile,
            request,
            prefixes=ThrowawayPrefixes(mirrors=mirrors, offline=offline),
            runner=runner,
            keep=commands.Keep(keep),
            progress=progress,
        )


def _verifiable(
    what: str | Path | None, *, name: str | None, prefix: Path | None, python: Path | None
) -> tuple[str, Lockfile] | Existing:
    """A lock with its path, or what is there already; raises InputError for an environment.yml."""
    from envguard.adapters import subjects
    from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
    from envguard.adapters.probing import existing as verify_input
    from envguard.errors import InputError
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile

    if python is not None and (what, name, prefix) != (None, None, None):
        raise InputError("WHAT, -n, -p and --python are ways to name one thing: give one of them")
    if python is not None:
        return verify_input.existing_python(python, reader=PrefixReaderOnDisk())
    path, subject = subjects.find_subject(
        None if what is None else str(what), name=name, prefix=prefix
    )
    if isinstance(subject, Environment | tuple):
        raise InputError(
            f"{path} is no conda-lock.yml, from which a throwaway environment could be built",
            hint=f"lock it first: envguard lock {path} && envguard verify",
        )
    if isinstance(subject, Lockfile):
        return path, subject
    return verify_input.existing_prefix(subject)


def _verify_lock_request(
    path: str, lockfile: Lockfile, targets: Sequence[str], timeout_s: float
) -> VerifyRequest:
    from envguard.adapters import rules
    from envguard.commands.check import check_lock
    from envguard.commands.verify import VerifyRequest, recorded_targets
    from envguard.model.report import Subject
    from envguard.model.subdir import current_subdir

    subdir, here, said = current_subdir(), target_here(), resolve_targets(targets)
    reports: tuple[Report, ...] = ()
    if subdir in lockfile.platforms:  # where it is not, the prefix factory says so
        reports = check_lock(lockfile, path, said or (here,), knowledge=rules.load())
    packages = f"{len(lockfile.records_for(subdir))} packages"
    return VerifyRequest(
        Subject("conda-lock", path, target=subdir, detail=packages),
        here.machine,
        reports=reports,
        targets=said or recorded_targets(lockfile, subdir),
        timeout_s=timeout_s,
    )


def _verify_existing_request(
    existing: Existing, targets: Sequence[str], timeout_s: float
) -> VerifyRequest:
    import os

    from envguard.adapters import rules
    from envguard.commands.check import check_installed
    from envguard.commands.verify import VerifyRequest

    here, said = target_here(), resolve_targets(targets)
    reports: tuple[Report, ...] = ()
    if existing.installed is not None:
        reports = check_installed(
            existing.installed,
            said or (here,),
            knowledge=rules.load(),
            variables=dict(os.environ),
        )
    return VerifyRequest(
        existing.subject, here.machine, reports=reports, targets=said, timeout_s=timeout_s
    )


def check(
    what: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
) -> tuple[Report, ...]:
    """Judge a lock, an environment.yml or an installed environment: one report a machine.

    `targets` are texts of `--for`. Without them a lock is judged for the machines recorded in it, and
    for this one where it has a GPU; everything else for this machine. `what` None = what is here
    (`directory`, default the working directory). Raises InputError.
    """
    import os
    import time
    from dataclasses import replace

    from envguard.adapters import rules, subjects
    from envguard.commands import check as commands
    from envguard.model.environment import Environment
    from envguard.model.lockfile import Lockfile

    started = time.perf_counter()
    path, subject = subjects.find_subject(
        None if what is None else str(what), name=name, prefix=prefix, directory=directory
    )
    knowledge = rules.load()
    said = resolve_targets(targets) if targets else None
    if isinstance(subject, Lockfile):
        machines = said or commands.targets_of_lock(subject, target_here)
        reports = commands.check_lock(subject, path, machines, knowledge=knowledge)
    elif isinstance(subject, Environment):
        machines = said or (target_here(),)
        reports = commands.check_environment(subject, path, machines, knowledge=knowledge)
    elif isinstance(subject, tuple):
        reports = tuple(
            report
            for listing in subject
            for report in commands.check_listing(
                listing,
                path,
                said or commands.targets_of_listing(listing, knowledge, target_here),
                knowledge=knowledge,
            )
        )
    else:
        machines = said or (target_here(),)
        reports = commands.check_installed(
            subject, machines, knowledge=knowledge, variables=dict(os.environ)
        )
    seconds = time.perf_counter() - started
    return tuple(replace(report, seconds=seconds) for report in reports)


def rules_date() -> str:
    """The day of the newest fact in the rules."""
    from envguard.adapters import rules

    return rules.load().date


@contextmanager
def demo(
    *, torch: bool = False, keep: bool = False, progress: Progress | None = None
) -> Iterator[Demo]:
    """A temporary directory with a channel made here and environments to try; removed on leaving.

    Raises UnavailableError when PyPI does not answer, or has no CPU build of torch; `keep` leaves the
    directory.
    """
    import tempfile

    from envguard.adapters import files
    from envguard.adapters.local_channel.demo import LocalChannelMaker
    from envguard.adapters.scratch import scratch_folder
    from envguard.commands.demo import prepare_demo
    from envguard.ports import SILENT

    made = False
    with scratch_folder(Path(tempfile.gettempdir()), keep=lambda: keep and made) as folder:
        prepared = prepare_demo(
            folder,
            torch=torch,
            channels=LocalChannelMaker(progress or SILENT),
            write_text=files.write_text,
        )
        made = True
        yield prepared
