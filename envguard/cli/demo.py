"""`envguard demo`: all of it, with no conda channel and no GPU."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envguard.errors import ExitCode

if TYPE_CHECKING:
    from envguard.commands.demo import Demo, Step


@click.command("demo", short_help="all of it, with no conda channel and no GPU")
@click.option("--torch", is_flag=True, help="Add a CPU build of torch (about 200 MB).")
@click.option("--keep", is_flag=True, help="Keep the directory to look around in.")
def command(torch: bool, keep: bool) -> int:
    """Lock, check, verify and export in a temporary directory, and see two broken environments caught.

    The packages come from the running Python and from PyPI: no conda channel, no GPU and no conda are
    needed. Every command below is the real one.
    """
    from envguard import api
    from envguard.cli.progress import terminal_progress

    with contextlib.ExitStack() as stack:
        with terminal_progress() as progress:
            demo = stack.enter_context(api.demo(torch=torch, keep=keep, progress=progress))
        stack.enter_context(contextlib.chdir(demo.folder))
        # the user's own package cache is not for demonstration packages
        stack.enter_context(_variable("ENVGUARD_CACHE_DIR", str(demo.folder / "cache")))
        _introduce(demo)
        # nor do its stamps outlive it
        stack.enter_context(_variable("ENVGUARD_STATE_DIR", str(demo.folder / "state")))
        codes = [_run(step) for step in demo.steps]
    return _conclude(demo, codes, keep=keep)


def _introduce(demo: Demo) -> None:
    named = [record for record in demo.channel if record.name in ("python", "numpy", "torch")]
    names = ", ".join(f"{record.name} {record.version}" for record in named)
    click.echo(
        f"A channel of {len(demo.channel)} packages, made from this Python and PyPI: {names}."
    )
    click.echo(f"$ cd {demo.folder}")


def _run(step: Step) -> int:
    """Run one command as the shell would; ^C ends the whole demo."""
    from envguard.cli.main import run

    click.echo(f"\n# {step.text}")
    if step.shows is not None:
        click.echo(f"$ cat {step.shows}\n{Path(step.shows).read_text('utf-8')}", nl=False)
    click.echo(f"$ envguard {' '.join(step.arguments)}")
    code = run(list(step.arguments))
    if code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _conclude(demo: Demo, codes: list[int], *, keep: bool) -> int:
    from envguard.commands.demo import exit_code, surprises

    told = surprises(demo, codes)
    where = f"kept in {demo.folder}" if keep else f"{demo.folder} is removed"
    if told:
        click.echo(f"\nNot everything ended as it should; {where}.")
        for line in told:
            click.echo(f"  {line}")
        return int(exit_code(demo, codes))
    click.echo(f"\nThe good environment passed, the two broken ones were caught; {where}.")
    click.echo("Next, in a folder of yours:")
    for text, purpose in demo.next_commands:
        click.echo(f"    {text:<28}{purpose}")
    return int(ExitCode.OK)


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
