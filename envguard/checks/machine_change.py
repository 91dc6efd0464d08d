"""Whether a machine is still the one that was looked at before the probes ran. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.model.machine import Driver, DriverState, Machine
from envguard.model.report import Finding, Fix, Status


def machine_change(before: Machine, after: Machine) -> Finding | None:
    """One finding for all that is otherwise now; what was not observed both times has not changed."""
    changes = [*_of_driver(before, after), *_of_gpus(before, after)]
    if not changes:
        return None
    return Finding(
        rule="EG719",
        status=Status.UNKNOWN,
        title="the machine changed while it was probed",
        message="; ".join(changes)
        + ": what was seen is of neither the old machine nor the new one",
        fix=Fix("look at `dmesg` for a GPU that fell off the bus, and verify again"),
    )


def _of_driver(before: Machine, after: Machine) -> Iterator[str]:
    was, now = _driver(before), _driver(after)
    if was is not None and now is not None and was != now:
        yield f"driver {now} was {was}"


def _driver(machine: Machine) -> str | None:
    match machine.driver:
        case Driver(version=version) if version is not None:
            return str(version)
        case DriverState.ABSENT:
            return "none"
        case _:
            return None


def _of_gpus(before: Machine, after: Machine) -> Iterator[str]:
    if before.gpus is None:
        return
    if after.gpus is None:
        # a driver that stopped answering is a change, where it had told of cards
        yield from (("the GPUs cannot be listed any more",) if before.gpus else ())
        return
    was = {gpu.uuid or str(gpu.index): gpu for gpu in before.gpus}
    now = {gpu.uuid or str(gpu.index): gpu for gpu in after.gpus}
    for key, gpu in was.items():
        if key not in now:
            yield f"GPU {gpu.index} ({gpu.name or gpu.vendor}) is gone"
    for key, gpu in now.items():
        if key not in was:
            yield f"GPU {gpu.index} ({gpu.name or gpu.vendor}) is new"
