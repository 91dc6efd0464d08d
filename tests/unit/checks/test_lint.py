"""Lines of an environment.yml that cannot be what was meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.environment import judge_environment
from envguard.checks.lint import lint_environment
from envguard.checks.torch_requests import patches
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.report import Finding, Location, Status
from envguard.model.target import Target
from tests.unit.checks.cases import KNOWLEDGE, target

A100 = target("8.0", driver="570.124.06")


def found(
    *lines: str,
    channels: str = "conda-forge",
    pip: tuple[str, ...] = (),
    asked: Target = A100,
    lint: bool = False,
    files: tuple[str, ...] = (),
) -> dict[str, Finding]:
    text = f"channels: [{channels}]\ndependencies:\n" + "".join(f"- {line}\n" for line in lines)
    if pip:
        text += "- pip:\n" + "".join(f"  - {line}\n" for line in pip)
    answers = judge_environment(
        parse_environment(text, "environment.yml"),
        asked,
        KNOWLEDGE,
        exists=lambda path, _: path in files,
        lint=lint,
    )
    return {finding.rule: finding for finding in answers}


@pytest.mark.parametrize(
    ("lines", "channels", "never"),
    [
        pytest.param(("pytorch=2.8", "cuda-version=11.8"), "conda-forge", True, id="2.8 and CUDA 11.8"),
        pytest.param(("pytorch=2.8", "cuda-version=12.9"), "conda-forge", False, id="its own CUDA"),
        pytest.param(("pytorch=2.8", "cuda-version=12.8"), "conda-forge", True, id="one below"),
        pytest.param(("pytorch=2.7.0", "cuda-version=12.8"), "conda-forge", False, id="built for 12.6"),
        pytest.param(("pytorch>=2.4", "cuda-version=11.8"), "conda-forge", False, id="an older fits"),
        pytest.param(
            ("pytorch=2.8", "pytorch-cuda=11.8"), "pytorch, nvidia, conda-forge", True, id="metapackage"
        ),
        pytest.param(("pytorch=2.5", "pytorch-cuda=11.8"), "pytorch, nvidia", False, id="there was"),
        pytest.param(("pytorch=2.5", "pytorch-cuda=11.7"), "pytorch, nvidia", True, id="there was not"),
        pytest.param(("pytorch=2.8", "cuda-version=11.8"), "mine", False, id="a channel not tabled"),
        pytest.param(("pytorch=2.8.0=cuda118*",), "conda-forge", True, id="in the build string"),
        pytest.param(("pytorch=2.4.0=cuda118*",), "conda-forge", False, id="a build there was"),
        pytest.param(("pytorch=99.0", "cuda-version=11.8"), "conda-forge", False, id="not tabled"),
    ],
)  # fmt: skip
def test_a_pair_that_was_never_built_fails(
    lines: tuple[str, ...], channels: str, never: bool
) -> None:
    finding = found(*lines, channels=channels).get("EG610")
    assert (finding is not None) is never
    if finding is not None:
        assert finding.status is Status.FAIL
        assert finding.sources


@pytest.mark.parametrize(
    ("pip", "never"),
    [
        (("torch==2.8.0+cu118",), True),
        (("torch==2.7.1+cu118",), False),
        (("torch==2.8.0+cu127",), True),
        (("--index-url https://download.pytorch.org/whl/cu118", "torch==2.8.0"), True),
        (("--index-url https://download.pytorch.org/whl/cu126", "torch==2.8.0"), False),
        (("torch==2.8.0",), False),
    ],
)
def test_a_wheel_that_was_never_built_fails(pip: tuple[str, ...], never: bool) -> None:
    assert ("EG610" in found("pip", pip=tuple(f"'{line}'" for line in pip))) is never


def test_macos_has_no_table_of_cuda_builds() -> None:
    mac = target(subdir="osx-arm64")
    assert "EG610" not in found("pytorch=2.8", "cuda-version=11.8", asked=mac)


@pytest.mark.parametrize(
    ("line", "channels", "matches"),
    [
        ("pytorch::pytorch=2.0.1=*_cu118", "conda-forge", False),
        ("pytorch::pytorch=2.0.1=*cuda118*", "conda-forge", False),
        ("pytorch::pytorch=2.0.1=*cuda11.8*", "conda-forge", True),
        ("pytorch::pytorch=2.0.1=*cuda*", "conda-forge", True),
        ("pytorch=2.4.0=*cu118*", "conda-forge", False),
        ("pytorch=2.4.0=*cuda11.8*", "conda-forge", False),
        ("pytorch=2.4.0=*cuda118*", "conda-forge", True),
        ("pytorch=2.4.0=cuda11*", "conda-forge", True),
        ("pytorch=2.4.0=*gpu*", "conda-forge", False),
        ("pytorch=2.4.0=cpu*", "conda-forge", True),
        ("pytorch=2.4.0=*cuda11.8*", "pytorch, conda-forge", True),
        ("pytorch=2.4.0=*cu118*", "mine", True),
        ("mine=1=*_cu118", "conda-forge", True),
    ],
)
def test_a_build_string_is_named_as_its_channel_does(
    line: str, channels: str, matches: bool
) -> None:
    assert ("EG402" not in found(line, channels=channels)) is matches


def test_the_build_string_is_marked_in_its_line() -> None:
    finding = found("numpy", "pytorch::pytorch=2.0.1=*_cu118")["EG402"]
    location = finding.location

    assert location is not None
    assert location.text == "- pytorch::pytorch=2.0.1=*_cu118"
    assert location.caret is not None
    start, length = location.caret
    assert location.text[start : start + length] == "*_cu118"
    assert (location.line, location.column) == (4, 3 + len("pytorch::pytorch=2.0.1="))


@pytest.mark.parametrize(
    ("line", "asked", "fails"),
    [
        ("cpuonly", A100, True),
        ("pytorch-mutex=*=cpu", A100, True),
        ("pytorch-mutex=*=cuda", A100, False),
        ("pytorch-cpu", A100, True),
        ("pytorch-gpu", A100, False),
        ("cpuonly", target(), False),
    ],
)
def test_a_line_that_leads_to_a_cpu_build_fails_where_a_gpu_is(
    line: str, asked: Target, fails: bool
) -> None:
    assert ("EG401" in found(line, asked=asked)) is fails


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("numpy=1.26", "numpy>=2", "EG612"),
        ("numpy=2.0", "numpy>=2", "EG611"),
        ("numpy==1.26.4", "numpy=1.26", "EG611"),
        ("numpy==1.26.4", "numpy=1.25", "EG612"),
        ("numpy>=2", "numpy=1.26", "EG612"),
        ("numpy=1.26", "numpy>=1.26.4", "EG611"),
        ("numpy", "numpy", "EG611"),
        ("numpy>=1", "numpy<1", "EG611"),
        ("numpy", "scipy", None),
    ],
)
def test_a_package_that_is_asked_for_twice(first: str, second: str, rule: str | None) -> None:
    told = {r: f.status for r, f in found(first, second).items() if r in ("EG611", "EG612")}
    expected = {"EG611": Status.WARN, "EG612": Status.FAIL}
    assert told == ({rule: expected[rule]} if rule is not None else {})


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("python=3.1*", Status.FAIL),
        ("python=3.11*", None),
        ("python=3.8*", None),
        ("numpy=1.2*", Status.WARN),
        ("numpy=1.2.*", None),
        ("numpy=1.26*", None),
        ("numpy=2*", None),
    ],
)
def test_a_wildcard_glued_to_a_number_is_told(line: str, status: Status | None) -> None:
    finding = found(line).get("EG613")
    assert (finding.status if finding else None) is status
    if finding:
        assert ("there is no such Python" in finding.title) is (status is Status.FAIL)


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("-r missing.txt", True),
        ("--requirement=missing.txt", True),
        ("-c missing.txt", True),
        ("-r there.txt", False),
        ("-r https://index.example/r.txt", False),
    ],
)
def test_a_file_that_pip_is_to_read_has_to_be_there(line: str, fails: bool) -> None:
    finding = found("pip", pip=(line,), files=("there.txt",)).get("EG614")
    assert (finding.status if finding else None) is (Status.FAIL if fails else None)


@pytest.mark.parametrize(
    ("lines", "channels", "rules"),
    [
        pytest.param(("python=3.9",), "conda-forge", {"EG622"}, id="the last day has passed"),
        pytest.param(("python=3.11",), "conda-forge", set(), id="still maintained"),
        pytest.param(("python>=3.9",), "conda-forge", set(), id="a newer one fits"),
        pytest.param((), "defaults", {"EG620"}, id="defaults"),
        pytest.param(
            (), "defaults, conda-forge", {"EG620", "EG621"}, id="defaults and conda-forge"
        ),
        pytest.param((), "", {"EG620"}, id="no channel"),
    ],
)
def test_what_stops_no_gpu_is_told_where_lint_was_asked_for(
    lines: tuple[str, ...], channels: str, rules: set[str]
) -> None:
    lint = {"EG620", "EG621", "EG622"}
    assert lint & set(found("numpy", *lines, channels=channels, lint=True)) == rules
    assert not lint & set(found("numpy", *lines, channels=channels))


@pytest.mark.parametrize("path", ["environment.yml", None])
def test_advice_on_channels_points_at_the_file_where_there_is_one(path: str | None) -> None:
    text = "channels: [defaults, conda-forge]\ndependencies: [numpy]\n"
    written = replace(parse_environment(text, "read"), path=path)

    places = {finding.rule: finding.location for finding in lint_environment(written, KNOWLEDGE)}

    there = Location(path) if path is not None else None
    assert places == {"EG620": there, "EG621": there}


@pytest.mark.parametrize(
    ("lines", "channels", "never"),
    [
        pytest.param(("python=3.12", "pytorch=2.0"), "conda-forge", True, id="one too new"),
        pytest.param(("python=3.11", "pytorch=2.0"), "conda-forge", False, id="the last one"),
        pytest.param(("python=3.13", "pytorch=2.0"), "conda-forge", True, id="two too new"),
        pytest.param(("python=3.7", "pytorch=2.0"), "conda-forge", True, id="one too old"),
        pytest.param(("python=3.11", "pytorch=2.0.0"), "pytorch, nvidia", True, id="2.0.0 had no 3.11"),
        pytest.param(("python=3.11", "pytorch=2.0.1"), "pytorch, nvidia", False, id="2.0.1 had it"),
        pytest.param(("python=3.11", "pytorch=2.0"), "pytorch, nvidia", False, id="some patch had it"),
        pytest.param(
            ("python=3.12", "pytorch=2.1.2"), "pytorch, conda-forge", False, id="one of the channels"
        ),
        pytest.param(("python=3.13", "pytorch=2.9.0"), "conda-forge", False, id="not tabled"),
        pytest.param(("python=3.13", "pytorch=2.0"), "mine", False, id="a channel not tabled"),
        pytest.param(("python>=3.11", "pytorch=2.0"), "conda-forge", False, id="a range"),
        pytest.param(("python==3.12.4", "pytorch==2.0.0"), "conda-forge", True, id="patches"),
        pytest.param(("python 3.12.*", "pytorch 2.0.*"), "conda-forge", True, id="series"),
    ],
)  # fmt: skip
def test_a_python_that_pytorch_was_never_built_for_fails(
    lines: tuple[str, ...], channels: str, never: bool
) -> None:
    finding = found(*lines, channels=channels).get("EG615")
    assert (finding is not None) is never
    if finding is not None:
        assert finding.status is Status.FAIL
        assert finding.location is not None
        assert finding.location.text == f"- {lines[0]}"


def test_a_source_that_is_not_certain_gives_a_warning() -> None:
    assert found("python=3.12", "pytorch=1.12")["EG615"].status is Status.WARN


@pytest.mark.parametrize(
    ("python", "torch", "never"),
    [("3.12", "2.1.2", True), ("3.12", "2.2.0", False), ("3.9", "2.9.0", True)],
)
def test_a_wheel_has_its_pythons_too(python: str, torch: str, never: bool) -> None:
    answers = found(f"python={python}", "pip", pip=(f"torch=={torch}",))
    assert ("EG615" in answers) is never


def test_other_platforms_have_no_table_of_pythons() -> None:
    assert "EG615" not in found("python=3.13", "pytorch=2.0", asked=target(subdir="osx-arm64"))


@pytest.mark.parametrize(
    ("channels", "lines", "first"),
    [
        pytest.param("conda-forge, pytorch, nvidia", ("pytorch", "pytorch-cuda=12.1"),
                     "conda-forge", id="conda-forge first"),
        pytest.param("defaults, pytorch, nvidia", ("pytorch", "pytorch-cuda=12.1"),
                     "defaults", id="defaults first"),
        pytest.param("pytorch, nvidia, conda-forge", ("pytorch", "pytorch-cuda=12.1"), None, id="last"),
        pytest.param("nvidia, pytorch, conda-forge", ("pytorch", "pytorch-cuda=12.1"), None, id="nvidia"),
        pytest.param("conda-forge, pytorch, nvidia", ("pytorch::pytorch", "pytorch-cuda=12.1"), None,
                     id="the line names its channel"),
        pytest.param("conda-forge, pytorch, nvidia", ("pytorch=2.3.0=*cuda12.1*", "pytorch-cuda=12.1"),
                     None, id="the line names its build"),
        pytest.param("conda-forge, pytorch, nvidia", ("pytorch",), None, id="no pytorch-cuda"),
        pytest.param("conda-forge, pytorch, nvidia", ("pytorch-cuda=12.1",), None, id="no pytorch"),
        pytest.param("conda-forge", ("pytorch", "pytorch-cuda=12.1"), None, id="no such channel"),
    ],
)  # fmt: skip
def test_an_order_of_channels_that_leads_to_a_cpu_build(
    channels: str, lines: tuple[str, ...], first: str | None
) -> None:
    finding = found(*lines, channels=channels).get("EG405")
    assert (finding is not None) is (first is not None)
    if finding is not None:
        assert finding.status is Status.WARN
        assert finding.location is not None
        assert finding.location.text == f"- {first}"
        assert (finding.location.line, finding.location.caret) == (1, (2, len(first or "")))


def test_the_order_of_channels_is_no_matter_where_no_gpu_is() -> None:
    order = "conda-forge, pytorch, nvidia"
    assert "EG405" not in found("pytorch", "pytorch-cuda=12.1", channels=order, asked=target())


def test_a_token_in_a_channel_is_not_shown() -> None:
    order = "https://conda.anaconda.org/t/se-cret-1/conda-forge, pytorch"
    finding = found("pytorch", "pytorch-cuda=12.1", channels=order)["EG405"]

    assert "se-cret-1" not in repr(finding)


@pytest.mark.parametrize(
    ("lines", "channels", "expected"),
    [
        pytest.param(("numpy",), "defaults", {"EG620": Status.WARN}, id="defaults"),
        pytest.param(
            ("numpy",),
            "conda-forge, defaults",
            {"EG620": Status.WARN, "EG621": Status.WARN},
            id="mixed",
        ),
        pytest.param(("cpuonly",), "pytorch", {"EG401": Status.FAIL}, id="a CPU build"),
    ],
)
def test_how_grave_it_is(
    lines: tuple[str, ...], channels: str, expected: dict[str, Status]
) -> None:
    told = found(*lines, channels=channels, lint=True)
    assert {rule: told[rule].status for rule in expected} == expected


@pytest.mark.parametrize(
    ("version", "first", "last", "count"),
    [
        pytest.param("2.7.1", "2.7.1", "2.7.1", 1, id="a patch stands for itself"),
        pytest.param("2.7", "2.7.0", "2.7.9", 10, id="a minor for any of its patches"),
    ],
)
def test_the_releases_that_a_version_stands_for(
    version: str, first: str, last: str, count: int
) -> None:
    stands_for = patches(version)
    assert (stands_for[0], stands_for[-1], len(stands_for)) == (first, last, count)
