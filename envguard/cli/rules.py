"""`envguard rules`: what is known, and whether it holds."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from envguard.cli.options import deliver, format_option, output_option, warn_of_rules
from envguard.errors import ExitCode

_folder = click.option(
    "--rules", type=click.Path(path_type=Path), help="A folder with rules of your own."
)


@click.group("rules", short_help="what is known to be bad, and does it hold?")
def command() -> None:
    """Rules: known-bad combinations, each with its source and its examples."""


@command.command("list")
@_folder
@format_option("text", "json")
@output_option
def list_(rules: Path | None, format_: str, output: Path | None) -> int:
    """Which rules are in use, and of which day; then one line a rule: id, status, date, title."""
    from envguard import api

    known, in_use = api.list_rules(rules), api.rules_in_use()
    if format_ == "json":
        from envguard.formats.rules.rules_json import rules_to_json

        deliver(rules_to_json(known, in_use), output)
    else:
        from envguard.formats.rules.rules_text import rules_text

        deliver(rules_text(known, in_use), output)
    warn_of_rules(datetime.date.today())
    return int(ExitCode.OK)


@command.command()
@click.option(
    "--url",
    help="The index of another set. Without it ENVGUARD_RULES_URL, else the project's newest release.",
)
@click.option("--allow-older", is_flag=True, help="Go back to rules older than those in use.")
@click.option("--dry-run", is_flag=True, help="Download and check them; write nothing.")
def update(url: str | None, allow_older: bool, dry_run: bool) -> int:
    """Download newer rules and put them in use, where every file, row and example of them holds.

    They come over https, are compared with the sha256 of their index, and lie in the user's data folder
    (ENVGUARD_DATA_DIR). What goes wrong changes nothing.

    Exit status: 0 they are in use or there is nothing newer, 2 those there are older, 4 nobody answered
    or what came was not what was promised.
    """
    from envguard import api
    from envguard.formats.rules.rules_text import update_text

    click.echo(update_text(api.update_rules(url, allow_older=allow_older, dry_run=dry_run)))
    return int(ExitCode.OK)


@command.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="FOLDER",
    help="Where the archive and its index go; it is made where it is not there.",
)
def pack(output: Path) -> int:
    """Write the rules in use as an archive with the index that `update --url` takes, for your own server."""
    from envguard import api

    for path in api.pack_rules(output):
        click.echo(f"wrote {path}")
    return int(ExitCode.OK)


@command.command()
@_folder
def test(rules: Path | None) -> int:
    """Run the examples that every rule and every signature of a log carries.

    Exit status 1 where one is not answered as it says.
    """
    from envguard import api

    failed = api.failed_rule_examples(rules)
    for line in failed:
        click.echo(line)
    examples = sum(len(rule.examples) for rule in api.list_rules(rules))
    examples += sum(len(signature.examples) for signature in api.signatures().signatures)
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
