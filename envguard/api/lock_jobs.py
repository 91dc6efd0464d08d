"""What is to be locked or checked: the file, the machines, and the lock that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import knowledge_for, with_known_waivers
from envguard.api.machines import resolve_targets, target_here
from envguard.model.configuration import Configuration
from envguard.model.lock_options import LockOptions
from envguard.model.relock import Cutoff

if TYPE_CHECKING:
    from envguard.commands.locking.check import Asked
    from envguard.model.conda_config import CondaConfig
    from envguard.model.environment import Environment
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.target import Target


@dataclass(frozen=True, slots=True)
class LockJob:
    """A request for a lock. `there` is the lock that is at the output, with its text."""

    options: LockOptions
    path: Path
    environment: Environment
    knowledge: Knowledge
    configuration: Configuration
    targets: dict[str, tuple[Target, ...]] | None
    """None = nobody said one, and a lock is only checked."""
    there: tuple[Lockfile, str] | None
    cutoff: Cutoff | None
    conda: CondaConfig
    kept: tuple[Target, ...] = ()
    """The machines of the lock that is there, where nobody said others."""

    def asked(self) -> Asked:
        """What the lock that is there is to hold."""
        from envguard.commands.locking.channels import with_configured_channels
        from envguard.commands.locking.check import Asked

        relock = self.options.relock
        return Asked(
            with_configured_channels(self.environment, self.conda),
            self.targets,
            self.cutoff,
            self.options.strict_cuda,
            cutoff_said=bool(relock.exclude_newer or relock.exclude_newer_package),
            names=self.conda.names,
        )

    @property
    def source(self) -> str:
        """The environment file's path from the folder of the lock."""
        import os

        return os.path.relpath(self.path.resolve(), self.options.place.parent.resolve())

    @property
    def notes(self) -> tuple[str, ...]:
        """Whose machines it is for, where nobody said; what was too new."""
        names = ", ".join(dict.fromkeys(target.name for target in self.kept))
        told = (f"for {names}, as the lock that is there (--for says others)",) if names else ()
        return told + ((self.cutoff.told,) if self.cutoff else ())


def lock_job(environment_yml: Path | None, options: LockOptions, *, check: bool = False) -> LockJob:
    """Read what was asked for, and the lock that is there.

    With `check` nobody is asked about a machine that nobody named. Raises InputError.
    """
    from datetime import UTC

    from envguard.adapters import conda_config, files
    from envguard.adapters.lock_there import lock_there
    from envguard.formats.cutoff_text import cutoff_of
    from envguard.formats.environments.environment_yml import parse_environment

    path = environment_yml or Path("environment.yml")
    environment = parse_environment(files.read_text(path), str(path))
    channels = tuple(map(_channel, (*options.channels, *environment.channels)))
    environment = replace(environment, channels=channels)
    knowledge = knowledge_for(options.configuration)
    configuration = with_known_waivers(options.configuration, knowledge)
    relock, output = options.relock, options.output
    there = lock_there(output, replace=relock.upgrade) if output is not None else None
    old = there[0] if there is not None else None
    said = options.targets or configuration.lock_for
    kept = () if said or options.named_only or check else _kept(old, knowledge)
    wanted = None
    if said or not check:
        wanted = _wanted(environment, path, said, options, configuration, kept)
    if wanted is not None and options.named_only:
        wanted = {s: of for s, of in wanted.items() if any(t.given for t in of)}
    cutoff = cutoff_of(
        relock.exclude_newer,
        relock.exclude_newer_package,
        recorded=old.request.cutoff if old is not None and old.request is not None else None,
        now=options.now or datetime.now(UTC),
    )
    platforms = options.platforms
    return LockJob(
        options,
        path,
        replace(environment, platforms=platforms) if platforms else environment,
        knowledge,
        configuration,
        wanted,
        there,
        cutoff,
        conda=conda_config.load(condarc=options.condarc, none=options.no_condarc),
        kept=kept,
    )


