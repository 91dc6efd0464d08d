"""`check --fix`: what would change is shown, then asked for, then written whole."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import click

from envguard.model.secrets import redacted_line


def offer(environment_yml: Path, *, yes: bool, **options: Any) -> None:
    """Show the checked fixes as a unified diff on stderr and write them where somebody agrees.

    Options are those of `api.fix`. Raises UsageError where there is nobody to ask.
    """
    from envguard import api

    text, fixed = api.fix(environment_yml, **options)
    for rule, spec in fixed.refused:
        click.echo(f"not applied: {spec}   ({rule} would stay, or another finding come)", err=True)
    if fixed.text == text:
        click.echo(f"{environment_yml}: no fix that was checked applies; nothing written", err=True)
        return
    lines = difflib.unified_diff(
        text.splitlines(keepends=True),
        fixed.text.splitlines(keepends=True),
        f"{environment_yml}",
        f"{environment_yml} (fixed)",
    )
    for line in lines:
        click.echo(redacted_line(line), nl=not line.endswith("\n"), err=True)
    if not yes and not _agreed(environment_yml):
        click.echo("nothing written", err=True)
        return
    api.write_text(environment_yml, fixed.text)
    told = ", ".join(f"{spec} ({rule})" for rule, spec in fixed.applied)
    click.echo(f"wrote {environment_yml}: {told}", err=True)


def _agreed(environment_yml: Path) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("--fix asks before it writes, and nobody is there to answer: --yes")
    return click.confirm(f"write this to {environment_yml}?", default=False, err=True)
