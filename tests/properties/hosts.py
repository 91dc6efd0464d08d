"""Machines and builds at and around every boundary of the tables."""

from __future__ import annotations

from random import Random

from envguard.checks.case import Case, case_of
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.properties.oracle import Build, Host, Oracle
from tests.unit.checks.cases import KNOWLEDGE

STATES = {"absent": DriverState.ABSENT, "any": DriverState.ANY}
ORACLE = Oracle()
BUILDS = ORACLE.builds()
CARDS = sorted({str(gpu.compute_capability) for gpu in KNOWLEDGE.gpus} | {"3.0", "13.0"})


def _before(version: str) -> str:
    head, _, last = version.rpartition(".")
    if not head:
        return f"{int(version) - 1}.99"
    return f"{head}.{int(last) - 1}" if int(last) else head


def _drivers() -> list[str]:
    rows = ORACLE.tables["driver_floors"] + ORACLE.tables["driver_drops"]
    named = {row["driver"] for row in rows + ORACLE.tables["driver_firsts"]}
    named |= {row["first"] for row in ORACLE.tables["driver_branches"]}
    named |= {row["disputed_from"] for row in rows if "disputed_from" in row}
    return sorted(named | {_before(version) for version in named})


DRIVERS = _drivers()
CUDAS = sorted({row["cuda"] for row in ORACLE.tables["driver_branches"]})


def record_of(build: Build) -> PackageRecord:
    """The build as a channel or an index names it."""
    digits = build.cuda.replace(".", "")
    if build.channel == "wheel":
        return PackageRecord("torch", f"{build.torch}+cu{digits}", manager=Manager.PIP)
    named = f"cuda{digits}_py312_h0000000_300"
    if build.channel == "pytorch":
        named = f"py3.10_cuda{build.cuda}_cudnn9.1.0_0"
    return PackageRecord("pytorch", build.torch, build=named, channel=build.channel)


def machine_of(host: Host, subdir: str) -> Machine:
    driver: Driver | DriverState | None = STATES.get(host.driver or "")
    if driver is None and (host.driver or host.driver_cuda):
        version = Dotted.parse(host.driver) if host.driver else None
        driver = Driver(version, Dotted.parse(host.driver_cuda) if host.driver_cuda else None)
    gpus = tuple(
        Gpu(index, compute_capability=ComputeCapability.parse(card) if card else None)
        for index, card in enumerate(host.cards)
    )
    wsl2 = host.windows and not subdir.startswith("win-")
    return Machine(subdir, driver=driver, gpus=gpus, platform="wsl2" if wsl2 else None)


def case_for(build: Build, host: Host) -> Case:
    asked = Target("given", machine_of(host, build.subdir))
    return case_of(asked, [record_of(build)], KNOWLEDGE)


def pair(random: Random) -> tuple[Build, Host]:
    """One build and one machine with at least one card."""
    build = random.choice(BUILDS)
    driver = random.choice([random.choice(DRIVERS)] * 8 + [None, "any", "absent"])
    seen = driver not in ("any", "absent")
    windows = build.subdir.startswith("win-") or random.random() < 0.1
    cards = [random.choice(CARDS) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    if random.random() < 0.05:
        cards[0] = ""
    return build, Host(
        driver=driver,
        driver_cuda=random.choice([None, None, random.choice(CUDAS)]) if seen else None,
        cards=tuple(card or None for card in cards),
        windows=windows,
    )
