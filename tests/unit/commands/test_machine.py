"""Which machine is meant."""

import json
from pathlib import Path

import pytest

from envguard.commands.machine import resolve_targets, target_here
from envguard.errors import InputError
from envguard.formats.machine_json import machine_to_json
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.fakes import FakeMachineSource
from tests.small_knowledge import KNOWLEDGE

HERE = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
CLUSTER = Machine("linux-64", driver=Driver(Dotted.parse("550.54.14"), Dotted.parse("12.4")))


def resolved(*texts: str, source: FakeMachineSource | None = None) -> tuple[Target, ...]:
    return resolve_targets(
        texts,
        default_subdir="linux-64",
        machines=source or FakeMachineSource(HERE),
        knowledge=KNOWLEDGE,
        read_text=lambda path: path.read_text(encoding="utf-8"),
    )


def write(path: Path, machine: Machine) -> str:
    path.write_text(json.dumps(machine_to_json(machine)), encoding="utf-8")
    return str(path)


def test_the_machine_at_hand_is_not_given() -> None:
    target = target_here(machines=FakeMachineSource(HERE))

    assert target == Target("here", HERE, given=False)


def test_here_is_given_when_it_is_said() -> None:
    assert resolved("here") == (Target("here", HERE, given=True),)


def test_the_machine_is_asked_once_and_only_when_it_is_needed() -> None:
    source = FakeMachineSource(HERE)

    resolved("a100", "cpu", source=source)
    assert source.asked == 0
    resolved("here", "here,driver=580", source=source)
    assert source.asked == 1


def test_a_captured_machine_is_replayed(tmp_path: Path) -> None:
    file = write(tmp_path / "cluster.json", CLUSTER)

    assert resolved(file) == (Target(file, CLUSTER),)


def test_a_file_needs_no_suffix(tmp_path: Path) -> None:
    file = write(tmp_path / "node-17", CLUSTER)

    assert resolved(file)[0].machine == CLUSTER


def test_a_file_that_is_called_like_a_card_does_not_hide_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a100", CLUSTER)

    assert resolved("a100")[0].machine.driver is DriverState.ANY


def test_a_captured_target_that_leaves_the_driver_open_has_its_reach(tmp_path: Path) -> None:
    v100 = Gpu(0, compute_capability=ComputeCapability(7, 0))
    machine = Machine("linux-64", driver=DriverState.ANY, gpus=(v100,))

    assert resolved(write(tmp_path / "v100.json", machine))[0].cuda_reach == Dotted.parse("13.0")


def test_targets_keep_their_order_and_come_once() -> None:
    assert [target.name for target in resolved("h100", "a100", "h100")] == ["h100", "a100"]


def test_a_directory_is_no_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no GPU called"):
        resolved(str(tmp_path))


def test_a_text_too_long_for_a_file_name_is_no_machine() -> None:
    with pytest.raises(InputError, match="no GPU called"):
        resolved("a" * 300)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "m.json"
    file.write_text("{}")

    with pytest.raises(InputError, match=r"m\.json: schema_version: null"):
        resolved(str(file))
