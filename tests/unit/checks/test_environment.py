"""An environment.yml judged by its lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.environment import judge_environment
from envguard.checks.requests import asks_for_gpu, may_ask_for_gpu
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.environment import Environment
from envguard.model.report import Finding, Location, Status
from tests.unit.checks.cases import KNOWLEDGE, target


def environment(
    *lines: str, channels: str = "conda-forge", pip: tuple[str, ...] = ()
) -> Environment:
    text = f"channels: [{channels}]\ndependencies:\n"
    text += "".join(f"- {line}\n" for line in lines)
    if pip:
        text += "- pip:\n" + "".join(f"  - {line}\n" for line in pip)
    return parse_environment(text, "environment.yml")


def found(asked: Environment, card: str = "8.0") -> dict[str, Finding]:
    answers = judge_environment(asked, target(card, driver="570.124.06"), KNOWLEDGE)
    return {finding.rule: finding for finding in answers}


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("cuda-version=12.9", True),
        ("pytorch-gpu", True),
        ("pytorch-cuda=11.8", True),
        ("cudatoolkit=11.3", True),
        ("tensorflow-gpu", True),
        ("cupy", True),
        ("pytorch=2.7.*=cuda*", True),
        ("pytorch::pytorch=2.0.1=*cuda11.8*", True),
        ("pytorch=2.7", False),
        ("pytorch=2.7=cpu*", False),
        ("numpy", False),
    ],
)
def test_a_line_asks_for_a_gpu(line: str, asks: bool) -> None:
    lines = asks_for_gpu(environment(line), KNOWLEDGE)
    assert [each.spec for each in lines] == ([line] if asks else [])


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("torch==2.6.0+cu124", True),
        ("jax[cuda12]", True),
        ("--extra-index-url https://download.pytorch.org/whl/cu124", True),
        ("nvidia-cudnn-cu12", True),
        ("onnxruntime_gpu", True),
        ("torch", False),
        ("requests", False),
    ],
)
def test_a_pip_line_asks_for_a_gpu(line: str, asks: bool) -> None:
    assert bool(asks_for_gpu(environment("pip", pip=(f"'{line}'",)), KNOWLEDGE)) is asks


def test_plain_pytorch_may_ask() -> None:
    lines = may_ask_for_gpu(environment("numpy", "pytorch", pip=("torch",)), KNOWLEDGE)
    assert [line.line for line in lines] == [4, 6]


def test_nothing_about_a_gpu_passes() -> None:
    (finding,) = found(environment("numpy", "pandas=2")).values()
    assert (finding.rule, finding.status) == ("EG601", Status.PASS)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("-r requirements.txt", id="a requirements file"),
        pytest.param("-e .", id="a project to develop"),
        pytest.param("file:.", id="a folder as a URL"),
        pytest.param("./mine", id="a folder"),
        pytest.param("git+https://github.com/pytorch/pytorch", id="a repository"),
    ],
)
def test_what_is_written_elsewhere_is_never_a_pass(line: str) -> None:
    assert found(environment("pip", pip=(line,)))["EG601"].status is Status.UNKNOWN


@pytest.mark.parametrize("line", ["fastai", "pytorch-lightning", "pytorch-cpu", "cpuonly"])
def test_what_brings_pytorch_is_never_a_pass(line: str) -> None:
    assert found(environment(line))["EG601"].status is Status.UNKNOWN


def test_an_option_of_pip_brings_nothing() -> None:
    pip = ("'--extra-index-url https://index.example/simple'", "requests")
    assert found(environment("pip", pip=pip))["EG601"].status is Status.PASS


def test_what_only_a_lock_decides_is_unknown_with_the_command_to_type() -> None:
    finding = found(environment("numpy", "pytorch=2.7"))["EG601"]

    assert finding.status is Status.UNKNOWN
    assert finding.fix is not None
    assert "envguard lock --for the-target" in finding.fix.text
    assert finding.location is not None
    assert (finding.location.line, finding.location.text) == (4, "- pytorch=2.7")


def test_a_pinned_cuda_build_is_judged() -> None:
    pinned = environment("pytorch::pytorch=2.0.1=*cuda11.8*", channels="pytorch, nvidia")

    assert found(pinned, card="12.0")["EG403"].status is Status.WARN
    assert "EG201" not in found(pinned, card="9.0")
    old = judge_environment(pinned, target("8.0", driver="440.33"), KNOWLEDGE)
    assert ("EG101", Status.FAIL) in [(f.rule, f.status) for f in old]


def test_a_pinned_cpu_build_fails_where_a_gpu_is() -> None:
    finding = found(environment("numpy", "pytorch=2.11.0=cpu*"))["EG401"]

    assert finding.status is Status.FAIL
    assert finding.location is not None
    assert finding.location.line == 4


def test_pins_that_are_a_known_bad_pair_fail() -> None:
    assert found(environment("pip", pip=("torch==2.6.0", "torchvision==0.20.1")))[
        "EG305"
    ].status is (Status.FAIL)
    assert "EG305" not in found(environment("pip", pip=("torch>=2.6.0", "torchvision==0.20.1")))
    builds = ("pytorch>=2.0.0=*cuda112*", "torchvision>=0.15.1=*cuda112*")
    assert "EG305" not in found(environment(*builds))


def test_pip_versions_say_nothing_of_the_build_where_an_index_is_named() -> None:
    pip = ("'--index-url https://index.example/simple'", "torch==2.11.0")
    assert "EG404" not in found(environment("pip", pip=pip))
    assert found(environment("pip", pip=pip[1:]))["EG404"].status is Status.FAIL


@pytest.mark.parametrize(
    ("line", "channels", "fails"),
    [
        pytest.param("pytorch::pytorch>=2.6", "conda-forge", True, id="newer, from it alone"),
        pytest.param("pytorch::pytorch>=2.5", "conda-forge", False, id="its last one fits"),
        pytest.param("pytorch::pytorch=1.4", "conda-forge", False, id="an old one"),
        pytest.param("pytorch=2.7", "pytorch, nvidia", True, id="no other channel"),
        pytest.param("pytorch=2.7", "pytorch, conda-forge", False, id="another has it"),
        pytest.param(
            "pytorch=2.7", "'https://conda.anaconda.org/pytorch/'", True, id="the channel as a URL"
        ),
        pytest.param(
            "https://conda.anaconda.org/pytorch::pytorch=2.7",
            "conda-forge",
            True,
            id="the line's channel as a URL",
        ),
    ],
)
def test_a_frozen_channel_has_nothing_newer(line: str, channels: str, fails: bool) -> None:
    answers = judge_environment(
        environment(line, channels=channels), target("8.0", driver="570.26"), KNOWLEDGE
    )
    assert (("EG403", Status.FAIL) in [(f.rule, f.status) for f in answers]) is fails


def test_a_frozen_channel_is_known_by_its_url() -> None:
    asked = environment("numpy", channels="'https://conda.anaconda.org/pytorch', conda-forge")
    assert found(asked)["EG403"].status is Status.WARN


def test_selectors_are_obeyed() -> None:
    text = "dependencies:\n- numpy\n- pytorch  # [osx]\n"
    assert found(parse_environment(text, "e.yml"))["EG601"].status is Status.PASS


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("cupy", "not locked yet: which build of 'cupy' it gets decides"),
        ("pytorch-lightning", "not locked yet: which build of 'pytorch-lightning' it gets decides"),
        ("-r more.txt", "not locked yet: what '-r more.txt' brings decides"),
    ],
)
def test_what_a_lock_would_decide_is_said(line: str, title: str) -> None:
    asked = environment("pip", pip=(line,)) if line.startswith("-") else environment(line)
    assert found(asked)["EG601"].title == title


@pytest.mark.parametrize("path", ["environment.yml", None])
def test_what_is_about_no_line_is_about_the_file(path: str | None) -> None:
    """The driver that no longer drives the card: no line of the file is to blame."""
    asked = replace(environment("pytorch=2.7.1=cuda129*"), path=path)
    answers = judge_environment(asked, target("7.0", driver="590.48.01"), KNOWLEDGE)
    (finding,) = (f for f in answers if f.rule == "EG105")
    assert finding.packages == ()
    assert finding.location == (Location(path) if path else None)


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        pytest.param(("pytorch=2.1.0", "numpy=2.0.0"), "EG304", id="versions"),
        pytest.param(("pytorch=*=cpu*",), "EG401", id="a build of any version"),
    ],
)
def test_a_version_or_a_build_alone_is_judged(lines: tuple[str, ...], rule: str) -> None:
    assert found(environment(*lines))[rule].status is not Status.PASS
    assert rule not in found(environment(*(line.split("=")[0] for line in lines)))
