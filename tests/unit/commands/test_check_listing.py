"""Which listings of a file are judged for which machines."""

from __future__ import annotations

import pytest

from envguard.adapters.rules import load
from envguard.commands.checking.listing import asked_of, check_listings
from envguard.errors import InputError
from envguard.model.listing import Listing
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import CUDA129, record, target

BARE = target(driver=DriverState.ABSENT, given=False)
A100 = target("8.0", driver="570.124.06")
MAC = target(driver=DriverState.ABSENT, subdir="osx-arm64")
RECORDS = (record(CUDA129),)
TOLD = "the machine its platform is for"


def machine(cuda: str, capability: str) -> Machine:
    cards = (Gpu(0, compute_capability=ComputeCapability.parse(capability)),)
    return Machine("linux-64", driver=Driver(None, Dotted.parse(cuda)), gpus=cards)


def listing(name: str, subdir: str = "linux-64", *machines: Machine, **more: bool) -> Listing:
    return Listing("pixi-lock", {subdir: RECORDS}, machines=machines, name=name, **more)


def asked(listings: list[Listing], said: list[Target], here: Target) -> list[tuple[str, str]]:
    found = asked_of(listings, "pixi.lock", said, knowledge=load(), here=lambda: here)
    return [(one.name or "", judged.name) for one, judged in found.pairs]


NEW, OLD = (
    listing("new", "linux-64", machine("13.0", "9.0")),
    listing("old", "linux-64", machine("12.0", "7.0")),
)
APPLE, SILENT = listing("mac", "osx-arm64"), listing("linux")


@pytest.mark.parametrize(
    ("listings", "said", "here", "expected"),
    [
        pytest.param([SILENT], [], BARE, [("linux", BARE.name)], id="it tells of none: this one"),
        pytest.param([NEW, OLD], [], BARE, [("new", TOLD), ("old", TOLD)], id="each its own"),
        pytest.param(
            [OLD], [], A100, [("old", TOLD), ("old", A100.name)], id="and this one with its GPU"
        ),
        pytest.param(
            [OLD], [], target("8.0", subdir="win-64"), [("old", TOLD)], id="a GPU elsewhere"
        ),
        pytest.param(
            [listing("report", "linux-64", machine("12.0", "7.0"), observed=True)],
            [],
            A100,
            [("report", "the machine it tells of")],
            id="a bug report is about no other machine",
        ),
        pytest.param([OLD], [A100], BARE, [("old", A100.name)], id="who names one, gets that one"),
        pytest.param([NEW, APPLE], [A100], BARE, [("new", A100.name)], id="not those for a Mac"),
        pytest.param([APPLE, NEW], [MAC], BARE, [("mac", MAC.name)], id="only those for a Mac"),
        pytest.param([NEW, APPLE], [], BARE, [("new", TOLD)], id="the Mac is not this machine"),
        pytest.param(
            [NEW, APPLE],
            [A100, MAC],
            BARE,
            [("new", A100.name), ("mac", MAC.name)],
            id="to each what is for it",
        ),
    ],
)
def test_who_is_judged_for_what(
    listings: list[Listing], said: list[Target], here: Target, expected: list[tuple[str, str]]
) -> None:
    assert asked(listings, said, here) == expected


@pytest.mark.parametrize(
    ("listings", "said"),
    [
        pytest.param([NEW, SILENT], [A100, MAC], id="one of two machines has none"),
        pytest.param([APPLE], [], id="nothing is for this machine"),
    ],
)
def test_a_machine_that_nothing_is_for_is_an_error(
    listings: list[Listing], said: list[Target]
) -> None:
    with pytest.raises(InputError, match="lists no packages for"):
        asked(listings, said, BARE)


def test_the_machine_of_a_platform_is_what_is_judged_and_what_is_left_out_is_told() -> None:
    old = listing("old", "linux-64", machine("11.8", "7.0"))
    reports = check_listings(
        [NEW, old, APPLE], "pixi.lock", [], knowledge=load(), here=lambda: BARE
    )
    assert [(r.subject.path, r.verdict) for r in reports] == [
        ("pixi.lock:new", Status.PASS),
        ("pixi.lock:old", Status.FAIL),
    ]
    left = f"not judged for {BARE.name}: pixi.lock:mac is about osx-arm64"
    assert [left in report.notes for report in reports] == [False, True]
