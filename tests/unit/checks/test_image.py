"""Images: does the tag exist, and does what is in it run."""

from __future__ import annotations

import pytest

from envguard.checks.image import check_required_cuda, judge_images
from envguard.checks.image_tags import answer_for
from envguard.formats.dockerfile import parse_dockerfile
from envguard.formats.image_name import image_subject
from envguard.model.report import Finding, Status
from envguard.model.target import Target
from tests.unit.checks.cases import KNOWLEDGE, case, target

A100 = target("8.0", driver="570.124.06")


def judged(image: str, asked: Target = A100) -> dict[str, Finding]:
    found = judge_images(image_subject(image), asked, KNOWLEDGE, image)
    return {finding.rule: finding for finding in found}


@pytest.mark.parametrize(
    ("image", "status"),
    [
        ("pytorch/pytorch:2.3.1-cuda12.1-cudnn8-runtime", Status.PASS),
        ("pytorch/pytorch:2.3.1-cuda12.1-cudnn9-runtime", Status.FAIL),
        ("pytorch/pytorch:2.4.0-cuda12.1-cudnn9-devel", Status.PASS),
        ("pytorch/pytorch:2.4.0-cuda12.1-cudnn8-devel", Status.FAIL),
        ("pytorch/pytorch:2.9.0-cuda12.6-cudnn9-runtime", Status.PASS),
        ("pytorch/pytorch:2.9-cuda12.6-cudnn9-runtime", Status.FAIL),
        ("pytorch/pytorch:2.9.0-cuda12.6-cudnn9", Status.FAIL),
        ("pytorch/pytorch:2.9.0-cuda12.6-cudnn9-runtime-jupyter", Status.FAIL),
        ("pytorch/pytorch:2.8.0-cuda12.4-cudnn9-runtime", Status.FAIL),
        ("pytorch/pytorch:2.12.0-cuda12.8-cudnn9-runtime", Status.FAIL),
        ("pytorch/pytorch:1.8.1-cuda10.2-cudnn7-runtime", Status.PASS),
        ("pytorch/pytorch:2.0.1-cuda11.8-cudnn8-runtime", Status.UNKNOWN),
        ("pytorch/pytorch:2.15.0-cuda13.0-cudnn9-runtime", Status.UNKNOWN),
        ("pytorch/pytorch:1.4-cuda10.1-cudnn7-runtime", Status.UNKNOWN),
        ("pytorch/pytorch", Status.UNKNOWN),
        ("nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", Status.PASS),
        ("nvidia/cuda:12.4.1-cudnn8-devel-ubuntu22.04", Status.FAIL),
        ("nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04", Status.PASS),
        ("nvidia/cuda:12.1.1-cudnn-devel-ubuntu22.04", Status.FAIL),
        ("nvidia/cuda:12.4.1-cudnn-base-ubuntu22.04", Status.FAIL),
        ("nvidia/cuda:12.4.1-base-rockylinux9", Status.UNKNOWN),
        ("nvidia/cuda:12.4.0-base-ubuntu22.04", Status.UNKNOWN),
        ("nvidia/cuda:13.0.0-base-ubuntu22.04", Status.PASS),
        ("nvidia/cuda:13.0.0-base-ubuntu20.04", Status.FAIL),
        ("nvidia/cuda:latest", Status.FAIL),
        ("nvidia/cuda", Status.FAIL),
        ("nvcr.io/nvidia/pytorch:25.01-py3", Status.UNKNOWN),
        (f"pytorch/pytorch@sha256:{'0' * 64}", Status.UNKNOWN),
    ],
)
def test_a_tag_exists_or_never_did_or_is_not_known(image: str, status: Status) -> None:
    assert judged(image)["EG550"].status is status


def test_a_tag_that_never_was_is_not_judged_further_and_has_one_that_runs_instead() -> None:
    v100 = target("7.0", driver="535.104.05")
    found = judged("pytorch/pytorch:2.8.0-cuda11.8-cudnn9-devel", v100)

    assert set(found) == {"EG550"}
    fix = found["EG550"].fix
    assert fix is not None
    assert fix.checked is not None
    for text in fix.text.split(" or "):
        statuses = {f.status for f in judged(text, v100).values()}
        assert Status.FAIL not in statuses
        assert text.endswith("-devel")


@pytest.mark.parametrize(
    ("image", "asked", "rule"),
    [
        pytest.param(
            "pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime", target("12.0", driver="570.26"), "EG201",
            id="no code for Blackwell",
        ),
        pytest.param(
            "pytorch/pytorch:2.9.0-cuda13.0-cudnn9-runtime", target("8.0", driver="570.26"), "EG101",
            id="CUDA 13 on R570",
        ),
        pytest.param(
            "nvidia/cuda:12.4.1-base-ubuntu22.04", target("8.0", driver="470.57.02"), "EG101",
            id="CUDA 12 on R470",
        ),
        pytest.param(
            "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime", target("7.0", driver="590.48.01"), "EG105",
            id="a driver that dropped the card",
        ),
    ],
)  # fmt: skip
def test_what_is_in_an_image_is_judged_like_packages(image: str, asked: Target, rule: str) -> None:
    found = judged(image, asked)
    assert [f.rule for f in found.values() if f.status is Status.FAIL] == [rule]


