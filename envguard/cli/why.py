"""`envguard why`: what is rule EG201, why this package, what is known of that spec?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import (
    configuration_of,
    configuration_options,
    deliver,
    environment_options,
    for_option,
    format_option,
    output_option,
)


@click.command("why", short_help="what is rule EG201, why this package, why not that build?")
@click.argument("what", metavar="ID|PACKAGE|SPEC")
@click.option(
    "--lock",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The lock in question; without it conda-lock.yml here, else the active environment.",
)
@for_option
@environment_options()
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    help="A folder with rules of your own, beside the configuration's.",
)
@format_option("text", "json")
@output_option
@configuration_options
def command(
    what: str,
    lock: Path | None,
    targets: tuple[str, ...],
    name: str | None,
    prefix: Path | None,
    rules: Path | None,
    format_: str,
    output: Path | None,
    config: Path | None,
    no_config: bool,
) -> int:
    """Explain the rule ID of a finding; why a PACKAGE is in the lock or environment, and why in this
    build; or what is known of a SPEC, such as 'pytorch=2.0.1=*_cu118'.

    Nothing is asked of the network.
    """
    from envguard import api

    whats = () if lock is None else (lock,)
    configuration = configuration_of(whats, config=config, no_config=no_config, prefix=prefix)
    answer = api.why(
        what,
        lock=lock,
        targets=targets,
        name=name,
        prefix=prefix,
        directory=rules,
        configuration=configuration,
    )
    if format_ == "json":
        from envguard.formats.why_json import why_to_json

        deliver(why_to_json(answer, rules_date=api.rules_date(rules)), output)
    else:
        from envguard.formats.why_text import why_text

        deliver(why_text(answer), output)
    return 0
