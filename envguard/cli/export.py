"""`envguard export`: what did I really ask for? As a file that others can use."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envguard.cli.options import (
    condarc_options,
    configuration_of,
    configuration_options,
    deliver,
    environment_options,
    for_option,
    format_option,
    mirror_option,
    output_option,
)
from envguard.model.cleaning import SPELT_OUT, Pin, Policy
from envguard.model.rendering import RenderKind

if TYPE_CHECKING:
    from envguard.api import Exported
    from envguard.api.proving import Proving
    from envguard.ports.progress import Progress

_FORMATS = ("environment-yml", "pixi-toml")


@click.command("export", short_help="what did I really ask for? As a file that others can use")
@click.argument("what", required=False)
@environment_options()
@format_option(*_FORMATS, *(kind.value for kind in RenderKind))
@click.option(
    "--pin",
    type=click.Choice([pin.value for pin in Pin]),
    default=Pin.MINOR.value,
    show_default=True,
    help="The version of what nobody gave one: none, X.Y, or exactly what is there.",
)
@click.option(
    "--defaults",
    metavar="CHANNEL",
    help=f"A channel in place of `defaults`, or `{SPELT_OUT}` for the URLs that it stands for.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="SUBDIR",
    help="Of a lock's platforms only this one. Repeatable.",
)
@click.option("--prove", is_flag=True, help="Solve the result again, and tell what comes out.")
@for_option
@mirror_option("With --prove: read a channel from elsewhere.")
@click.option("--offline", is_flag=True, help="With --prove: use what is cached, ask nobody.")
@condarc_options
@configuration_options
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["incomplete"]),
    help="incomplete: export what is there of a prefix that is not whole. Repeatable.",
)
@output_option
def command(
    what: str | None,
    name: str | None,
    prefix: Path | None,
    format_: str,
    pin: str,
    defaults: str | None,
    platforms: tuple[str, ...],
    prove: bool,
    targets: tuple[str, ...],
    mirrors: tuple[str, ...],
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
    config: Path | None,
    no_config: bool,
    allow: tuple[str, ...],
    output: Path | None,
) -> int:
    """Print a clean environment.yml of WHAT: a conda-lock.yml, a prefix, a virtual environment, or an
    environment.yml, of which all stays that is not wrong.

    Without WHAT: conda-lock.yml here, else the active environment, else environment.yml here. No `prefix:`,
    no credentials, no build strings but those that choose the GPU.

    pixi-toml says the same to pixi. The other formats are of exact packages, of a lock or of what is
    installed: explicit (conda's @EXPLICIT), pixi (pixi.lock), env (versions and builds), requirements and
    pylock (the pip packages), cyclonedx (a bill of materials); docker-env, sbatch and node-affinity say what
    they need of a machine.

    Exit status: 0 written, 1 with --prove where something else comes out, 2 wrong usage or input, 4 the
    outside did not answer.
    """
    from envguard import api

    if not prove and (targets or mirrors or offline):
        raise click.UsageError("--for, --mirror and --offline are for --prove")
    proving = None
    if prove:
        proving = _proving(
            what, prefix, targets, mirrors, offline, condarc, no_condarc, config, no_config
        )
    with _progress(prove) as progress:
        exported = api.export(
            what,
            name=name,
            prefix=prefix,
            format_=format_,
            policy=Policy(Pin(pin), defaults),
            platforms=platforms,
            allow=frozenset(allow),
            prove=proving,
            progress=progress,
        )
    deliver(exported.text, output)
    for note in exported.notes:
        click.echo(f"note: {note}", err=True)
    return _tell_proof(exported)


def _proving(
    what: str | None,
    prefix: Path | None,
    targets: tuple[str, ...],
    mirrors: tuple[str, ...],
    offline: bool,
    condarc: Path | None,
    no_condarc: bool,
    config: Path | None,
    no_config: bool,
) -> Proving:
    from envguard import api
    from envguard.api.proving import Proving

    whats = [what] if what is not None and what != "-" else []
    return Proving(
        targets=targets,
        mirrors=api.parse_mirrors(mirrors),
        offline=offline,
        condarc=condarc,
        no_condarc=no_condarc,
        configuration=configuration_of(whats, config=config, no_config=no_config, prefix=prefix),
    )


def _progress(prove: bool) -> AbstractContextManager[Progress]:
    """Only a proof takes long; what draws it takes a while to import."""
    if prove:
        from envguard.cli.progress import terminal_progress

        return terminal_progress()
    from envguard.ports.progress import SILENT

    return nullcontext(SILENT)


def _tell_proof(exported: Exported) -> int:
    """One line a platform, and what came out otherwise; one line where nothing was proven."""
    if exported.proofs is None:
        if exported.provable:
            click.echo("not proven: nothing was solved again (--prove does)", err=True)
        return 0
    for proof in exported.proofs:
        verdict = "the same" if proof.same else "NOT THE SAME"
        click.echo(
            f"proven     {proof.subdir}: {proof.compared} packages that are named, and the choice of "
            f"the GPU: {verdict}",
            err=True,
        )
        for name, before, after in (*proof.gpu, *proof.leaves):
            click.echo(f"  {name}: {before} was, {after} comes out", err=True)
    return 0 if all(proof.same for proof in exported.proofs) else 1
