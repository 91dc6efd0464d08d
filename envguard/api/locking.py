"""From an environment.yml to a lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.model.lock_options import LockOptions
from envguard.model.rendering import Rendered, RenderKind

if TYPE_CHECKING:
    from envguard.formats.lock_text import LockSummary
    from envguard.ports.progress import Progress


def parse_mirrors(texts: Sequence[str]) -> dict[str, str]:
    """`CHANNEL=URL` pairs; a channel may be given by its name. Raises InputError for what is no pair."""
    from envguard.errors import InputError
    from envguard.model.channel import channel_mistake, channel_urls
    from envguard.model.secrets import without_credentials

    mirrors = {}
    for text in texts:
        channel, separator, url = text.partition("=")
        if (
            not separator
            or not channel
            or "://" not in url
            or any(map(channel_mistake, (channel, url)))
        ):
            raise InputError(
                f"--mirror {without_credentials(text)}: CHANNEL_URL=URL is expected",
                hint="--mirror https://conda.anaconda.org/conda-forge=http://127.0.0.1:8000/conda-forge",
            )
        for canonical in channel_urls(channel, subdir="noarch"):
            mirrors[canonical] = url.rstrip("/")
    return mirrors


def lock(
    environment_yml: Path | None = None,
    options: LockOptions = LockOptions(),  # noqa: B008  frozen
    *,
    progress: Progress | None = None,
) -> LockSummary:
    """Solve an environment.yml and write its conda-lock.yml and the renders of it: all of them or none.

    Of a lock that is there is kept what `options.relock` says; where it holds all of it, it stays as it is.
    Raises InputError, UnsatisfiableError or UnavailableError; then nothing was written.
    """
    from envguard.adapters import files

    locked = _locked(environment_yml, options, progress)
    files.write_texts(locked.texts)
    return locked.summary


def lock_separately(
    environment_yml: Path | None = None,
    options: LockOptions = LockOptions(),  # noqa: B008  frozen
    *,
    progress: Progress | None = None,
) -> tuple[LockSummary, ...]:
    """A lock for each of the targets, `conda-lock.NAME.yml` beside `options.output`; a pixi.lock holds all.

    Without targets: those of `lock_for`, else all of the configuration. A lock is for the platforms of its
    machines alone. None is written before all are solved. Raises as `lock` does, the machine named.
    """
    from envguard.adapters import files
    from envguard.api.comparing import pixi_lock_of
    from envguard.commands.named_targets import lock_beside
    from envguard.errors import EnvguardError

    names = _separate_names(options)
    each = tuple(kind for kind in options.renders if kind is not RenderKind.PIXI)
    locks: dict[str, _Locked] = {}
    for name, place in {name: lock_beside(options.place, name) for name in names}.items():
        alone = replace(options, output=place, targets=(name,), named_only=True, renders=each)
        try:
            locks[name] = _let_go(_locked(environment_yml, alone, progress))
        except EnvguardError as error:
            message = f"{name}: {error.message}"
            raise type(error)(message, hint=error.hint, problems=error.problems) from error
    texts = {file: text for locked in locks.values() for file, text in locked.texts.items()}
    summaries = [locked.summary for locked in locks.values()]
    if RenderKind.PIXI in options.renders:
        file, one = pixi_lock_of({n: locked.text for n, locked in locks.items()}, options.place)
        texts[file] = one.text
        summaries[-1] = _with_rendered(summaries[-1], ((file, one),))
    files.write_texts(texts)
    return tuple(summaries)


def _separate_names(options: LockOptions) -> tuple[str, ...]:
    from envguard.errors import InputError

    configuration = options.configuration
    names = tuple(dict.fromkeys(options.targets or configuration.lock_for or configuration.targets))
    if not names:
        raise InputError(
            "--separate makes a lock for each machine, and none is named",
            hint="--for h100 --for v100, or `targets:` in .envguard.yml",
        )
    if options.output is None:
        raise InputError(
            "--separate makes several files, and standard output is one", hint="say -o FILE"
        )
    return names


@dataclass(frozen=True, slots=True)
class _Locked:
    """A lock and what is to be written: one that stays as it is is not in `texts`."""

    summary: LockSummary
    text: str
    texts: Mapping[Path, str]


def _locked(
    environment_yml: Path | None, options: LockOptions, progress: Progress | None
) -> _Locked:
    """The lock with its renders, solved and judged; nothing is written."""
    import time

    from envguard.api.comparing import refuse_renders_nowhere, rendered_beside
    from envguard.api.lock_jobs import lock_job
    from envguard.api.lock_solving import solved
    from envguard.api.relocking import base_for, unchanged
    from envguard.ports.progress import SILENT

    started = time.monotonic()
    refuse_renders_nowhere(options)
    job = lock_job(environment_yml, options)
    base = base_for(job)
    keeps = options.engine == "rattler" and base is not None and not base.update
    summary = unchanged(job) if keeps else None
    if summary is not None and job.there is not None:
        text = job.there[1]
    else:
        summary, text = solved(job, base, progress or SILENT, created_by=_created_by())
        summary = replace(summary, unchanged=job.there is not None and text == job.there[1])
    rendered = rendered_beside(text, options.place, options.renders)
    texts = {file: one.text for file, one in rendered}
    if options.output is not None and not summary.unchanged:
        texts = {options.output: text, **texts}
    summary = replace(
        _with_rendered(summary, rendered),
        seconds=time.monotonic() - started,
        text=text if options.output is None else "",
    )
    return _Locked(summary, text, texts)


def _let_go(locked: _Locked) -> _Locked:
    """The same without the solver: several of them are a lot of memory."""
    return replace(locked, summary=replace(locked.summary, held=None))


def _with_rendered(summary: LockSummary, rendered: Sequence[tuple[Path, Rendered]]) -> LockSummary:
    """The summary, with what is written beside the lock and what that does not hold."""
    return replace(
        summary,
        renders=(*summary.renders, *((str(file), one.kind.value) for file, one in rendered)),
        notes=(*summary.notes, *(f"{one.kind}: {n}" for _, one in rendered for n in one.notes)),
    )


def _created_by() -> str:
    from envguard import __version__

    return f"conda-envguard {__version__}"
