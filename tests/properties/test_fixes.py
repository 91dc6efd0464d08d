"""Over the whole grid of tabled cards, drivers and builds: no fix that is printed fails its own check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, case_of
from envguard.checks.cudnn import check_cudnn
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.model.conda import version_matches
from envguard.model.machine import Driver
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.target import Target
from envguard.model.version import Dotted
from tests.properties.hosts import BUILDS, CARDS, ORACLE, case_for, machine_of, record_of
from tests.properties.hosts import DRIVERS as TABLED
from tests.properties.oracle import Build, Host
from tests.unit.checks.cases import KNOWLEDGE

CUDNNS = ["8.5.0.96", "8.9.7.29", "9.10.2.21", "9.11.0.98", "9.13.1.26"]
_WHEEL = re.compile(r"torch==([\d.]+)\+cu(\d+)")
_SPEC = re.compile(r"pytorch=([\d.]+)=cuda(\d+)\*")
_NAMED = re.compile(r"CUDA (\d+\.\d)(?=[,\s])")


def builds_in(fix: Fix, build: Build) -> Iterator[Build]:
    """Every other build that a fix of EG201 names."""
    pattern = _WHEEL if build.channel == "wheel" else _SPEC
    for torch, digits in pattern.findall(fix.text):
        cuda = f"{digits[:-1]}.{digits[-1]}"
        yield Build(build.channel, build.subdir, torch, cuda)
    if build.channel == "pytorch":
        for cuda in _NAMED.findall(fix.text):
            yield Build(build.channel, build.subdir, build.torch, cuda)


def drivers_that_differ(*, windows: bool) -> list[str]:
    """Of all tabled drivers, and the last one before each, those that a build can tell from each other.

    A build is told a driver's CUDA, and whether it is above a floor, or between two that sources give for
    one: of the drivers that answer all of that alike one is tried. The last is `any`.
    """
    os = "win" if windows else "linux"
    floors = [floor for floor in KNOWLEDGE.driver_floors if floor.os == os]
    classes: dict[object, str] = {}
    for text in TABLED:
        version = Dotted.parse(text)
        above = tuple(
            (version >= f.driver, version >= (f.disputed_from or f.driver)) for f in floors
        )
        classes.setdefault((KNOWLEDGE.driver_cuda(version, os=os), above), text)
    return [*classes.values(), "any"]


def failures(case: Case) -> list[Finding]:
    """What depends on the build. EG105 with a driver that is there depends on the card alone."""
    found = [*check_driver_floor(case), *check_architectures(case), *check_cudnn(case)]
    return [finding for finding in found if finding.status is Status.FAIL]


@pytest.mark.parametrize(
    ("subdir", "channels"),
    [
        ("linux-64", {"conda-forge", "pytorch", "wheel"}),
        ("win-64", {"conda-forge", "pytorch", "wheel"}),
        ("linux-aarch64", {"conda-forge", "wheel"}),
    ],
)
def test_a_build_that_a_fix_names_runs(subdir: str, channels: set[str]) -> None:
    named: set[str] = set()
    for build in (build for build in BUILDS if build.subdir == subdir):
        for driver in drivers_that_differ(windows=subdir == "win-64"):
            for card in CARDS:
                host = Host(driver, None, (card,), windows=subdir == "win-64")
                for finding in check_architectures(case_for(build, host)):
                    for other in builds_in(finding.fix, build) if finding.fix else ():
                        case = case_for(other, host)
                        assert failures(case) == [], (build, host, finding.fix)
                        named.add(build.channel)
    assert named == channels


@pytest.mark.parametrize("card", CARDS)
def test_a_cudnn_that_a_fix_names_has_kernels(card: str) -> None:
    for build in (build for build in BUILDS if build.subdir == "linux-64"):
        host = Host("any", None, (card,), windows=False)
        for version in CUDNNS:
            for finding in check_cudnn(_with_cudnn(build, host, version)):
                for spec in finding.fix.specs if finding.fix else ():
                    wanted = spec.partition(" ")[2]
                    offered = [v for v in CUDNNS if version_matches(v, wanted)]
                    assert offered, (build, host, spec)
                    assert failures(_with_cudnn(build, host, offered[-1])) == []


def _with_cudnn(build: Build, host: Host, version: str) -> Case:
    asked = Target("given", machine_of(host, build.subdir))
    cudnn = PackageRecord("libcudnn", version, build="h_0", channel="conda-forge")
    return case_of(asked, [record_of(build), cudnn], KNOWLEDGE)


SETS_OF_CARDS = [*((card,) for card in CARDS), ("7.0", "9.0"), ("3.7", "7.0"), ("3.7", "10.0")]
_ADVISED = re.compile(r"(?:update the driver to|take a driver >=|of the) ?R?([\d.]+)")
_INSTEAD = re.compile(r"take a build for an older CUDA: |no driver runs all of these cards ")


def about_drivers(case: Case) -> list[Finding]:
    found = [*check_driver_floor(case), *check_driver_cards(case)]
    return [finding for finding in found if finding.status is Status.FAIL]


def with_driver(case: Case, version: str) -> Case:
    return replace(case, driver=Driver(Dotted.parse(version), None))


@pytest.mark.parametrize("subdir", ["linux-64", "win-64"])
def test_a_driver_that_a_fix_names_starts_the_packages_and_drives_the_cards(subdir: str) -> None:
    """Every tabled driver, floor and card. Where no driver is named, there is none in the tables."""
    windows = subdir == "win-64"
    floors = {
        ORACLE.floor(b.cuda, windows=windows)["driver"]: b for b in BUILDS if b.subdir == subdir
    }
    advised: dict[str, int] = {}
    for build in floors.values():
        for cards in SETS_OF_CARDS:
            host = Host("any", None, cards, windows=windows)
            case = case_for(build, host)
            tried = [with_driver(case, version) for version in TABLED]
            printed = {f.fix.text for one in tried for f in about_drivers(one) if f.fix}
            working = [one for one in tried if not about_drivers(one)]
            for text in printed:
                if _INSTEAD.match(text):
                    assert working == [], (build, cards, text)
                    continue
                named = _ADVISED.search(text)
                assert named is not None, text
                assert about_drivers(with_driver(case, named[1])) == [], (build, cards, text)
                advised[named[0]] = advised.get(named[0], 0) + 1
    assert len(advised) > 8, advised
