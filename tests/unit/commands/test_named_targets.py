"""`--for NAME`: machines that the configuration has given a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters import rules
from envguard.commands.machine import resolve_targets
from envguard.commands.named_targets import lock_beside, spelled_out
from envguard.errors import InputError
from envguard.model.configuration import NamedTarget
from envguard.model.machine import Driver, Machine
from envguard.model.report import Location
from envguard.model.target import Target
from tests.fakes import FakeMachineSource

MACHINE = '{"schema_version": 1, "subdir": "linux-64", "driver": {"version": "550.54.14"}}'


def named(name: str, *texts: str) -> NamedTarget:
    return NamedTarget(name, texts, Location(".envguard.yml", 2))


NAMED = {
    one.name: one
    for one in (
        named("cluster", "a100,driver=535.104.05"),
        named("all", "v100", "h100,driver=570"),
        named("node", "machines/gpu.json"),
        named("a100", "a100,driver=535.104.05"),
        named("typo", "a10000"),
        named("typos", "v100", "a10000"),
        named("two-drivers", "a100,driver=535,driver=550"),
    )
}


def resolve(*texts: str) -> tuple[Target, ...]:
    return resolve_targets(
        texts,
        default_subdir="linux-64",
        machines=FakeMachineSource(Machine("linux-64")),
        knowledge=rules.load(),
        read_text=lambda path: {Path("machines/gpu.json"): MACHINE}[path],
        named=NAMED,
    )


def test_one_machine_is_called_by_its_name() -> None:
    (target,) = resolve("cluster")

    assert (target.name, target.given) == ("cluster", True)
    assert isinstance(target.machine.driver, Driver)
    assert str(target.machine.driver.version) == "535.104.05"


def test_several_machines_are_called_by_what_they_are() -> None:
    assert [target.name for target in resolve("cluster", "all", "v100")] == [
        "cluster",
        "v100",
        "h100,driver=570",
    ]


def test_a_captured_machine() -> None:
    (target,) = resolve("node")

    assert target.name == "node"
    assert isinstance(target.machine.driver, Driver)


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("a100", ".envguard.yml:2: targets.a100: --for a100 means a machine", "our-a100"),
        ("typo", ".envguard.yml:2: targets.typo: a10000: no GPU called 'a10000'", ", A100 (8.0)"),
        ("typos", ".envguard.yml:2: targets.typos: a10000: no GPU called 'a10000'", ", A100 (8.0)"),
        (
            "two-drivers",
            "targets.two-drivers: a100,driver=535,driver=550: driver= is said twice",
            "",
        ),
        (
            "clustre",
            "--for clustre: no GPU called 'clustre'",
            "did you mean cluster, of .envguard.yml",
        ),
    ],
)
def test_what_means_nothing_is_said_in_one_sentence(said: str, message: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(said)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_names_of_several_machines_are_spelled_out_for_a_lock() -> None:
    texts = spelled_out(["cluster", "all", "v100", "mac"], NAMED)
    assert texts == ("cluster", "v100", "h100,driver=570", "mac")


def test_a_lock_for_one_machine_is_named_by_it() -> None:
    assert lock_beside(Path("x/conda-lock.yml"), "cluster") == Path("x/conda-lock.cluster.yml")
    assert lock_beside(Path("lock"), "h100") == Path("lock.h100")


@pytest.mark.parametrize("text", ["a100,driver=535", "linux-64:h100", "../x", "RTX 4090", ".x", ""])
def test_what_is_no_name_of_a_file_wants_one(text: str) -> None:
    with pytest.raises(InputError, match="is no name of a file") as caught:
        lock_beside(Path("conda-lock.yml"), text)
    assert "targets:" in (caught.value.hint or "")
