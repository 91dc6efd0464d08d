"""Images: EG550 (is there such a tag), EG551 (would the container start), and the checks of what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case, case_of
from envguard.checks.cudnn import check_cudnn
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.checks.image_tags import CUDA, Existence, TagAnswer, answer_for
from envguard.checks.wording import driver_text
from envguard.model.image import BaseImage, ImageName, Images
from envguard.model.knowledge import Knowledge
from envguard.model.machine import Driver
from envguard.model.report import Finding, Fix, Location, Status
from envguard.model.target import Target
from envguard.model.version import Dotted

_STATUS = {
    Existence.EXISTS: Status.PASS,
    Existence.NEVER: Status.FAIL,
    Existence.UNKNOWN: Status.UNKNOWN,
}
_REQUIRE = (
    "https://gitlab.com/nvidia/container-images/cuda (NVIDIA_REQUIRE_CUDA in each Dockerfile)"
)
_SUBDIR = "linux-64"
_PLATFORMS = {"linux-64": ("linux/amd64", "linux/x86_64"), "linux-aarch64": ("linux/arm64",)}


def judge_images(
    images: Images, target: Target, knowledge: Knowledge, path: str
) -> tuple[Finding, ...]:
    """Each tag, and whether what the last stage is built on runs on the target."""
    return tuple(
        replace(finding, target=target.name, location=_location(base, path))
        for base in images.bases
        for finding in _judge(base, target, knowledge)
    )


def _judge(base: BaseImage, target: Target, knowledge: Knowledge) -> Iterator[Finding]:
    if base.name is None:
        title = f"which image {base.written} is was not said: its ARG has no default"
        fix = Fix("give the ARG a default, or check the image: image:REPOSITORY:TAG")
        yield Finding("EG550", Status.UNKNOWN, title, fix=fix)
        return
    answer = answer_for(base.name, knowledge)
    yield _existence(base.name, answer, target, knowledge)
    if not base.runs or answer.existence is Existence.NEVER or not answer.records:
        return
    other = _other_platform(base, target)
    if other is not None:
        yield Finding("EG550", Status.UNKNOWN, other)
        return
    case = case_of(target, answer.records, knowledge, complete=False)
    findings = tuple(_runs(case))
    yield from findings
    if base.name.repository in CUDA and not _fails(findings, "EG101"):
        yield from check_required_cuda(case)


def _runs(case: Case) -> Iterator[Finding]:
    yield from check_driver_floor(case)
    yield from check_driver_cards(case)
    yield from check_architectures(case)
    yield from check_cudnn(case)


def _fails(findings: tuple[Finding, ...], rule: str) -> bool:
    return any(f.rule == rule and f.status is not Status.PASS for f in findings)


def _existence(name: ImageName, answer: TagAnswer, target: Target, knowledge: Knowledge) -> Finding:
    titles = {
        Existence.EXISTS: f"{name.text} exists ({answer.reason})",
        Existence.NEVER: f"{name.text} never existed",
        Existence.UNKNOWN: f"whether {name.text} exists, or what it holds, is not known",
    }
    never = answer.existence is Existence.NEVER
    return Finding(
        "EG550",
        _STATUS[answer.existence],
        titles[answer.existence],
        message="" if answer.existence is Existence.EXISTS else answer.reason,
        symptom=f'"manifest for {name.text} not found"' if never else None,
        evidence=("the rule of the release; no registry was asked",) if never else (),
        fix=_instead(name, answer, target, knowledge),
        sources=answer.sources,
    )


def _instead(
    name: ImageName, answer: TagAnswer, target: Target, knowledge: Knowledge
) -> Fix | None:
    """Tags that exist and in which nothing fails on the target."""
    others = [
        replace(name, text=f"{name.repository}:{tag}", tag=tag, digest=None)
        for tag in answer.instead
    ]
    there = [other for other in others if _exists(other, knowledge)]
    fitting = [other.text for other in there if _tag_runs(other, target, knowledge)]
    if fitting:
        checked = f"the tag is tabled, and nothing in it fails on {target.name}"
        return Fix(" or ".join(fitting), checked=checked)
    if there:
        named = ", ".join(other.text for other in there)
        return Fix(f"there is {named}, and each fails on {target.name}")
    return None


def _exists(name: ImageName, knowledge: Knowledge) -> bool:
    return answer_for(name, knowledge).existence is Existence.EXISTS


def _tag_runs(name: ImageName, target: Target, knowledge: Knowledge) -> bool:
    case = case_of(target, answer_for(name, knowledge).records, knowledge, complete=False)
    return not any(finding.status is Status.FAIL for finding in _runs(case))


def _other_platform(base: BaseImage, target: Target) -> str | None:
    """Why the tables, which are about linux/amd64, say nothing here."""
    if target.subdir != _SUBDIR:
        return f"what {base.written} holds on {target.subdir} is not tabled"
    if base.platform is None or base.platform.lower() in _PLATFORMS[_SUBDIR]:
        return None
    return f"{base.written} is for {base.platform}, and {target.name} is {target.subdir}"


def check_required_cuda(case: Case) -> Iterator[Finding]:
    """EG551: the container toolkit compares the image's CUDA with the driver's before anything starts.

    Long-lived driver branches are let through by exceptions that differ from image to image, so that a
    driver above the floor that reports less is a warning.
    """
    wanted = case.need.cuda if case.need is not None else None
    if wanted is None or not isinstance(case.driver, Driver):
        yield Finding("EG551", Status.SKIPPED, "no driver to compare NVIDIA_REQUIRE_CUDA with")
        return
    found = Finding(
        "EG551",
        Status.PASS,
        f"the driver meets NVIDIA_REQUIRE_CUDA=cuda>={_short(wanted)}",
        have=driver_text(case.driver),
        need=f"a driver that reports CUDA {_short(wanted)}, or one of the branches the image excepts",
        sources=(_REQUIRE,),
    )
    if case.driver_cuda is None:
        title = f"whether the driver meets NVIDIA_REQUIRE_CUDA=cuda>={_short(wanted)} is not known"
        yield replace(found, status=Status.UNKNOWN, title=title)
    elif case.driver_cuda >= wanted:
        yield found
    else:
        yield replace(
            found,
            status=Status.WARN,
            title=f"the container may be refused: the driver reports CUDA {case.driver_cuda}, "
            f"the image asks for {_short(wanted)}",
            symptom=f'"nvidia-container-cli: requirement error: unsatisfied condition: '
            f'cuda>={_short(wanted)}"',
            fix=Fix("update the driver, or start it with -e NVIDIA_DISABLE_REQUIRE=1"),
        )


def _short(cuda: Dotted) -> str:
    return ".".join(str(cuda).split(".")[:2])


def _location(base: BaseImage, path: str) -> Location | None:
    if base.line is None:
        return None
    at = (base.text or "").find(base.written)
    caret = (at, len(base.written)) if at >= 0 else None
    return Location(path, base.line, base.column, base.text, caret)
