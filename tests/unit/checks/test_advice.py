"""What a finding advises, and how it names things: each word follows from what is known."""

from __future__ import annotations

import pytest

from envguard.checks.driver_range import DriverRange
from envguard.checks.host import check_glibc
from envguard.checks.wording import card_name, driver_text, gpu_phrase
from envguard.model.machine import Driver, Gpu
from envguard.model.version import ComputeCapability, Dotted
from tests.unit.checks.cases import case, target


@pytest.mark.parametrize(
    ("version", "cuda", "expected"),
    [
        ("570.26", "12.8", "driver 570.26 (CUDA 12.8)"),
        ("570.26", None, "driver 570.26"),
        (None, "12.8", "a driver for CUDA 12.8"),
        (None, None, "the driver"),
    ],
)
def test_a_driver_is_named_by_what_is_known(
    version: str | None, cuda: str | None, expected: str
) -> None:
    known = Driver(Dotted.parse(version) if version else None, Dotted.parse(cuda) if cuda else None)
    assert driver_text(known) == expected


@pytest.mark.parametrize(
    ("name", "capability", "expected"),
    [
        ("NVIDIA A100", (8, 0), "A100 (sm_80)"),
        (None, (8, 0), "GPU 3 (sm_80)"),
        ("Tesla T4", None, "Tesla T4"),
        (None, None, "GPU 3"),
    ],
)
def test_a_card_is_named_by_what_is_known(
    name: str | None, capability: tuple[int, int] | None, expected: str
) -> None:
    known = ComputeCapability(*capability) if capability else None
    assert card_name(Gpu(3, name=name, compute_capability=known)) == expected


def test_cards_are_listed_once_each_and_no_card_is_said() -> None:
    assert gpu_phrase(case(target("8.0", "8.0"))).count("sm_80") == 2  # GPU 0 and GPU 1
    assert gpu_phrase(case(target())) == "no GPU"


@pytest.mark.parametrize(
    ("glibc", "advice", "have", "title"),
    [
        (None, "name it: --for", None, "and the machine's is not known"),
        ("2.27", "a system with glibc 2.28", "glibc 2.27", "and there is 2.27"),
    ],
)
def test_advice_on_glibc_follows_what_is_known(
    glibc: str | None, advice: str, have: str | None, title: str
) -> None:
    seen = {"glibc": Dotted.parse(glibc)} if glibc else {}
    (finding,) = check_glibc(case(target("8.0", **seen), "a 1 depends:__glibc~>=2.28"))
    assert finding.fix is not None
    assert finding.fix.text.startswith(advice)
    assert finding.have == have
    assert finding.title.endswith(f"needs glibc 2.28, {title}")


@pytest.mark.parametrize(
    ("floor", "ceiling", "empty", "needs"),
    [
        ("525", "590", False, ("driver >=525", "driver <590")),
        ("590", "590", True, ("driver >=590", "driver <590")),
        ("595", "590", True, ("driver >=595", "driver <590")),
        ("525", None, False, ("driver >=525",)),
        (None, "590", False, ("driver <590",)),
        (None, None, False, ()),
    ],
)
def test_a_range_of_drivers_is_empty_where_no_driver_is_in_it(
    floor: str | None, ceiling: str | None, empty: bool, needs: tuple[str, ...]
) -> None:
    drivers = DriverRange(
        Dotted.parse(floor) if floor else None,
        "",
        Dotted.parse(ceiling) if ceiling else None,
        "",
        (),
    )
    assert (drivers.empty, drivers.needs) == (empty, needs)