def _channel(text: str) -> str:
    """A folder as its URL, as conda has it; raises InputError for what is no channel."""
    from envguard.errors import InputError
    from envguard.model.channel import channel_mistake, is_path
    from envguard.model.secrets import redacted

    if mistake := channel_mistake(text):
        raise InputError(
            f"--channel: {redacted(text)!r} {mistake}", hint="a name or a URL: -c NAME"
        )
    return Path(text).expanduser().resolve().as_uri() if is_path(text) else text


def _kept(old: Lockfile | None, knowledge: Knowledge) -> tuple[Target, ...]:
    """The machines that the lock is for and somebody meant: named ones, and a GPU where here is none."""
    from envguard.model.virtual import with_cuda_reach

    recorded = [locked.target for locked in (old.targets or () if old is not None else ())]
    named = [target for target in recorded if target.given]
    others = [target for target in recorded if not target.given and target.wants_gpu]
    if others and not target_here().wants_gpu:
        named += others
    return tuple(with_cuda_reach(target, knowledge) for target in named)


def _wanted(
    environment: Environment,
    path: Path,
    said: Sequence[str],
    options: LockOptions,
    configuration: Configuration,
    kept: tuple[Target, ...],
) -> dict[str, tuple[Target, ...]]:
    from envguard.errors import InputError

    try:
        wanted = targets_to_lock(environment, path, said, options.platforms, configuration, kept)
        if "cpu" not in options.allow:
            _refuse_no_common_cuda(environment, wanted)
        return wanted
    except InputError as error:
        if options.targets or not configuration.lock_for:
            raise
        message = f"{configuration.path}: lock_for: {error.message}"
        raise InputError(message, hint=error.hint, problems=error.problems) from error


def _refuse_no_common_cuda(
    environment: Environment, targets: dict[str, tuple[Target, ...]]
) -> None:
    from envguard.adapters import rules
    from envguard.checks.requests import asks_for_gpu
    from envguard.commands.locking.targets import refuse_no_common_cuda

    knowledge = rules.load()
    refuse_no_common_cuda(
        environment, targets, lambda selected: asks_for_gpu(selected, knowledge), knowledge
    )


def targets_to_lock(
    environment: Environment,
    path: Path,
    said: Sequence[str],
    platforms: Sequence[str],
    configuration: Configuration,
    kept: tuple[Target, ...] = (),
    *,
    command: str | None = None,
) -> dict[str, tuple[Target, ...]]:
    """Targets by subdir; raises InputError where the file asks for a GPU and no machine was named.

    `command` is what is to be typed again with `--for`; None = `envguard lock` of the file.
    """
    from shlex import quote

    from envguard.adapters import rules
    from envguard.checks.environment import judge_environment
    from envguard.checks.requests import asks_for_gpu
    from envguard.commands.locking.targets import (
        lock_targets,
        refuse_contradictions,
        refuse_unclaimed_gpu,
    )
    from envguard.commands.named_targets import spelled_out
    from envguard.model.report import Status
    from envguard.model.subdir import current_subdir

    targets = lock_targets(
        environment,
        platforms=platforms,
        said=spelled_out(said, configuration.targets),
        here_subdir=current_subdir(),
        here=target_here,
        resolve=lambda text, subdir: resolve_targets(
            [text], subdir=subdir, configuration=configuration
        )[0],
        kept=kept,
    )
    refuse_contradictions(targets, rules.load())
    refuse_unclaimed_gpu(
        environment,
        targets,
        lambda selected: asks_for_gpu(selected, rules.load()),
        wrong=lambda whole, target: [
            finding
            for finding in judge_environment(whole, target, rules.load())
            if finding.status in (Status.FAIL, Status.WARN)
        ],
        command=command
        or "envguard lock" + ("" if path == Path("environment.yml") else f" {quote(str(path))}"),
    )
    return targets
