"""`envguard jupyter`: the guard of a server's kernels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from envguard.api import jupyter
from envguard.api.kernels import proven_here
from envguard.errors import InputError

user_option = click.option("--user", is_flag=True, help="For all Jupyter servers of this user.")


@click.group("jupyter", short_help="guard the kernels of a Jupyter server")
def command() -> None:
    """A guard for the kernels of a Jupyter server: is their lock proven here, and why did they die?

    envguard has to be installed beside the server (`pip install 'conda-envguard[jupyter]'`), for which the
    guard is configured in one file of its own; kernelspecs stay as they are. Servers read it when they start.
    """


@command.command()
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@click.option(
    "--on-start",
    type=click.Choice([way.value for way in jupyter.OnStart]),
    help="Where a kernel's lock is not proven on this machine: say nothing, say it with the first cell "
    "(warn, the default), do not start it, or verify beside it.",
)
@click.option(
    "--lock",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The lock of these kernels; else conda-lock.yml beside the notebook.",
)
@user_option
def enable(kernels: tuple[str, ...], on_start: str | None, lock: Path | None, user: bool) -> None:
    """Guard KERNELs (default: all) of the Jupyter servers of this environment."""
    file = jupyter.guard_file(user=user)
    _known(kernels)
    if lock is not None and not kernels:
        raise InputError(
            "--lock is for kernels that are named", hint="envguard jupyter enable NAME --lock FILE"
        )
    guard = jupyter.read_guard(file) or jupyter.Guard(file, kernels=kernels or None)
    if not kernels:
        guard = replace(guard, kernels=None)
    elif guard.kernels is not None:
        guard = replace(guard, kernels=tuple(dict.fromkeys((*guard.kernels, *kernels))))
    if on_start is not None:
        guard = replace(guard, on_start=jupyter.OnStart(on_start))
    if lock is not None:
        locks = dict.fromkeys(kernels, str(lock.resolve()))
        guard = replace(guard, locks={**guard.locks, **locks})
    jupyter.write_guard(guard)
    click.echo(f"guarded   {_names(guard)}: {guard.on_start}")
    click.echo(f"wrote     {file}")
    click.echo("servers that run already guard from their next start on")


@command.command()
@click.argument("kernels", nargs=-1, metavar="[KERNEL]...")
@user_option
def disable(kernels: tuple[str, ...], user: bool) -> None:
    """Leave KERNELs (default: all) alone again."""
    file = jupyter.guard_file(user=user)
    _known(kernels)
    guard = jupyter.read_guard(file) if kernels else None
    if guard is not None:
        guarded = guard.kernels
        if guarded is None:
            guarded = tuple(kernel.name for kernel in jupyter.kernels())
        left = tuple(name for name in guarded if name not in kernels)
        if left:
            jupyter.write_guard(replace(guard, kernels=left))
            click.echo(f"guarded   {', '.join(left)}")
            return
    if not file.exists():
        click.echo("nothing is guarded here")
        return
    jupyter.remove_guard(file)
    click.echo(f"removed   {file}")


@command.command()
def status() -> int:
    """Which kernels are guarded, and whether their locks are proven on this machine."""
    found = [jupyter.read_guard(jupyter.guard_file(user=user)) for user in (False, True)]
    guards = [guard for guard in found if guard is not None]
    for guard in guards:
        click.echo(f"guard     {_names(guard)}: {guard.on_start}   {guard.file}")
        for mistake in guard.mistakes:
            click.echo(f"mistake   {mistake}; left out")
    if not guards:
        click.echo("no kernel is guarded (envguard jupyter enable)")
    for kernel in jupyter.kernels():
        click.echo(f"  {kernel.name:20} {_state(kernel, guards)}")
    return 0


def _state(kernel: jupyter.Kernel, guards: list[jupyter.Guard]) -> str:
    if kernel.provisioner not in (None, "local-provisioner"):
        return f"not guarded: its kernelspec names the provisioner {kernel.provisioner}"
    guard = next(iter(guards), None)  # as `guard_here`
    if guard is None or not guard.covers(kernel.name):
        return "not guarded"
    lock = guard.locks.get(kernel.name)
    if lock is None:
        return f"{guard.on_start}; lock: conda-lock.yml beside the notebook"
    proven, reason = proven_here(Path(lock), {})
    word = {True: "proven here", False: "not proven here", None: "cannot tell"}[proven]
    return f"{guard.on_start}; {lock}: {word}, {reason}"


def _names(guard: jupyter.Guard) -> str:
    return "all kernels" if guard.kernels is None else ", ".join(guard.kernels)


def _known(names: tuple[str, ...]) -> None:
    there = [kernel.name for kernel in jupyter.kernels()] if names else []
    for name in names:
        if name not in there:
            raise InputError(
                f"there is no kernel {name!r} here", hint=f"there is: {', '.join(there) or 'none'}"
            )
