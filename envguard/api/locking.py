"""From an environment.yml to a lock, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envguard.api.configuring import waived
from envguard.model.configuration import NO_CONFIGURATION, Configuration
from envguard.model.relock import Relock

if TYPE_CHECKING:
    from envguard.commands.lock import LockOutcome
    from envguard.formats.lock_text import LockSummary
    from envguard.model.environment import Environment
    from envguard.model.rendering import RenderKind
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
    renders: Sequence[RenderKind] = (),
    engine: str = "rattler",
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
    named_only: bool = False,
    write: Callable[[Path, str], None] | None = None,
    condarc: Path | None = None,
    no_condarc: bool = False,
    relock: Relock = Relock(),  # noqa: B008  frozen
    now: datetime | None = None,
    progress: Progress | None = None,
) -> LockSummary:
    """Solve an environment.yml and write its conda-lock.yml, whole or not at all.

    `allow` may hold `known-bad`, to write a lock although the check of it fails, `cpu`, to write CPU builds
    for a machine with a GPU, and `build`, to run the code of sources in the pip section; with `strict_cuda`
    no CUDA is newer than what the driver reports. Without `targets` it is for those of `lock_for` in
    `configuration`, whose waivers hold up to `today`, None = the day in UTC; `named_only` leaves out
    platforms that no target names. `renders` are written beside the lock. `engine` may be `conda-lock`: the
    user's own solves. `write` gets the path and the text in place of the file system. What is configured for
    conda holds (`condarc`: only that file; `no_condarc`: nothing of it). Of a lock that is there `relock`
    says what is kept; where it holds all of it, it stays as it is. `now` is for ages, None = now. Raises
    InputError, UnsatisfiableError or UnavailableError; then nothing was written.
    """
    import os
    import time
    from dataclasses import replace

    from envguard.adapters import files
    from envguard.adapters.pip.resolver import UvPipResolver
    from envguard.adapters.prefixes.throwaway import cache_root
    from envguard.adapters.solver import RattlerSolver
    from envguard.api.comparing import refuse_renders_nowhere, rendered_beside
    from envguard.api.lock_jobs import lock_job
    from envguard.api.relocking import base_for, changes_since, unchanged, with_renders
    from envguard.commands import lock as commands
    from envguard.commands.lock_channels import refuse_records
    from envguard.commands.lock_contract import with_contract
    from envguard.commands.lock_summary import judged, summarize
    from envguard.formats.conda_lock_dump import dump_conda_lock
    from envguard.model.pip_source import relative_to
    from envguard.ports import SILENT

    started = time.monotonic()
    refuse_renders_nowhere(output, renders)
    job = lock_job(
        environment_yml,
        output=output,
        targets=targets,
        platforms=platforms,
        channels=channels,
        configuration=configuration,
        named_only=named_only,
        condarc=condarc,
        no_condarc=no_condarc,
        relock=relock,
        now=now,
    )
    base = base_for(job, relock)
    if engine == "rattler" and base is not None and not base.update:
        held = unchanged(job, allow=allow, strict_cuda=strict_cuda, today=today)
        if held is not None:
            return with_renders(held, job, renders, write=write, started=started)
    path, environment, knowledge = job.path, job.environment, job.knowledge
    configuration, wanted = job.configuration, job.targets or {}
    progress = progress or SILENT
    source = os.path.relpath(path.resolve(), output.parent.resolve())
    conda = job.conda
    if conda.taken:
        progress.stage(f"configured for conda by {', '.join(conda.places)}")
    if engine == "conda-lock":
        said = {"--mirror": mirrors, "--offline": offline, "--strict-cuda": strict_cuda}
        said |= {"-P": bool(relock.update), "--exclude-newer": job.cutoff is not None}
        refused = tuple(option for option, value in said.items() if value)
        outcome = _by_conda_lock(environment, path, wanted, channels, source, refused)
        refuse_records((r for s in outcome.subdirs for r in s.records), conda.policy)
    else:
        offline = offline or conda.offline
        outcome = commands.lock(
            environment,
            wanted,
            solver=RattlerSolver(
                cache_dir=cache_root() / "repodata",
                mirrors=mirrors,
                names=conda.names,
                network=conda.network,
                priority=conda.priority,
                adds_pip=conda.adds_pip,
                offline=offline,
                cutoff=job.cutoff,
                progress=progress,
            ),
            pip=UvPipResolver(
                pypi_names=knowledge.pypi_names,
                offline=offline,
                cutoff=job.cutoff,
                package_cache=cache_root() / "pkgs",
                mirrors=mirrors,
            ),
            knowledge=knowledge,
            source=source,
            directory=path.resolve().parent,
            allow=allow,
            strict_cuda=strict_cuda,
            config=conda,
            base=base,
            cutoff=job.cutoff,
            progress=progress,
        )
    beside = output.resolve().parent
    lockfile = relative_to(outcome.lockfile, beside, within=(beside, path.resolve().parent))
    reports = judged(
        outcome,
        str(output),
        knowledge,
        allow=allow,
        accepted=lambda reports: waived(reports, configuration, today),
    )
    locked = with_contract(lockfile, knowledge)
    text = dump_conda_lock(locked, created_by=_created_by())
    rendered = rendered_beside(text, output, renders)
    for file, content in ((output, text), *((file, one.text) for file, one in rendered)):
        (write or files.write_text)(file, content)
    seconds = time.monotonic() - started
    summary = summarize(outcome, environment, reports, output=str(output), seconds=seconds)
    return replace(
        summary,
        condarc=conda.taken,
        changes=changes_since(job, locked, outcome),
        renders=tuple((str(file), one.kind.value) for file, one in rendered),
        notes=(
            *summary.notes,
            *job.notes,
            *(f"{one.kind}: {n}" for _, one in rendered for n in one.notes),
        ),
    )


def lock_separately(
    environment_yml: Path | None = None,
    *,
    output: Path,
    targets: Sequence[str] = (),
    configuration: Configuration = NO_CONFIGURATION,
    **options: Any,
) -> tuple[LockSummary, ...]:
    """A lock for each of `targets`, `conda-lock.NAME.yml` beside `output`; each is written whole, and none
    before all are solved.

    Without `targets`: those of `lock_for`, else all of the configuration. A lock is for the platforms of its
    machines alone. `options` are those of `lock`; raises as it does, the machine named.
    """
    from envguard.commands.named_targets import lock_beside
    from envguard.errors import EnvguardError, InputError

    said = dict.fromkeys(targets or configuration.lock_for or configuration.targets)
    if not said:
        raise InputError(
            "--separate makes a lock for each machine, and none is named",
            hint="--for h100 --for v100, or `targets:` in .envguard.yml",
        )
    options |= {"configuration": configuration, "named_only": True}
    texts: dict[Path, str] = {}
    summaries = []
    for name, place in {text: lock_beside(output, text) for text in said}.items():
        try:
            summary = lock(
                environment_yml, output=place, targets=(name,), write=texts.__setitem__, **options
            )
        except EnvguardError as error:
            message = f"{name}: {error.message}"
            raise type(error)(message, hint=error.hint, problems=error.problems) from error
        summaries.append(summary)
    _write_all(texts)
    return tuple(summaries)


def _write_all(texts: Mapping[Path, str]) -> None:
    from envguard.adapters import files

    for place, text in texts.items():
        files.write_text(place, text)


def _by_conda_lock(
    environment: Environment,
    path: Path,
    targets: Mapping[str, tuple[Target, ...]],
    channels: Sequence[str],
    source: str,
    refused: tuple[str, ...],
) -> LockOutcome:
    """What the user's own conda-lock locks. Raises InputError for options that it cannot follow."""
    from envguard.adapters import rules
    from envguard.adapters.conda_lock_engine import CondaLockEngine
    from envguard.commands.lock_engine import lock_by_engine
    from envguard.errors import InputError

    if refused:
        raise InputError(
            f"--engine conda-lock does not know {', '.join(refused)}",
            hint="leave them out, or let envguard solve: leave out --engine",
        )
    return lock_by_engine(
        environment,
        targets,
        engine=CondaLockEngine(path.resolve(), channels).lock,
        name="conda-lock",
        knowledge=rules.load(),
        source=source,
    )


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
