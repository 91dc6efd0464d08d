"""What every MachineSource promises, the fake and the real one."""

import json
from pathlib import Path

import pytest

from envguard.adapters.machine.here import HereMachine
from envguard.formats.machine_json import machine_to_json, parse_machine
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.subdir import SUBDIRS
from envguard.model.version import Dotted
from envguard.ports.machine import MachineSource
from tests.fakes import FakeMachineSource

A_MACHINE = Machine(
    "linux-64",
    driver=Driver(Dotted.parse("570.26"), Dotted.parse("12.8")),
    gpus=(Gpu(0, name="NVIDIA L4"),),
    notes=("one thing could not be observed",),
)


@pytest.fixture(
    params=[
        pytest.param(lambda: FakeMachineSource(A_MACHINE), id="fake"),
        pytest.param(HereMachine, id="this machine"),
        pytest.param(lambda: HereMachine(root=Path("/nonexistent")), id="a machine that hides all"),
    ]
)
def source(request: pytest.FixtureRequest) -> MachineSource:
    made: MachineSource = request.param()
    return made


def test_the_subdir_is_one_of_condas(source: MachineSource) -> None:
    assert source.observe().subdir in SUBDIRS


def test_observing_twice_gives_the_same_machine(source: MachineSource) -> None:
    assert source.observe() == source.observe()


def test_an_observed_machine_assumes_nothing(source: MachineSource) -> None:
    assert source.observe().assumed == frozenset()


def test_no_observation_leaves_the_driver_open(source: MachineSource) -> None:
    assert source.observe().driver is not DriverState.ANY


def test_an_observed_machine_survives_its_json(source: MachineSource) -> None:
    machine = source.observe()
    assert parse_machine(json.dumps(machine_to_json(machine)), "machine.json") == machine
