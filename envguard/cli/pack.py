"""`envguard pack`: a lock and all that it needs, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import STDOUT, condarc_options, fetch_mirror_option


@click.command(
    "pack", short_help="a lock and all that it needs in one file, for machines without network"
)
@click.argument("lock", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the pack goes; written whole or not at all.",
)
@click.option(
    "--platform",
    "subdir",
    metavar="SUBDIR",
    help="Whose packages. Without it the lock must have one platform only.",
)
@fetch_mirror_option
@click.option("--offline", is_flag=True, help="Use the files that are cached, ask nobody.")
@condarc_options
def command(
    lock: Path | None,
    output: Path,
    subdir: str | None,
    mirrors: tuple[str, ...],
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
) -> int:
    """Put LOCK (default: conda-lock.yml here) and every package file it names into one FILE.

    On a machine without network `envguard verify FILE` installs from it alone, each file compared with its
    hash; `check FILE` and `export FILE` read the lock in it. FILE is a plain tar. Files are kept in the
    cache (ENVGUARD_CACHE_DIR), so a second run fetches nothing.

    Exit status: 0 it is written, 2 wrong usage or a lock that cannot be packed, 4 something outside gave
    out. Nothing half stays.
    """
    from envguard import api
    from envguard.cli.progress import terminal_progress
    from envguard.formats.pack_text import pack_text

    if output == STDOUT:
        raise click.UsageError("-o -: a pack goes into a file, for `verify FILE` reads it from one")
    lock = lock or Path("conda-lock.yml")
    if output.resolve() == lock.resolve():
        raise click.UsageError(f"-o {output} is the lock itself; the pack goes elsewhere")
    with terminal_progress() as progress:
        summary = api.pack(
            lock,
            output=output,
            subdir=subdir,
            mirrors=api.parse_mirrors(mirrors),
            offline=offline,
            condarc=condarc,
            no_condarc=no_condarc,
            progress=progress,
        )
    click.echo(pack_text(summary), nl=False)
    return 0
