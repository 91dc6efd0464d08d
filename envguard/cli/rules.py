"""`envguard rules`: what is known, and whether it holds."""

from __future__ import annotations

from pathlib import Path

import click

from envguard.errors import ExitCode

_folder = click.option(
    "--rules", type=click.Path(path_type=Path), help="A folder with rules of your own."
)


@click.group("rules", short_help="what is known to be bad, and does it hold?")
def command() -> None:
    """Rules: known-bad combinations, each with its source and its examples."""


@command.command("list")
@_folder
def list_(rules: Path | None) -> int:
    """One line a rule: id, status, date, title."""
    from envguard import api

    for rule in api.list_rules(rules):
        status = "lint" if rule.lint else rule.status.value
        click.echo(f"{rule.id}  {status:4}  {rule.date}  {rule.title}")
    return int(ExitCode.OK)


@command.command()
@_folder
def test(rules: Path | None) -> int:
    """Run the examples that every rule carries. Exit status 1 where one is not answered as it says."""
    from envguard import api

    failed = api.failed_rule_examples(rules)
    for line in failed:
        click.echo(line)
    examples = sum(len(rule.examples) for rule in api.list_rules(rules))
    click.echo(f"{examples - len(failed)} of {examples} examples hold")
    return int(ExitCode.FINDINGS if failed else ExitCode.OK)


@command.command()
@_folder
def lint(rules: Path | None) -> int:
    """Tell every mistake in the rule files, as `file:line: key: what`. Exit status 1 where there is one."""
    from envguard import api

    mistakes = api.rule_mistakes(rules)
    for line in mistakes:
        click.echo(line)
    click.echo(f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}")
    return int(ExitCode.FINDINGS if mistakes else ExitCode.OK)
