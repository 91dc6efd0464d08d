"""`envguard machine`: what is this machine?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, environment_options, format_option


@click.command("machine", short_help="what is this machine?")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Capture the machine in FILE, as JSON: `--for FILE` replays it with every verb.",
)
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what somebody else needs to diagnose a death here: machine, container, resources, the "
    "environment (active, or -n, -p) and --log; without secrets and names. `envguard diagnose` reads it.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A log for the bundle. Repeatable.",
)
@environment_options("The environment of the bundle")
@format_option("text", "json")
def command(
    output: Path | None,
    bundle: Path | None,
    logs: tuple[Path, ...],
    name: str | None,
    prefix: Path | None,
    format_: str,
) -> int:
    """Driver and cards, C library, CPU, container and limits, and the variables that matter.

    The driver is asked in a process of its own, with a time limit. What could not be observed is
    said, with the reason.
    """
    from envguard import api

    if bundle is None and (logs or name or prefix):
        raise click.UsageError("--log, -n and -p are for --bundle FILE")
    if bundle is not None:
        if output is not None:
            raise click.UsageError("--bundle FILE and -o FILE are two files: give one of them")
        deliver(api.bundle_text(name=name, prefix=prefix, logs=logs), bundle)
        return 0
    machine = api.machine()
    if format_ == "json" or output is not None:
        import json

        from envguard.formats.machine_json import machine_to_json

        deliver(json.dumps(machine_to_json(machine), indent=2, ensure_ascii=False), output)
    else:
        from envguard.formats.machine_text import machine_text

        deliver(machine_text(machine), output)
    return 0
