"""`envguard verify`: does it run here?"""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envguard.cli.options import (
    condarc_options,
    configuration_of,
    configuration_options,
    deliver,
    environment_options,
    exit_status,
    fetch_mirror_option,
    for_option,
    format_option,
    output_option,
    refuse_unwritable,
    verdict_options_allowing,
    warn_of_rules,
)
from envguard.model.configuration import VERIFY_ALLOWS
from envguard.model.probe_step import Level

if TYPE_CHECKING:
    from envguard.model.report import Report


class _KeepWithoutValue(click.Command):
    """`--keep` alone means always; click would take the argument after it for its value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(
            ctx, ["--keep=always" if arg == "--keep" else arg for arg in args]
        )


class _Seconds(click.FloatRange):
    """A number that is one: nothing is ever later than NaN, and inf is no deadline."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return seconds


def _interpreter(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    """`./python` is the one here; as a Path it would be the name of one on PATH."""
    if value is None:
        return None
    path = Path(value).expanduser()
    return Path.cwd() / path if "/" in value else path


@click.command("verify", cls=_KeepWithoutValue, short_help="does it run here?")
@click.argument("what", required=False)
@environment_options("The environment to probe as it is")
@click.option(
    "--python",
    callback=_interpreter,
    metavar="PATH",
    help="Probe this interpreter as it is.",
)
@for_option
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.QUICK.value,
    show_default=True,
    help="How much is probed: seconds, minutes, or load that lasts.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME[,..]",
    help="Run these probes alone, of any level. Repeatable.",
)
@click.option("--skip", multiple=True, metavar="NAME[,..]", help="Leave these out. Repeatable.")
@click.option(
    "--timeout",
    "timeout_s",
    type=_Seconds(min=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each probe may take.",
)
@click.option(
    "--keep",
    type=click.Choice(["never", "failed", "always"]),
    default="never",
    help="Keep the throwaway environment: --keep, or --keep=failed where a probe did not pass.",
)
@click.option(
    "--no-blame", is_flag=True, help="Do not try again what fails to find out whose fault it is."
)
@click.option(
    "--cell-timeout",
    "cell_timeout_s",
    type=_Seconds(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each cell of a notebook may take.",
)
@click.option(
    "--executed",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.ipynb",
    help="Write the notebook with its outputs to OUT.ipynb, as far as it came.",
)
@click.option("--as-script", is_flag=True, help="Prove that a notebook runs as a script, too.")
@click.option("--force", is_flag=True, help="Run the probes although a stamp proves the lock here.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add what was seen to FILE as a JSON line, for a team to commit.",
)
@click.option("--offline", is_flag=True, help="Use the packages that are cached, ask nobody.")
@fetch_mirror_option
@condarc_options
@format_option("text", "json", "junit", "markdown", "html")
@output_option
@click.option(
    "--report",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Write one self-contained HTML page, too.",
)
@click.option(
    "--no-redact",
    is_flag=True,
    help="Leave home, user, host and addresses in the report; secrets go all the same.",
)
@verdict_options_allowing(
    VERIFY_ALLOWS,
    "unknown: accept what could not be decided (exit 0 instead of 3). contract: probe although this "
    "machine breaks the contract of the lock. link-scripts: run scripts that packages bring for their "
    "installation. Repeatable.",
)
@configuration_options
def command(
    what: str | None,
    name: str | None,
    prefix: Path | None,
    python: Path | None,
    targets: tuple[str, ...],
    level: str,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    timeout_s: float,
    cell_timeout_s: float,
    executed: Path | None,
    as_script: bool,
    keep: str,
    no_blame: bool,
    force: bool,
    record: Path | None,
    offline: bool,
    mirrors: tuple[str, ...],
    condarc: Path | None,
    no_condarc: bool,
    format_: str,
    output: Path | None,
    page: Path | None,
    no_redact: bool,
    fail_on: str | None,
    allowed: tuple[str, ...],
    config: Path | None,
    no_config: bool,
) -> int:
    """Run probes in a throwaway environment made from WHAT, a lock (default: conda-lock.yml here).

    WHAT may also be a prefix or a virtual environment, which is probed as it is and not changed.
    Every probe has a process of its own; on a GPU machine they run on every GPU. A lock that passed keeps a
    stamp: until it, the driver, the cards or the probes change, it is not run again (--force does).

    A notebook (.ipynb) is run from top to bottom in a fresh kernel, in a throwaway environment of
    conda-lock.yml beside it or here, or in the one that -p, -n or --python names. In a lock it keeps a stamp,
    too, and is run each time all the same: nobody knows which files it reads.

    Exit status: 0 it runs (warnings too), 1 it does not, 2 wrong usage or unreadable input, 3 it could
    not be decided, 4 something outside gave out.
    """
    from envguard import api
    from envguard.cli.progress import terminal_progress

    refuse_unwritable(output, page)
    whats = () if what is None else (what,)
    configuration = configuration_of(whats, config=config, no_config=no_config, prefix=prefix)
    if what is not None and api.is_notebook(what):
        _refuse_probe_options(targets, only, skip, keep, force, record)
        with terminal_progress() as progress:
            report = api.verify_notebook(
                what,
                name=name,
                prefix=prefix,
                python=python,
                cell_timeout_s=cell_timeout_s,
                executed=executed,
                as_script=as_script,
                mirrors=api.parse_mirrors(mirrors),
                offline=offline,
                allow=frozenset(allowed or configuration.allow),
                condarc=condarc,
                no_condarc=no_condarc,
                progress=progress,
            )
    else:
        if executed is not None or as_script:
            raise click.UsageError(
                "--executed and --as-script are of a notebook: verify FILE.ipynb"
            )
        with terminal_progress() as progress:
            report = api.verify(
                what,
                targets=targets,
                name=name,
                prefix=prefix,
                python=python,
                level=level,
                only=_names(only),
                skip=_names(skip),
                timeout_s=timeout_s,
                keep=keep,
                blame=not no_blame,
                force=force,
                record=record,
                mirrors=api.parse_mirrors(mirrors),
                offline=offline,
                allow=frozenset(allowed or configuration.allow),
                configuration=configuration,
                condarc=condarc,
                no_condarc=no_condarc,
                progress=progress,
            )
    if not no_redact:
        report = api.redacted(report)
    if page is not None:
        deliver(_rendered(report, "html"), page)
    deliver(_rendered(report, format_), output)
    warn_of_rules(datetime.date.today())
    return exit_status([report], configuration, fail_on=fail_on, allowed=allowed)


def _names(values: tuple[str, ...]) -> tuple[str, ...]:
    """`--only matmul,conv --only train` as three names."""
    words = [word.strip() for value in values for word in value.split(",")]
    return tuple(dict.fromkeys(filter(None, words)))


def _refuse_probe_options(
    targets: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    keep: str,
    force: bool,
    record: Path | None,
) -> None:
    """What is of probes and stamps means nothing for a notebook: it runs here, each time."""
    if targets or only or skip or force or keep != "never" or record is not None:
        raise click.UsageError(
            "--for, --only, --skip, --keep, --force and --record are not of a notebook"
        )


def _rendered(report: Report, format_: str) -> str:
    from envguard import api

    match format_:
        case "json":
            import json

            from envguard.formats.reports.report_json import report_to_json

            return json.dumps(report_to_json(report, rules_date=api.rules_date()), indent=2)
        case "junit":
            from envguard.formats.reports.verify_junit import verify_junit

            return verify_junit(report)
        case "markdown":
            from envguard.formats.reports.verify_markdown import verify_markdown

            return verify_markdown(report)
        case "html":
            from envguard.formats.reports.verify_html import verify_html

            return verify_html(report, rules_date=api.rules_date())
        case _ if report.subject.kind == "notebook":
            from envguard.formats.notebook_text import notebook_text

            return notebook_text(report)
        case _:
            from envguard.formats.reports.verify_text import verify_text

            return verify_text(report)
