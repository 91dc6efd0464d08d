"""An environment.yml that names every package of a lock with its version and build."""

from __future__ import annotations

from envguard.formats.environments.environment_yml_dump import dump_environment
from envguard.formats.renders.pip_lines import has_digest, requirement
from envguard.formats.renders.wording import HEADER, named
from envguard.model.channel import channel_name
from envguard.model.environment import Dependency, Environment
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind

_DEFAULTS = ("defaults", "nodefaults", "pkgs/main", "pkgs/r", "pkgs/msys2")


def render_environment(lockfile: Lockfile, subdir: str) -> Rendered:
    """`numpy=2.3.1=py312h6cf2f7f_0` for each package of `subdir`, its channel where there are several."""
    records = sorted(lockfile.records_for(subdir), key=lambda r: r.name)
    conda = [record for record in records if record.manager is Manager.CONDA]
    pip = [record for record in records if record.manager is Manager.PIP]
    several = len({record.channel for record in conda}) > 1
    request = lockfile.request
    environment = Environment(
        name=request.name if request is not None else None,
        channels=_channels(lockfile, conda),
        dependencies=tuple(Dependency(_spec(r, with_channel=several)) for r in conda),
        pip=tuple(Dependency(requirement(record)) for record in pip),
        variables=dict(request.variables) if request is not None else {},
    )
    text = (
        f"{HEADER}# For {subdir}: conda env create -n NAME -f FILE\n{dump_environment(environment)}"
    )
    notes = [f"{subdir}: an environment.yml holds no hashes of conda packages"] if conda else []
    if bare := [record for record in pip if not has_digest(record)]:
        notes.append(f"{subdir}: no sha256 can be given for {named(bare)}")
    return Rendered(RenderKind.ENV, subdir, text, tuple(notes))


def _spec(record: PackageRecord, *, with_channel: bool) -> str:
    channel = f"{record.channel}::" if with_channel and record.channel else ""
    build = f"={record.build}" if record.build else ""
    return f"{channel}{record.name}={record.version}{build}"


def _channels(lockfile: Lockfile, conda: list[PackageRecord]) -> tuple[str, ...]:
    """The lock's, then what its packages come from besides; conda adds `defaults` where nobody forbids it."""
    written = [channel_name(channel) for channel in lockfile.channels]
    known = dict.fromkeys([*written, *(r.channel for r in conda if r.channel and not written)])
    return tuple(known) if any(c in _DEFAULTS for c in known) else (*known, "nodefaults")
