"""What a solver is told of a target."""

from dataclasses import replace

import pytest

from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.target import Target, VirtualPackage
from envguard.model.version import ComputeCapability, Dotted
from envguard.model.virtual import shared_virtual_packages, virtual_packages, with_cuda_reach
from tests.small_knowledge import KNOWLEDGE

DRIVER = Driver(Dotted.parse("570.26"), Dotted.parse("12.8"))
A100 = Gpu(0, compute_capability=ComputeCapability(8, 0))
T4 = Gpu(1, compute_capability=ComputeCapability(7, 5))
BASE = ["__archspec=1=x86_64", "__glibc=2.28=0", "__linux=4.18=0", "__unix=0=0"]


def told(machine: Machine) -> list[str]:
    packages = virtual_packages(Target("x", machine), KNOWLEDGE.baselines)
    return [str(package) for package in packages]


@pytest.mark.parametrize(
    ("driver", "gpus", "cuda"),
    [
        pytest.param(DRIVER, (A100,), ["__cuda=12.8=0", "__cuda_arch=8.0=0"], id="one GPU"),
        pytest.param(DRIVER, (A100, T4), ["__cuda=12.8=0", "__cuda_arch=7.5=0"], id="the lowest"),
        pytest.param(
            DRIVER, (A100, Gpu(1)), ["__cuda=12.8=0"], id="a GPU that was not asked could be lower"
        ),
        pytest.param(
            *(DRIVER, (A100, Gpu(0, vendor="amd")), ["__cuda=12.8=0", "__cuda_arch=8.0=0"]),
            id="other vendors do not count",
        ),
        pytest.param(DRIVER, (), ["__cuda=12.8=0"], id="a driver without a GPU"),
        pytest.param(DRIVER, None, ["__cuda=12.8=0"], id="GPUs not observed"),
        pytest.param(Driver(Dotted.parse("570.26")), (A100,), [], id="no CUDA known: none told"),
        pytest.param(None, (A100,), [], id="driver not observed: never assumed"),
        pytest.param(DriverState.ABSENT, (A100,), [], id="no driver: no __cuda_arch either"),
        pytest.param(DriverState.ANY, (A100,), [], id="an open driver of unknown reach"),
    ],
)
def test_cuda_is_the_drivers_and_cuda_arch_the_lowest_cards(driver, gpus, cuda) -> None:
    assert told(Machine("linux-64", driver=driver, gpus=gpus)) == sorted(BASE + cuda)


@pytest.mark.parametrize(
    ("cuda", "arch", "expected"),
    [
        pytest.param("11.8", None, {"__cuda": "11.8", "__cuda_arch": "8.0"}, id="another CUDA"),
        pytest.param("", None, {}, id="no CUDA, so no architecture"),
        pytest.param(None, "7.0", {"__cuda": "12.8", "__cuda_arch": "7.0"}, id="another card"),
        pytest.param(None, "", {"__cuda": "12.8"}, id="no architecture"),
        pytest.param("", "9.0", {}, id="an architecture needs CUDA"),
    ],
)
def test_condas_overrides_are_obeyed(cuda, arch, expected) -> None:
    machine = Machine(
        "linux-64", driver=DRIVER, gpus=(A100,), cuda_override=cuda, cuda_arch_override=arch
    )

    packages = virtual_packages(Target("x", machine), KNOWLEDGE.baselines)
    assert {p.name: p.version for p in packages if "cuda" in p.name} == expected


def test_an_override_works_without_a_driver() -> None:
    machine = Machine("linux-64", driver=DriverState.ABSENT, cuda_override="12.9")

    assert "__cuda=12.9=0" in told(machine)


def test_an_empty_glibc_override_takes_the_baseline_away() -> None:
    machine = Machine("linux-64", environment={"CONDA_OVERRIDE_GLIBC": ""})

    assert told(machine) == [package for package in BASE if "glibc" not in package]


def test_what_was_observed_beats_the_baseline() -> None:
    machine = Machine("linux-64", glibc=Dotted.parse("2.17"), archspec="x86_64_v4")

    assert told(machine) == [
        *("__archspec=1=x86_64_v4", "__glibc=2.17=0", "__linux=4.18=0", "__unix=0=0"),
    ]


