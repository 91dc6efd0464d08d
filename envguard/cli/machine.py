"""`envguard machine`: what is this machine?"""

from __future__ import annotations

from pathlib import Path

import click

from envguard.cli.options import deliver, format_option


@click.command("machine", short_help="what is this machine?")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Capture the machine in FILE, as JSON: `--for FILE` replays it with every verb.",
)
@format_option("text", "json")
def command(output: Path | None, format_: str) -> int:
    """Driver and cards, C library, CPU, container and limits, and the variables that matter.

    The driver is asked in a process of its own, with a time limit. What could not be observed is
    said, with the reason.
    """
    from envguard import api

    machine = api.machine()
    if format_ == "json" or output is not None:
        import json

        from envguard.formats.machine_json import machine_to_json

        deliver(json.dumps(machine_to_json(machine), indent=2, ensure_ascii=False), output)
    else:
        from envguard.formats.machine_text import machine_text

        deliver(machine_text(machine), output)
    return 0
