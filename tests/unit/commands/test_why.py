"""`why`: an id, a package and a spec find their answer, or are told the nearest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.commands.why import (
    Ground,
    all_explanations,
    answer,
    explain_rule,
    is_package,
    parse_question,
)
from envguard.commands.why_places import places_of
from envguard.errors import InputError
from envguard.model.environment import Environment
from envguard.model.explanation import Answer, Explanation, PackageAnswers, SpecAnswer
from envguard.model.lockfile import LockedPackage, Lockfile, LockRequest
from envguard.model.machine import DriverState
from envguard.model.report import Status
from envguard.model.target import Target
from tests.unit.checks.cases import KNOWLEDGE, record, target

CHECK = Explanation(
    id="EG201",
    title="no code for this GPU",
    question="is there code?",
    symptom="no kernel image",
    cause="an architecture is missing",
    fix="take another build",
    sources=("https://index.example/201",),
    date="2026-11-21",
    aliases=("sm120-unsupported-build",),
)
TOLD = all_explanations((CHECK, replace(CHECK, id="EG210", aliases=())), KNOWLEDGE)
V100 = replace(target("7.0", driver=DriverState.ANY), name="v100")
PYTORCH = replace(
    record("pytorch 2.10.0 cuda129_mkl_py312_hb9da02c_305"), depends=("libcudnn >=9.10", "numpy")
)
CUDNN = record("libcudnn 9.13.1.26 hf7e9902_0")
NUMPY = record("numpy 2.4.0 py312_0")


def lock(request: LockRequest | None = None) -> Lockfile:
    packages = [LockedPackage(one, "linux-64") for one in (PYTORCH, CUDNN, NUMPY)]
    packages.append(LockedPackage(NUMPY, "osx-arm64"))
    return Lockfile(("linux-64", "osx-arm64"), packages=tuple(packages), request=request)


def never() -> Target:
    raise AssertionError("a machine was named: this one is not asked")


def ask(what: str, request: LockRequest | None = None) -> Answer:
    places = places_of(lock(request), "conda-lock.yml", (V100,), knowledge=KNOWLEDGE, here=never)
    ground = Ground(TOLD, KNOWLEDGE, "conda-lock.yml", places, (V100,))
    return answer(what, parse_question(what), ground)


@pytest.mark.parametrize(
    ("said", "id"),
    [
        pytest.param("EG201", "EG201", id="an id"),
        pytest.param(" eg201 ", "EG201", id="in any case"),
        pytest.param("SM120-unsupported-build", "EG201", id="an alias"),
        pytest.param("eg306", "EG306", id="a rule of packages"),
        pytest.param("pytorch", None, id="a package is none"),
    ],
)
def test_an_id_finds_its_explanation(said: str, id: str | None) -> None:
    found = explain_rule(said, TOLD)

    assert (None if found is None else found.id) == id


@pytest.mark.parametrize(
    ("said", "near"), [("EG202", "EG201"), ("EG211", "EG210"), ("eg2011", "EG201")]
)
def test_an_unknown_id_is_told_the_nearest(said: str, near: str) -> None:
    with pytest.raises(InputError) as error:
        explain_rule(said, TOLD)

    assert error.value.message == f"there is no rule {said.upper()}"
    assert error.value.hint == f"the nearest is {near}"


@pytest.mark.parametrize(
    ("what", "package"),
    [
        ("pytorch", True),
        ("pytorch=2.8", False),
        ("conda-forge::pytorch", False),
        ("torch==2.8.0+cu118", False),
    ],
)
def test_a_bare_name_is_a_package_and_all_else_a_spec(what: str, package: bool) -> None:
    assert is_package(parse_question(what)) is package


def test_a_package_is_told_with_what_needs_it_and_what_is_wrong_with_it() -> None:
    request = LockRequest(dependencies={"linux-64": ("pytorch=2.10",)})

    told = ask("libcudnn", request)

    assert isinstance(told, PackageAnswers)
    (package,) = told.packages
    assert (package.record, package.subdirs, package.asked) == (CUDNN, ("linux-64",), ())
    assert package.chains == (("pytorch=2.10", "libcudnn >=9.10"),)
    assert [(f.rule, f.status, f.target) for f in package.findings] == [
        ("EG210", Status.FAIL, "v100")
    ]


def test_the_gpu_choice_of_pytorch_is_told_by_its_neighbours() -> None:
    told = ask("torch")

    assert isinstance(told, PackageAnswers)
    (package,) = told.packages
    assert package.record == PYTORCH
    assert package.asked is None
    (other,) = package.others
    assert other.cuda == "13.0"
    assert "EG201" in {finding.rule for finding in other.answers}


def test_a_package_on_several_platforms_is_told_once_for_each_reason() -> None:
    told = ask("numpy")

    assert isinstance(told, PackageAnswers)
    assert [(p.subdirs, p.chains) for p in told.packages] == [
        (("linux-64",), (("pytorch 2.10.0", "numpy"),)),
        (("osx-arm64",), ()),
    ]
    assert "EG304" in {rule.id for rule in told.rules}


def test_an_unknown_package_is_told_the_nearest() -> None:
    with pytest.raises(InputError) as error:
        ask("numpyy")

    assert error.value.hint == "did you mean numpy?"


def test_a_package_that_only_rules_know_is_an_answer() -> None:
    told = ask("torchvision")

    assert isinstance(told, PackageAnswers)
    assert told.packages == ()
    assert "EG305" in {rule.id for rule in told.rules}


def test_a_spec_is_told_what_is_here_and_what_was_built() -> None:
    told = ask("pytorch 2.8.* *cuda118*")

    assert isinstance(told, SpecAnswer)
    assert [found.differs for found in told.records] == [
        (
            "version 2.10.0, not 2.8.*",
            "build cuda129_mkl_py312_hb9da02c_305, not *cuda118*",
        )
    ]
    assert told.cuda == "11.8"
    assert told.tabled
    assert not any(row.fits for row in told.tabled)


def test_a_spec_gets_the_findings_of_a_file_with_that_line() -> None:
    told = ask("pytorch::pytorch=2.6")

    assert isinstance(told, SpecAnswer)
    assert ("EG403", Status.FAIL) in {(f.rule, f.status) for f in told.findings}
    assert "EG601" not in {finding.rule for finding in told.findings}


def test_what_is_no_spec_is_refused_with_examples() -> None:
    with pytest.raises(InputError, match="is no rule id, no package and no MatchSpec") as error:
        parse_question("=>x")

    assert "envguard why EG201" in (error.value.hint or "")


def test_an_environment_yml_has_no_packages_to_ask_about() -> None:
    with pytest.raises(InputError, match="decided when it is locked"):
        places_of(Environment(), "e.yml", (), knowledge=KNOWLEDGE, here=never)
