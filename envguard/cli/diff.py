"""`envguard diff`: what changed between two locks?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, format_option, output_option
from envguard.errors import ExitCode


@click.command("diff", short_help="what changed between two locks? The GPU first")
@click.argument("old")
@click.argument("new")
@format_option("text", "markdown", "json")
@output_option
def command(old: str, new: str, format_: str, output: Path | None) -> int:
    """Compare OLD and NEW: conda-lock.yml, pixi.lock, @EXPLICIT files, or the folders of environments.

    What has a say in CUDA, the cards or the driver comes first, then what was added, removed and changed.
    Exits with 1 where they differ, with 0 where they hold the same packages.
    """
    from envguard import api

    found = api.diff(old, new)
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