def test_an_assumed_microarchitecture_stays_the_baselines() -> None:
    machine = Machine("linux-64", archspec="x86_64_v4", assumed=frozenset({"archspec"}))

    assert "__archspec=1=x86_64" in told(machine)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        pytest.param(
            Machine("osx-arm64", osx=Dotted.parse("14.2"), glibc=Dotted.parse("2.28")),
            ["__osx=14.2=0", "__unix=0=0"],
            id="macOS has no glibc",
        ),
        pytest.param(
            Machine("win-64", osx=Dotted.parse("14.2")),
            ["__archspec=1=x86_64", "__win=10.0=0"],
            id="Windows has no macOS",
        ),
        pytest.param(Machine("linux-s390x"), [], id="a subdir without baselines"),
    ],
)
def test_each_system_has_its_own(machine: Machine, expected: list[str]) -> None:
    assert told(machine) == expected


@pytest.mark.parametrize(
    ("gpus", "reach"),
    [
        pytest.param((T4,), "13.1", id="7.5 is driven by the newest branch"),
        pytest.param(
            (Gpu(0, compute_capability=ComputeCapability(7, 2)),), "13.0", id="7.2 is not"
        ),
        pytest.param(
            (A100, Gpu(1, compute_capability=ComputeCapability(7, 0))),
            "13.0",
            id="the worst decides",
        ),
        pytest.param((A100, Gpu(1)), None, id="a card of unknown capability"),
        pytest.param((), None, id="no card"),
    ],
)
def test_the_reach_of_an_open_driver(gpus, reach) -> None:
    target = Target("x", Machine("linux-64", driver=DriverState.ANY, gpus=gpus))

    found = with_cuda_reach(target, KNOWLEDGE)
    assert found.cuda_reach == (Dotted.parse(reach) if reach else None)
    packages = virtual_packages(found, KNOWLEDGE.baselines)
    assert [p.version for p in packages if p.name == "__cuda"] == ([reach] if reach else [])


def test_a_known_driver_has_no_reach() -> None:
    target = Target("x", Machine("linux-64", driver=DRIVER, gpus=(A100,)))

    assert with_cuda_reach(target, KNOWLEDGE) is target


CUDA = VirtualPackage("__cuda", "12.8")
GLIBC = VirtualPackage("__glibc", "2.28")
LINUX = VirtualPackage("__linux", "5.15.0-91-generic")
V3 = VirtualPackage("__archspec", "1", "x86_64_v3")


@pytest.mark.parametrize(
    ("targets", "shared"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(CUDA, GLIBC)], (CUDA, GLIBC), id="one"),
        pytest.param([(CUDA, GLIBC), (GLIBC,)], (GLIBC,), id="only what all of them have"),
        pytest.param(
            [(replace(CUDA, version="13.0"),), (replace(CUDA, version="12.9"),)],
            (replace(CUDA, version="12.9"),),
            id="the lowest",
        ),
        pytest.param(
            [(replace(GLIBC, version="2.9"),), (replace(GLIBC, version="2.28"),)],
            (replace(GLIBC, version="2.9"),),
            id="the lowest as numbers",
        ),
        pytest.param(
            [(V3,), (replace(V3, build="x86_64"),)],
            (replace(V3, build="x86_64"),),
            id="the lowest level",
        ),
        pytest.param(
            [(replace(LINUX, version="4.18"),), (LINUX,)],
            (LINUX,),
            id="a version of letters is the lowest",
        ),
        pytest.param(
            [(replace(LINUX, version="6.8.0-45-generic"),), (LINUX,)],
            (LINUX,),
            id="two of letters by name",
        ),
        pytest.param(
            [(V3,), (replace(V3, build="zen4"),)],
            (VirtualPackage("__archspec", "0", "0"),),
            id="levels and names are not comparable",
        ),
    ],
)
def test_what_targets_share(targets, shared) -> None:
    assert shared_virtual_packages(targets) == shared
