"""`envguard stamp`: what verify has proven here. `stamp check` is answered before this is imported."""

from __future__ import annotations

from pathlib import Path

import click

from envguard import stamp_check
from envguard.cli.options import format_option


@click.group("stamp", short_help="is this lock proven here?")
def command() -> None:
    """Stamps: what `envguard verify` has proven of a lock on this machine.

    They lie in the user's state folder (ENVGUARD_STATE_DIR). A stamp holds until the lock, the driver, the
    cards, the CPU, glibc, LD_LIBRARY_PATH, LD_PRELOAD or the probes change; unknown is never proven.
    """


@command.command()
@click.argument("lock", type=click.Path(path_type=Path), default=stamp_check.DEFAULT_LOCK)
@format_option("text", "json")
def check(lock: Path, format_: str) -> int:
    """Is LOCK (default: conda-lock.yml here) proven on this machine? One line of at most 80 bytes.

    LOCK may be a notebook (.ipynb): whether its cells, as they are, ran here in the lock beside it or here.

    Asks no library of NVIDIA's and changes nothing: for shell prompts, job prologues and health checks.

    Exit status: 0 proven here, 1 not or no longer, 2 there is no such lock, 3 cannot tell, because the
    driver cannot be read cheaply here.
    """
    return stamp_check.main(str(lock), format_)
