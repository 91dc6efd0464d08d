"""`envguard`: groups of verbs, loaded when they are called."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import Any

import click

from envguard import __version__
from envguard.errors import EnvguardError, ExitCode

VERBS = {
    "Every day": {
        "check": "can this run there?",
        "lock": "which exact packages, for which machines?",
        "verify": "does it run here? Proven in a throwaway environment",
        "install": "give me the real environment from the lock",
        "run": "a command in an environment, as if it were activated",
        "pack": "a lock and all that it needs in one file, for machines without network",
        "export": "what did I really ask for? As a file that others can use",
    },
    "When it breaks": {
        "diagnose": "my kernel died: why? A post-mortem, of a pasted issue too",
        "why": "what is rule EG201, why this package, why not that build?",
        "diff": "what changed between two locks or environments? The GPU first",
    },
    "Set up": {
        "init": "environment.yml, configuration and CI file from what is there",
        "machine": "what is this machine?",
        "stamp": "is this lock proven here? An answer in 50 ms for other programs",
        "jupyter": "guard the kernels of a Jupyter server",
        "rules": "what is known to be bad? Newer rules, their examples, rules of your own",
        "demo": "all of it, with no conda channel and no GPU",
    },
}


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class LazyGroup(click.Group):
    """Imports `envguard.cli.VERB` only when VERB is called: --help has to be quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb for verbs in VERBS.values() for verb in verbs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"envguard.cli.{cmd_name}")
        from envguard.cli.options import place

        command = module.command
        assert isinstance(command, click.Command)
        command.params.sort(key=place)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group, verbs in VERBS.items():
            with formatter.section(group):
                formatter.write_dl(list(verbs.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", "-V", prog_name="envguard")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Locks conda environments for the GPU you have, and proves that they run.

    Without a verb: `check` of what is here (conda-lock.yml, else environment.yml, else the active
    environment).
    """
    if ctx.invoked_subcommand is None:
        check = cli.get_command(ctx, "check")
        assert check is not None
        code = check.main([], prog_name="envguard check", standalone_mode=False)
        click.echo("`envguard --help` shows the other verbs", err=True)
        ctx.exit(int(code or 0))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with one of `ExitCode`."""
    code = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # `run` has told what can be told
            stream.flush()
    if "rattler" in sys.modules:
        # rattler's threads crash the interpreter at its end in some runs of a hundred (PyO3's
        # pyo3-async-runtimes, issue 40), and the signal would stand in for the exit code
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. Everything but reports goes to stderr."""
    try:
        result: Any = cli.main(arguments, prog_name="envguard", standalone_mode=False)
        return int(result or 0)
    except click.exceptions.Abort as abort:
        return _interrupted(abort.__cause__)
    except KeyboardInterrupt as interrupt:
        return _interrupted(interrupt)
    except click.ClickException as error:
        error.show(sys.stderr)
        return int(ExitCode.USAGE)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except EnvguardError as error:
        _explain(error)
        return int(error.exit_code)
    except BrokenPipeError:
        # the reader of our output went away; nothing to say and nobody to say it to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except OSError as error:
        return _no_room(error) if error.errno in _NO_ROOM else _bug()
    except Exception:
        return _bug()


def _explain(error: EnvguardError) -> None:
    click.echo(f"error: {error.message}", err=True)
    for problem in error.problems:
        click.echo(f"  {problem}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


def _interrupted(interrupt: BaseException | None) -> int:
    """What was interrupted may say itself how things stand."""
    left = str(interrupt) if isinstance(interrupt, KeyboardInterrupt) else ""
    click.echo(f"interrupted; {left or 'nothing was left behind'}", err=True)
    return int(ExitCode.INTERRUPTED)


def _no_room(error: OSError) -> int:
    where = f"{error.filename} cannot" if error.filename else "what was to be said or kept cannot"
    click.echo(f"error: {where} be written: {error.strerror}", err=True)
    click.echo("hint: make room there, or choose another place (-o FILE, TMPDIR)", err=True)
    return int(ExitCode.UNAVAILABLE)


def _bug() -> int:
    import traceback

    traceback.print_exc()
    click.echo(
        f"\nThis is a bug of envguard {__version__}. Please report the lines above.", err=True
    )
    return int(ExitCode.BUG)


if __name__ == "__main__":
    main()
