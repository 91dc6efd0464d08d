"""Is the machine after the probes the one from before them?"""

from __future__ import annotations

import pytest

from envguard.checks.machine_change import machine_change
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.report import Status
from envguard.model.version import Dotted

A, B = Gpu(0, "A100", "GPU-a"), Gpu(1, "A100", "GPU-b")


def machine(driver: str | DriverState | None, *gpus: Gpu, seen: bool = True) -> Machine:
    told = Driver(Dotted.parse(driver)) if isinstance(driver, str) else driver
    return Machine("linux-64", driver=told, gpus=gpus if seen else None)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param(machine("570.1", A, B), machine("570.1", A, B), None, id="the same"),
        pytest.param(machine("570.1", A), machine("570.1", B, A), "GPU 1 (A100) is new", id="new"),
        pytest.param(
            machine("570.1", A, B), machine("570.1", A), "GPU 1 (A100) is gone", id="gone"
        ),
        pytest.param(
            machine("570.1", A), machine("575.2", A), "driver 575.2 was 570.1", id="driver"
        ),
        pytest.param(
            machine("570.1", A), machine(DriverState.ABSENT), "none was 570.1", id="unloaded"
        ),
        pytest.param(
            machine("570.1", A), machine("570.1", seen=False), "cannot be listed", id="silent now"
        ),
        pytest.param(machine(None, seen=False), machine("570.1", A), None, id="was not observed"),
        pytest.param(
            machine(DriverState.ABSENT),
            machine(None, seen=False),
            None,
            id="none, and not observed",
        ),
        pytest.param(machine(None, A), machine("570.1", A), None, id="a driver that answers now"),
    ],
)
def test_a_change_is_told(before: Machine, after: Machine, words: str | None) -> None:
    finding = machine_change(before, after)
    if words is None:
        assert finding is None
        return
    assert finding is not None
    assert finding.status is Status.UNKNOWN
    assert words in finding.message