@pytest.mark.parametrize(
    ("driver", "cuda", "status"),
    [
        pytest.param("550.54.14", "12.4", Status.PASS, id="exactly what the image asks for"),
        pytest.param("545.23.06", "12.3", Status.WARN, id="one minor less, above the floor"),
        pytest.param("470.57.02", "11.4", None, id="below the floor: EG101 says so"),
        pytest.param("535.54.03", None, Status.WARN, id="by the table, the driver is for 12.2"),
    ],
)
def test_the_container_toolkit_compares_before_it_starts(
    driver: str, cuda: str | None, status: Status | None
) -> None:
    found = judged("nvidia/cuda:12.4.1-base-ubuntu22.04", target("8.0", driver=driver, cuda=cuda))
    assert (found["EG551"].status if "EG551" in found else None) is status


@pytest.mark.parametrize("subdir", ["linux-aarch64", "win-64", "osx-arm64"])
def test_the_tables_are_about_one_platform(subdir: str) -> None:
    image = "pytorch/pytorch:2.9.0-cuda12.6-cudnn9-runtime"
    found = judge_images(image_subject(image), target("9.0", subdir=subdir), KNOWLEDGE, image)
    assert [f.status for f in found] == [Status.PASS, Status.UNKNOWN]


def test_in_a_dockerfile_only_the_last_stage_runs_and_every_tag_has_its_line() -> None:
    text = (
        "FROM nvidia/cuda:13.0.0-devel-ubuntu22.04 AS build\n"
        "FROM pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime\n"
    )
    images = parse_dockerfile(text, "Dockerfile")
    found = judge_images(images, target("8.0", driver="535.104.05"), KNOWLEDGE, "Dockerfile")

    assert not [f for f in found if f.status is Status.FAIL]
    assert [(f.location.line, f.location.caret) for f in found if f.location][:2] == [
        (1, (5, 36)),
        (2, (5, 45)),
    ]


def test_an_argument_without_a_default_is_unknown() -> None:
    images = parse_dockerfile("ARG TAG\nFROM pytorch/pytorch:$TAG\n", "Dockerfile")
    (finding,) = judge_images(images, A100, KNOWLEDGE, "Dockerfile")
    assert (finding.rule, finding.status) == ("EG550", Status.UNKNOWN)


def test_a_driver_whose_cuda_nobody_knows_may_or_may_not_meet_what_the_image_asks() -> None:
    asked = case(target("8.0", driver="300.0"), "cuda-toolkit 12.4.1")
    assert [(f.rule, f.status) for f in check_required_cuda(asked)] == [("EG551", Status.UNKNOWN)]


@pytest.mark.parametrize(
    ("image", "status", "evidence"),
    [
        ("pytorch/pytorch:2.3.1-cuda12.1-cudnn8-runtime", Status.PASS, ()),
        (
            "pytorch/pytorch:2.3.1-cuda12.1-cudnn9-runtime",
            Status.FAIL,
            ("the rule of the release; no registry was asked",),
        ),
        ("nvidia/cuda:devel", Status.UNKNOWN, ()),
    ],
)
def test_only_what_never_was_says_that_no_registry_was_asked(
    image: str, status: Status, evidence: tuple[str, ...]
) -> None:
    finding = judged(image)["EG550"]
    assert (finding.status, finding.evidence) == (status, evidence)
    never = f'"manifest for {image} not found"'
    assert finding.symptom == (never if status is Status.FAIL else None)


@pytest.mark.parametrize(
    ("tag", "labels"),
    [
        (
            "2.3.1-cuda12.1-cudnn8-runtime",
            [("pytorch", "2.3.1", "cuda12.1_cudnn8", "pytorch")],
        ),
        (
            "2.9.0-cuda12.6-cudnn9-runtime",
            [("torch", "2.9.0+cu126", None, None), ("nvidia-cudnn-cu12", "9", None, None)],
        ),
    ],
)
def test_an_image_holds_conda_packages_or_wheels(
    tag: str, labels: list[tuple[str, str, str | None, str | None]]
) -> None:
    name = image_subject(f"pytorch/pytorch:{tag}").bases[0].name
    assert name is not None
    found = answer_for(name, KNOWLEDGE).records
    assert [(r.name, r.version, r.build, r.channel) for r in found] == labels


def test_where_nothing_has_a_cuda_nothing_is_required() -> None:
    (finding,) = check_required_cuda(case(target("8.0", driver="570.26"), "numpy 2.0.0 py312_0"))
    assert finding.status is Status.SKIPPED


@pytest.mark.parametrize(
    ("driver", "status", "words"),
    [
        pytest.param("550.54.14", Status.PASS, "cuda>=12.4", id="the very CUDA"),
        pytest.param("535.104.05", Status.WARN, "the image asks for 12.4", id="an older one"),
        pytest.param("300.0", Status.UNKNOWN, "cuda>=12.4 is not known", id="nobody knows"),
    ],
)
def test_what_an_image_asks_for_is_said_without_the_patch(
    driver: str, status: Status, words: str
) -> None:
    asked = case(target("8.0", driver=driver), "cuda-toolkit 12.4.1")
    (finding,) = check_required_cuda(asked)
    assert finding.status is status
    assert words in finding.title
    assert finding.need is not None
    assert finding.need.startswith("a driver that reports CUDA 12.4, or")
    assert "12.4.1" not in f"{finding.title} {finding.need} {finding.symptom}"
