"""`envguard diff`: what changed between two locks, environments or environment files?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, format_option, output_option
from envguard.errors import ExitCode


@click.command("diff", short_help="what changed between two locks or environments? The GPU first")
@click.argument("old")
@click.argument("new")
@click.option(
    "--files",
    is_flag=True,
    help="Compare the files of an environment with the hashes that they were installed with, too.",
)
@format_option("text", "markdown", "json")
@output_option
def command(old: str, new: str, files: bool, format_: str, output: Path | None) -> int:
    """Compare OLD and NEW: conda-lock.yml, pixi.lock, @EXPLICIT files, environment.yml, or the folders of
    environments, in any pairing.

    What has a say in CUDA, the cards or the driver comes first, then what was added, removed and changed.
    An environment.yml is compared line by line: which lines do the packages of the other side not meet?
    Exits with 1 where they differ, with 0 where they do not.
    """
    from envguard import api

    found = api.diff(old, new, files=files)
    match format_:
        case "json":
            from envguard.formats.diff_json import diff_to_json

            text = diff_to_json(found, rules_date=api.rules_date())
        case "markdown":
            from envguard.formats.diff_markdown import diff_markdown

            text = diff_markdown(found)
        case _:
            from envguard.formats.diff_text import diff_text

            text = diff_text(found)
    deliver(text, output)
    return int(ExitCode.FINDINGS if found.differs else ExitCode.OK)
