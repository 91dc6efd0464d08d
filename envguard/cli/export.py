"""`envguard export`: what did I really ask for? Or a lock in another tool's format."""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, format_option, output_option
from envguard.model.rendering import RenderKind

_CLEAN = "environment-yml"


@click.command("export", short_help="what did I really ask for? Or a lock in another tool's format")
@click.argument("what", required=False)
@click.option("-n", "--name", help="An environment by its name, as with conda.")
@click.option(
    "-p", "--prefix", type=click.Path(path_type=Path), help="An environment by its directory."
)
@format_option(_CLEAN, *(kind.value for kind in RenderKind))
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="SUBDIR",
    help="Of a lock's platforms only this one. Repeatable.",
)
@output_option
def command(
    what: str | None,
    name: str | None,
    prefix: Path | None,
    format_: str,
    platforms: tuple[str, ...],
    output: Path | None,
) -> int:
    """Print a clean environment.yml of WHAT: a conda-lock.yml, a prefix or a virtual environment.

    Without WHAT: conda-lock.yml here, else the active environment. No `prefix:`, no credentials, no build
    strings but those that choose the GPU.

    The other formats are of a lock, exact: explicit (conda's @EXPLICIT), pixi (pixi.lock), env (an
    environment.yml of versions and builds), requirements and pylock (the pip packages).
    """
    if format_ == _CLEAN:
        text, notes = _clean(what, name, prefix, platforms)
    else:
        text, notes = _rendered(what, name, prefix, RenderKind(format_), platforms)
    deliver(text, output)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    return 0


def _clean(
    what: str | None, name: str | None, prefix: Path | None, platforms: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    from envguard import api

    if platforms:
        raise click.UsageError(f"--platform chooses of a lock's files; --format {_CLEAN} has one")
    return api.export(what, name=name, prefix=prefix)


def _rendered(
    what: str | None,
    name: str | None,
    prefix: Path | None,
    kind: RenderKind,
    platforms: tuple[str, ...],
) -> tuple[str, tuple[str, ...]]:
    from envguard import api

    if name is not None or prefix is not None:
        raise click.UsageError(f"--format {kind} is of a lock: envguard export conda-lock.yml")
    files = api.render(what, kind, platforms=platforms)
    if len(files) > 1:
        subdirs = ", ".join(str(file.subdir) for file in files)
        raise click.UsageError(
            f"{kind} is one file a platform, and the lock has {len(files)} of them: {subdirs}. "
            f"Name one (--platform {files[0].subdir}), or write all with `envguard lock --render {kind}`"
        )
    return files[0].text, files[0].notes
