"""A lock in the formats of other tools: the same lock gives the same bytes, and no credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from envguard.errors import InputError
from envguard.formats.renders.cyclonedx import render_cyclonedx
from envguard.formats.renders.docker_env import render_docker_env
from envguard.formats.renders.environment import render_environment
from envguard.formats.renders.explicit import render_explicit
from envguard.formats.renders.node_affinity import render_node_affinity
from envguard.formats.renders.pixi import render_pixi
from envguard.formats.renders.pylock import render_pylock
from envguard.formats.renders.requirements import render_requirements
from envguard.formats.renders.sbatch import render_sbatch
from envguard.formats.renders.wording import HEADER, OF_INSTALLED, counted
from envguard.model.lockfile import Lockfile
from envguard.model.rendering import LOCK, OF_THE_CONTRACT, Rendered, RenderKind, RenderSource

_OF_A_SUBDIR: dict[RenderKind, Callable[[Lockfile, str], Rendered]] = {
    RenderKind.EXPLICIT: render_explicit,
    RenderKind.ENV: render_environment,
    RenderKind.REQUIREMENTS: render_requirements,
    RenderKind.PYLOCK: render_pylock,
    RenderKind.CYCLONEDX: render_cyclonedx,
    RenderKind.DOCKER_ENV: render_docker_env,
    RenderKind.NODE_AFFINITY: render_node_affinity,
}


def render(
    lockfile: Lockfile,
    kind: RenderKind,
    *,
    platforms: Sequence[str] = (),
    source: RenderSource = LOCK,
) -> tuple[Rendered, ...]:
    """One file a subdir, or one for all where the format has room; `platforms` empty = all there are.

    Raises InputError for a platform that the lock is not for.
    """
    missing = [platform for platform in platforms if platform not in lockfile.platforms]
    if missing or not lockfile.platforms:
        raise InputError(
            f"the lock has no packages for {', '.join(missing) or 'any platform'}: "
            f"it is locked for {', '.join(lockfile.platforms) or 'none'}",
            hint=f"envguard lock --platform {missing[0]}"
            if missing
            else "lock again: envguard lock",
        )
    wanted = [subdir for subdir in lockfile.platforms if not platforms or subdir in platforms]
    if kind is RenderKind.PIXI:
        return (render_pixi(lockfile, wanted),)
    if kind is RenderKind.SBATCH:
        files = [render_sbatch(lockfile, subdir, source) for subdir in wanted]
    else:
        files = [_OF_A_SUBDIR[kind](lockfile, subdir) for subdir in wanted]
    told = [_of(source, _with_left_out(f, lockfile, s)) for f, s in zip(files, wanted, strict=True)]
    return tuple(told)


def _of(source: RenderSource, rendered: Rendered) -> Rendered:
    if not source.installed:
        return rendered
    return replace(rendered, text=rendered.text.replace(HEADER, OF_INSTALLED, 1))


def _with_left_out(rendered: Rendered, lockfile: Lockfile, subdir: str) -> Rendered:
    """These formats hold one set of packages: the main one. What else is locked is told."""
    if rendered.kind in OF_THE_CONTRACT:
        return rendered
    extra = sorted({p.category for p in lockfile.packages if p.platform == subdir and p.is_extra})
    if not extra:
        return rendered
    count = sum(p.platform == subdir and p.is_extra for p in lockfile.packages)
    note = f"{subdir}: left out: {counted(count, 'package')} of category {', '.join(extra)}"
    return replace(rendered, notes=(*rendered.notes, note))
