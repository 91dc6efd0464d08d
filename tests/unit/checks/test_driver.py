"""EG101 and EG105: the driver against the CUDA of the packages, and against the cards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.checks.driver_range import driver_range
from envguard.model.machine import DriverState
from envguard.model.report import Status
from tests.unit.checks.cases import CPU, CUDA118, CUDA126, CUDA129, CUDA130, case, target

FAIL, PASS, UNKNOWN, SKIPPED, WARN = (
    Status.FAIL,
    Status.PASS,
    Status.UNKNOWN,
    Status.SKIPPED,
    Status.WARN,
)


@pytest.mark.parametrize(
    ("package", "driver", "cuda", "subdir", "expected"),
    [
        pytest.param(CUDA129, "525.60.13", None, "linux-64", PASS, id="exactly CUDA 12's floor"),
        pytest.param(CUDA129, "525.60.12", None, "linux-64", FAIL, id="one patch too old"),
        pytest.param(CUDA130, "580.65.06", None, "linux-64", PASS, id="exactly CUDA 13's floor"),
        pytest.param(CUDA130, "580.65.05", "13.0", "linux-64", FAIL, id="one patch too old for 13"),
        pytest.param(CUDA130, "575.57.08", "12.9", "linux-64", FAIL, id="CUDA 13 on R575"),
        pytest.param(CUDA118, "450.80.02", None, "linux-64", PASS, id="exactly CUDA 11's floor"),
        pytest.param(CUDA118, "450.80.01", None, "linux-64", FAIL, id="below CUDA 11's floor"),
        pytest.param(CUDA118, "450.80.02", "11.0", "linux-64", PASS, id="R450 reports CUDA 11.0"),
        pytest.param(CUDA118, "450.80.01", "11.0", "linux-64", FAIL, id="R450, one patch too old"),
        pytest.param(CUDA118, "452.39", "11.0", "win-64", PASS, id="Windows R450 reports 11.0"),
        pytest.param(CUDA118, None, "11.0", "linux-64", UNKNOWN, id="11.0 alone: which R450?"),
        pytest.param(CUDA118, None, "10.2", "linux-64", FAIL, id="10.2 alone is below CUDA 11"),
        pytest.param(CUDA126, None, "12.1", "linux-64", PASS, id="only the reported CUDA, above"),
        pytest.param(
            CUDA126, None, "12.0", "linux-64", UNKNOWN, id="only the reported CUDA, at it"
        ),
        pytest.param(CUDA126, None, "11.8", "linux-64", FAIL, id="only the reported CUDA, below"),
        pytest.param(
            CUDA130, "535.54.03", "13.0", "linux-64", FAIL, id="13.0 alone proves nothing"
        ),
        pytest.param(CUDA130, "535.54.03", "13.2", "linux-64", UNKNOWN, id="a cuda-compat library"),
        pytest.param(CUDA126, "528.33", None, "win-64", PASS, id="exactly the Windows floor"),
        pytest.param(CUDA126, "528.32", None, "win-64", UNKNOWN, id="Windows, disputed"),
        pytest.param(
            CUDA126, "526.98", "12.0", "win-64", FAIL, id="Windows, though it prints 12.0"
        ),
    ],
)
def test_a_driver_is_judged_by_the_floor_of_the_cuda_major(
    package: str, driver: str | None, cuda: str | None, subdir: str, expected: Status
) -> None:
    asked = target("8.0", driver=driver, cuda=cuda, subdir=subdir)

    (finding,) = check_driver_floor(case(asked, package))

    assert (finding.rule, finding.status) == ("EG101", expected)


def test_a_driver_that_is_too_old_is_told_which_one_starts_this_cuda() -> None:
    (finding,) = check_driver_floor(case(target("8.0", driver="525.60.12"), CUDA129))
    assert finding.message == "CUDA 12.9 starts from driver 525.60.13 on"


def test_wsl2_has_the_windows_driver_and_its_floor() -> None:
    asked = target("8.0", driver="526.98", platform="wsl2")

    (finding,) = check_driver_floor(case(asked, CUDA126))

    assert finding.status is FAIL


def test_a_jetson_is_judged_by_the_cuda_it_reports_not_by_its_driver_number() -> None:
    asked = target("11.0", driver="580.00", cuda="13.0", subdir="linux-aarch64")

    (finding,) = check_driver_floor(case(asked, "pytorch 2.10.0 cuda130_generic_py312_h_205"))

    assert finding.status is PASS


@pytest.mark.parametrize(
    ("driver", "given", "expected"),
    [
        pytest.param(DriverState.ABSENT, True, FAIL, id="said to have none"),
        pytest.param(DriverState.ABSENT, False, UNKNOWN, id="the machine at hand has none"),
        pytest.param(None, True, UNKNOWN, id="not observed"),
        pytest.param(DriverState.ANY, True, PASS, id="any that runs the card"),
    ],
)
def test_a_driver_without_version(
    driver: DriverState | None, given: bool, expected: Status
) -> None:
    cards = () if driver is DriverState.ABSENT else ("8.0",)
    asked = target(*cards, driver=driver, given=given)

    (finding,) = check_driver_floor(case(asked, CUDA129))

    assert (finding.rule, finding.status) == ("EG101", expected)


def test_cuda_libraries_alone_are_a_warning_where_there_is_no_driver() -> None:
    (finding,) = check_driver_floor(
        case(target(driver=DriverState.ABSENT), "cuda-cudart 12.9.79 h5888daf_0")
    )
    assert finding.status is WARN


@pytest.mark.parametrize(
    "package", [CPU, "cuda-version 12.9 h4f385c5_3"], ids=["CPU build", "a constraint alone"]
)
def test_packages_without_cuda_ask_for_no_driver(package: str) -> None:
    (finding,) = check_driver_floor(case(target("8.0", driver="300"), package))
    assert finding.status is SKIPPED


@pytest.mark.parametrize(
    ("card", "driver", "cuda", "expected"),
    [
        pytest.param("7.0", "590", None, FAIL, id="Volta on the first without it"),
        pytest.param("7.0", "580.159.03", None, PASS, id="Volta on its last branch"),
        pytest.param("7.5", "590", None, PASS, id="Turing goes on"),
        pytest.param("3.7", "495.29.05", None, FAIL, id="Kepler on R495"),
        pytest.param("3.7", "470.256.02", None, PASS, id="Kepler on R470"),
        pytest.param("12.0", "565.77", None, FAIL, id="Blackwell on R565"),
        pytest.param("12.0", "570.26", None, PASS, id="Blackwell on its first branch"),
        pytest.param("7.0", None, "13.1", FAIL, id="Volta, only the CUDA of R590"),
        pytest.param("7.0", None, "13.0", PASS, id="Volta, only the CUDA of R580"),
    ],
)
def test_a_driver_knows_its_cards(
    card: str, driver: str | None, cuda: str | None, expected: Status
) -> None:
    (finding,) = check_driver_cards(case(target(card, driver=driver, cuda=cuda), CUDA126))
    assert (finding.rule, finding.status) == ("EG105", expected)


def test_an_end_that_is_not_certain_is_unknown_and_never_a_pass() -> None:
    asked = case(target("7.0", driver="590.48.01"), CUDA126)
    drops = tuple(
        replace(drop, origin=replace(drop.origin, confidence="low"))
        for drop in asked.knowledge.driver_drops
    )
    asked = replace(asked, knowledge=replace(asked.knowledge, driver_drops=drops))
    (finding,) = check_driver_cards(asked)
    assert (finding.rule, finding.status) == ("EG105", Status.UNKNOWN)
    assert "may no longer support" in finding.title


def test_the_worst_card_is_named() -> None:
    asked = target("8.0", "7.0", "9.0", driver="590.48.01")

    (finding,) = check_driver_cards(case(asked, CUDA129))

    assert (finding.status, finding.gpu) == (FAIL, 1)
    assert "Volta" in finding.title
    assert "R580" in finding.message


@pytest.mark.parametrize(
    ("cards", "package", "needs"),
    [
        pytest.param(["7.0"], CUDA129, ("driver >=525.60.13", "driver <590"), id="Volta"),
        pytest.param(["12.0"], CUDA129, ("driver >=570",), id="the card wants more than CUDA does"),
        pytest.param(["9.0"], CUDA130, ("driver >=580.65.06",), id="CUDA wants more than the card"),
        pytest.param(["7.0", "12.0"], CUDA129, ("driver >=570", "driver <590"), id="two cards"),
    ],
)
def test_any_driver_is_an_interval(cards: list[str], package: str, needs: tuple[str, ...]) -> None:
    asked = case(target(*cards, driver=DriverState.ANY), package)

    (finding,) = check_driver_floor(asked)

    assert driver_range(asked).needs == needs
    assert finding.status is PASS


def test_no_driver_runs_a_kepler_card_with_cuda_12() -> None:
    (finding,) = check_driver_floor(case(target("3.7", driver=DriverState.ANY), CUDA126))

    assert (finding.rule, finding.status) == ("EG105", FAIL)


@pytest.mark.parametrize(
    ("override", "expected"),
    [pytest.param("", FAIL, id="hidden"), pytest.param("12.9", PASS, id="said to be 12.9")],
)
def test_conda_override_cuda_is_obeyed(override: str, expected: Status) -> None:
    asked = target("8.0", driver=None, cuda_override=override)

    (finding,) = check_driver_floor(case(asked, CUDA126))

    assert finding.status is expected
