"""`envguard install`: the real environment from a lock."""

from __future__ import annotations

import datetime
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envguard.cli.options import (
    condarc_options,
    configuration_of,
    configuration_options,
    deliver,
    environment_options,
    exit_status,
    fetch_mirror_option,
    format_option,
    output_option,
    warn_of_rules,
)
from envguard.errors import ExitCode
from envguard.model.configuration import INSTALL_ALLOWS

if TYPE_CHECKING:
    from envguard.model.report import Report


@click.command("install", short_help="give me the real environment from the lock")
@click.argument("lock", required=False)
@environment_options()
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--locked",
    is_flag=True,
    help="Only where the lock still holds for its environment.yml (as `lock --check`).",
)
@click.option("--offline", is_flag=True, help="Use the packages that are cached, ask nobody.")
@fetch_mirror_option
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice(INSTALL_ALLOWS),
    help="contract: install although this machine breaks the contract of the lock. clobber: although two "
    "packages own the same file. link-scripts: run the post-link scripts of packages, code of strangers. "
    "Repeatable.",
)
@condarc_options
@format_option("text", "json")
@output_option
@configuration_options
def command(
    lock: str | None,
    name: str | None,
    prefix: Path | None,
    dry_run: bool,
    locked: bool,
    offline: bool,
    mirrors: tuple[str, ...],
    allowed: tuple[str, ...],
    condarc: Path | None,
    no_condarc: bool,
    format_: str,
    output: Path | None,
    config: Path | None,
    no_config: bool,
) -> int:
    """Make PREFIX hold the packages of LOCK (default: conda-lock.yml here; a pack will do) and no others.

    Every file is compared with its hash before it is used. What is there already is changed only where it
    differs, and only after everything new has been fetched. Interrupted halfway, the same command ends it.
    conda knows the result: requested packages, revisions, variables.

    Exit status: 0 it is as the lock says, 1 this machine breaks the contract or (--locked) the lock is
    stale, 2 wrong usage or unreadable input, 4 something outside gave out.
    """
    from envguard import api
    from envguard.cli.progress import terminal_progress
    from envguard.formats.install_text import install_text, install_to_json

    whats = () if lock is None else (lock,)
    configuration = configuration_of(whats, config=config, no_config=no_config, prefix=None)
    if locked:
        stale = api.stale_lock(
            lock, configuration=configuration, condarc=condarc, no_condarc=no_condarc
        )
        if stale is not None:
            deliver(_report(stale, format_), output)
            return exit_status([stale], configuration, fail_on=None, allowed=())
    allow = frozenset(allowed or configuration.allow)
    with terminal_progress() as progress:
        outcome = api.install(
            lock,
            name=name,
            prefix=prefix,
            mirrors=api.parse_mirrors(mirrors),
            offline=offline,
            dry_run=dry_run,
            allow=allow,
            link_scripts="link-scripts" in allow,
            command=shlex.join(["envguard", *sys.argv[1:]]),
            configuration=configuration,
            condarc=condarc,
            no_condarc=no_condarc,
            progress=progress,
        )
    json = format_ == "json"
    text = install_to_json(outcome, rules_date=api.rules_date()) if json else install_text(outcome)
    deliver(text, output)
    warn_of_rules(datetime.date.today())
    return int(ExitCode.OK if outcome.refused is None else ExitCode.FINDINGS)


def _report(report: Report, format_: str) -> str:
    from envguard import api

    if format_ == "json":
        from envguard.formats.reports.report_json import reports_to_json

        return reports_to_json([report], rules_date=api.rules_date())
    from envguard.formats.reports.report_text import report_text

    return report_text(report, rules_date=api.rules_date())
