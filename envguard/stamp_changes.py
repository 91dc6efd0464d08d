"""Whether a stamp holds on a machine as it is now. Pure, and of the standard library: see `stamp_file`."""

from __future__ import annotations

from envguard.stamp_file import LIBRARY_VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Json = dict[str, object]

PROVEN, NOT_PROVEN, CANNOT_TELL = 0, 1, 3
"""The exit status of `stamp check`."""


def objections(stamp: Json, here: Json) -> list[tuple[int, str]]:
    """Why a stamp does not hold: NOT_PROVEN or CANNOT_TELL, and a few words each; empty where it holds.

    `here` has the keys of a stamp as they are now, `today`, and `doubt`, why what is seen of driver and GPUs
    may not be all of them.
    """
    return [*_of_itself(stamp, here), *_of_probes(stamp, here), *_of_machine(stamp, here)]


def _of_itself(stamp: Json, here: Json) -> Iterator[tuple[int, str]]:
    if stamp["verdict"] not in ("pass", "warn") or stamp["tier"] != "ran":
        yield NOT_PROVEN, f"verify ended with {stamp['verdict']} ({stamp['tier']})"
    until = stamp.get("until")
    if until is not None and str(here["today"]) > str(until):
        yield NOT_PROVEN, f"a waiver ended on {until}"


def _of_probes(stamp: Json, here: Json) -> Iterator[tuple[int, str]]:
    then, now = stamp["probes"], here["probes"]
    assert isinstance(then, dict)
    assert isinstance(now, dict)
    changed = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        yield NOT_PROVEN, f"probes changed: {changed[0]}{more}"


def _of_machine(stamp: Json, here: Json) -> Iterator[tuple[int, str]]:
    if stamp.get("device") != "cpu":
        yield from _of_driver(stamp, here)
        yield from _of_gpus(stamp, here)
    if stamp["cpu"] != here["cpu"]:
        yield NOT_PROVEN, "the CPU changed"
    if stamp.get("glibc") != here.get("glibc"):
        yield NOT_PROVEN, f"glibc {here.get('glibc')} was {stamp.get('glibc')}"
    then, now = stamp["variables"], here["variables"]
    assert isinstance(then, dict)
    assert isinstance(now, dict)
    for name in LIBRARY_VARIABLES:
        if then.get(name) != now.get(name):
            yield NOT_PROVEN, f"{name} changed"


def _of_driver(stamp: Json, here: Json) -> Iterator[tuple[int, str]]:
    if "driver" not in stamp:
        yield NOT_PROVEN, "verify could not ask the driver"
    elif "driver" not in here:
        yield CANNOT_TELL, str(here.get("doubt") or "the driver cannot be read")
    elif _numbers(stamp["driver"]) != _numbers(here["driver"]):
        then, now = stamp["driver"] or "none", here["driver"] or "none"
        yield _unless_in_doubt(here, f"driver {now} was {then}")


def _of_gpus(stamp: Json, here: Json) -> Iterator[tuple[int, str]]:
    then, now = stamp.get("gpus"), here.get("gpus")
    if not isinstance(then, list):
        yield NOT_PROVEN, "verify could not look for GPUs"
        return
    if not isinstance(now, list):
        yield CANNOT_TELL, str(here.get("doubt") or "the GPUs cannot be listed")
        return
    proven = {gpu.get("uuid"): gpu for gpu in then if gpu.get("uuid")}
    others = [gpu for gpu in now if not _same_gpu(proven.get(gpu.get("uuid")), gpu)]
    if len(proven) != len(then) or any(not gpu.get("uuid") for gpu in others):
        yield CANNOT_TELL, "a GPU does not tell its UUID"
    elif others:
        named = f"{others[0].get('name') or 'a GPU'} is new"
        objection = NOT_PROVEN, f"GPUs changed: {named}"
        # where only some of those that are listed are visible, they may be the proven ones
        yield objection if len(others) == len(now) else _unless_in_doubt(here, objection[1])
    elif then and not now:
        yield _unless_in_doubt(here, "GPUs changed: none is visible")


def _same_gpu(then: Json | None, now: Json) -> bool:
    """By its UUID; the kernel's files do not tell the capability, NVML does."""
    if then is None:
        return False
    key = "compute_capability"
    return key not in then or key not in now or then[key] == now[key]


def _unless_in_doubt(here: Json, objection: str) -> tuple[int, str]:
    doubt = here.get("doubt")
    return (CANNOT_TELL, str(doubt)) if doubt else (NOT_PROVEN, objection)


def _numbers(version: object) -> tuple[str, ...] | None:
    """`570.124.06` and `570.124.6` are one driver; None = none."""
    if version is None:
        return None
    return tuple(part.lstrip("0") for part in str(version).split("."))
