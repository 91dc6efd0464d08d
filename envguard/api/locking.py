"""From an environment.yml to a lock, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.machines import resolve_targets, target_here

if TYPE_CHECKING:
    from envguard.formats.lock_text import LockSummary
    from envguard.model.environment import Environment
    from envguard.model.target import Target
    from envguard.ports import Progress


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
    strict_cuda: bool = False,
    progress: Progress | None = None,
) -> LockSummary:
    """Solve an environment.yml and write its conda-lock.yml, whole or not at all.

    `allow` may hold `known-bad`, to write a lock although the check of it fails, and `cpu`, to write CPU
    builds for a machine with a GPU; with `strict_cuda` no CUDA is newer than what the driver reports.
    Raises InputError, UnsatisfiableError or UnavailableError; then nothing was written.
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
        strict_cuda=strict_cuda,
        progress=progress,
    )
    reports = judged(outcome, str(output), knowledge, allow=allow)
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
    from envguard.commands.lock_targets import (
        lock_targets,
        refuse_contradictions,
        refuse_unclaimed_gpu,
    )
    from envguard.model.subdir import current_subdir

    targets = lock_targets(
        environment,
        platforms=platforms,
        said=said,
        here_subdir=current_subdir(),
        here=target_here,
        resolve=lambda text, subdir: resolve_targets([text], subdir=subdir)[0],
    )
    refuse_contradictions(targets, rules.load())
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
    from envguard.model.image import Images
    from envguard.model.lockfile import Lockfile

    path, subject = subjects.find_subject(
        what, name=name, prefix=prefix, looked_for=("conda-lock.yml",)
    )
    if isinstance(subject, Environment | Images | tuple):
        kind = "an environment.yml" if isinstance(subject, Environment) else "a list of packages"
        kind = f"an {subject.kind}" if isinstance(subject, Images) else kind
        raise InputError(
            f"{path} is {kind}, and export is of what was locked or installed",
            hint="export a lock or an environment: envguard export conda-lock.yml, -n NAME, -p PREFIX",
        )
    clean = clean_lock(subject) if isinstance(subject, Lockfile) else clean_installed(subject)
    return dump_environment(clean), clean.notes
