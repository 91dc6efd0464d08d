"""Whom a kill for memory may have hit: the count alone does not say. Pure."""

from __future__ import annotations

from dataclasses import replace

from envguard.model.diagnosis import HostFacts, OomKills


def with_kills(host: HostFacts, kills: OomKills, *, total_bytes: int | None) -> HostFacts:
    """The container, with the kills around a process; `total_bytes` is the machine's memory."""
    limit = host.memory_limit_bytes or total_bytes
    return replace(
        host,
        oom_kills_since=kills.at_end,
        oom_kills_survived=kills.survived,
        oom_kill_doubt=doubt(kills, limit) if kills.at_end else None,
    )


def doubt(kills: OomKills, limit_bytes: int | None) -> str | None:
    """Why a kill at its end may have hit another process; None where it was this one.

    The kernel takes the process with the most memory
    (https://docs.kernel.org/filesystems/proc.html, oom_score): half of the limit is more than any other has,
    but for a child, which shares its parent's.
    """
    if kills.of_machine:
        return "the count is of the whole machine, and does not tell whom it hit"
    own, child = kills.memory_bytes, kills.largest_child_bytes
    if own is None or child is None or limit_bytes is None:
        return "it could not be seen how much memory it had and its children: another may have been hit"
    if child * 2 >= own:
        return f"one of its child processes had {_mib(child)}, and may have been hit instead"
    if own * 2 < limit_bytes:
        return (
            f"it had {_mib(own)} of {_mib(limit_bytes)} when it was last seen: another "
            "process may have been hit"
        )
    return None


def _mib(size: int) -> str:
    return f"{size // 2**20:,} MiB"
