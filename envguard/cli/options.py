"""Options that several verbs share, and how a report leaves the program."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from envguard.model.configuration import CHECK_ALLOWS
from envguard.model.report import FailOn

if TYPE_CHECKING:
    from envguard.model.configuration import Configuration
    from envguard.model.report import Report

Command = TypeVar("Command", bound=Callable[..., Any])
STDOUT = Path("-")
"""What `-o -` means to every verb."""


_FIRST = ("name", "prefix", "python", "targets")
_LAST = (
    "allowed", "allow", "fail_on", "mirrors", "offline", "condarc", "no_condarc", "config", "no_config",
    "format_", "output", "verbose",
)  # fmt: skip


def place(parameter: click.Parameter) -> int:
    """Its rank in the help of every verb: the environment and the machine, the verb's own, the rest."""
    name = parameter.name or ""
    if isinstance(parameter, click.Argument) or name in _FIRST:
        return -len(_FIRST) + (_FIRST.index(name) if name in _FIRST else 0)
    return _LAST.index(name) + 1 if name in _LAST else 0


def environment_options(which: str = "The environment") -> Callable[[Command], Command]:
    """`-n NAME` and `-p PREFIX`, as conda has them."""
    name = click.option("-n", "--name", metavar="NAME", help=f"{which}, by its name as with conda.")
    prefix = click.option(
        "-p",
        "--prefix",
        type=click.Path(path_type=Path),
        metavar="PREFIX",
        help=f"{which}, by its folder.",
    )
    return lambda command: name(prefix(command))


def mirror_option(help_: str) -> Callable[[Command], Command]:
    """`--mirror CHANNEL_URL=URL`, repeatable."""
    return click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="CHANNEL_URL=URL",
        help=f"{help_} Repeatable.",
    )


fetch_mirror_option = mirror_option(
    "Fetch a channel's packages from elsewhere; hashes are checked all the same."
)


def for_option(command: Command) -> Command:
    """`--for WHAT`, repeatable: the machines in question."""
    return click.option(
        "--for",
        "targets",
        multiple=True,
        metavar="WHAT",
        help="The machine in question: a card (h100, 'RTX 4090', 8.6, sm_86), with conditions "
        "(a100,driver=535.104.05,glibc=2.28), a subdir (win-64:rtx4090), cpu, a file made by "
        "`envguard machine -o FILE`, a name of `targets:` in the configuration, or here. Repeatable.",
    )(command)


def configuration_options(command: Command) -> Command:
    """`--config FILE` and `--no-config`: which configuration is read."""
    config = click.option(
        "--config",
        "config",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The configuration. Without it .envguard.yml, or [tool.envguard] of pyproject.toml or "
        "pixi.toml: the nearest from the folder of what is named, upward to the repository's root or home. "
        "Options beat it.",
    )
    no_config = click.option("--no-config", is_flag=True, help="Read no configuration.")
    return config(no_config(command))


def configuration_of(
    whats: Sequence[str | Path],
    *,
    config: Path | None,
    no_config: bool,
    prefix: Path | None = None,
) -> Configuration:
    """The configuration that the options and the place of what is named lead to."""
    from envguard import api
    from envguard.model.configuration import NO_CONFIGURATION

    if config is not None and no_config:
        raise click.UsageError("--config and --no-config exclude each other")
    if config is not None:
        return api.read_configuration(config)
    return NO_CONFIGURATION if no_config else api.find_configuration(whats, prefix=prefix)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`, the first one being the default."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How the answer is written.",
    )


def output_option(command: Command) -> Command:
    """`-o FILE`: write the report there instead of stdout, which is `-`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to FILE instead of stdout (-).",
    )(command)


def condarc_options(command: Command) -> Command:
    """`--condarc FILE` and `--no-condarc`."""
    only = click.option(
        "--condarc",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Obey this .condarc instead of those that conda and mamba would read.",
    )
    none = click.option(
        "--no-condarc",
        is_flag=True,
        help="Obey no .condarc and no CONDA_* setting (also: ENVGUARD_NO_CONDARC=1).",
    )
    return only(none(command))


def verdict_options(command: Command) -> Command:
    """`--fail-on` and `--allow unknown`: which answers exit with what; see `exit_status`."""
    return verdict_options_allowing(
        CHECK_ALLOWS, "unknown: accept what could not be decided (exit 0 instead of 3). Repeatable."
    )(command)


def verdict_options_allowing(words: Sequence[str], help_: str) -> Callable[[Command], Command]:
    """`--fail-on`, and `--allow` of these words."""
    allow = click.option("--allow", "allowed", multiple=True, type=click.Choice(words), help=help_)
    fail_on = click.option(
        "--fail-on",
        type=click.Choice([word.value for word in FailOn]),
        help="The mildest answer that exits with 1.  [default: that of the configuration, else fail]",
    )
    return lambda command: fail_on(allow(command))


def exit_status(
    reports: Sequence[Report],
    configuration: Configuration,
    *,
    fail_on: str | None,
    allowed: Sequence[str],
) -> int:
    """The exit status of reports, by the options, else by the configuration."""
    from envguard.model.report import exit_code_of

    mildest = FailOn(fail_on) if fail_on else configuration.fail_on or FailOn.FAIL
    allow_unknown = "unknown" in (allowed or configuration.allow)
    return int(exit_code_of(reports, fail_on=mildest, allow_unknown=allow_unknown))


def refuse_unwritable(*paths: Path | None) -> None:
    """Raises InputError where a report could not be written: before a long run, not after it."""
    from envguard.errors import InputError

    for path in paths:
        if path is None:
            continue
        if not path.absolute().parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.absolute().parent}")
        if not os.access(path.absolute().parent, os.W_OK):
            raise InputError(f"{path}: {path.absolute().parent} cannot be written to")


def deliver(text: str, output: Path | None) -> None:
    """Print a report, or write it to `output` whole or not at all."""
    if output is None or output == STDOUT:
        click.echo(text, nl=not text.endswith("\n"))
        return
    from envguard.api import write_text

    write_text(output, text if text.endswith("\n") else text + "\n")
    click.echo(f"wrote {output}", err=True)


def warn_of_rules(today: datetime.date) -> None:
    """A line on stderr where the rules that answered are old, or not those that were downloaded.

    No exit code depends on it.
    """
    from envguard import api

    for note in api.rules_in_use().notes(today):
        click.echo(f"warning: {note}", err=True)
