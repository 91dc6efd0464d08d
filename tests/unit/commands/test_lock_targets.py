"""Which machines a lock is for, and when somebody has to be asked."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.commands.locking.targets import (
    lock_targets,
    refuse_contradictions,
    refuse_no_common_cuda,
    refuse_unclaimed_gpu,
)
from envguard.errors import InputError
from envguard.formats.target_text import parse_target
from envguard.model.environment import Dependency, Environment
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.report import Finding, Location, Status
from envguard.model.target import Target

NO_GPU = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
HERE = Target("here", NO_GPU, given=False)
GPU_HERE = Target("here", Machine("linux-64", driver=Driver(), gpus=(Gpu(0),)), given=False)
ASKING = Dependency("pytorch-gpu", line=3)


def resolve(text: str, subdir: str) -> Target:
    """`mac` is a Mac, everything else a machine of the subdir."""
    of = "osx-arm64" if text == "mac" else subdir
    return Target(text, Machine(of, driver=DriverState.ANY, gpus=(Gpu(0),)), given=True)


def targets(*said, platforms=(), file=(), here=HERE) -> dict[str, list[str]]:
    found = lock_targets(
        Environment(platforms=file),
        platforms=platforms,
        said=said,
        here_subdir="linux-64",
        here=lambda: here,
        resolve=resolve,
    )
    return {subdir: [target.name for target in of] for subdir, of in found.items()}


@pytest.mark.parametrize(
    ("said", "platforms", "file", "expected"),
    [
        pytest.param((), (), (), {"linux-64": ["here"]}, id="nothing said: this machine"),
        pytest.param(("h100",), (), (), {"linux-64": ["h100"]}, id="a card of this platform"),
        pytest.param(
            ("h100", "mac"),
            (),
            (),
            {"linux-64": ["h100"], "osx-arm64": ["mac"]},
            id="the platforms of the targets",
        ),
        pytest.param(
            ("h100",),
            (),
            ("osx-arm64", "win-64"),
            {"osx-arm64": ["osx-arm64"], "win-64": ["h100"]},
            id="a card goes to the first platform that can have one",
        ),
        pytest.param(
            ("v100", "h100"),
            (),
            ("linux-64",),
            {"linux-64": ["v100", "h100"]},
            id="two machines of one platform",
        ),
        pytest.param(
            (), ("win-64",), ("linux-64",), {"win-64": ["win-64"]}, id="the option before the file"
        ),
        pytest.param(
            (),
            (),
            ("win-64", "linux-64"),
            {"win-64": ["win-64"], "linux-64": ["here"]},
            id="this machine beside the baseline of another",
        ),
    ],
)
def test_every_platform_has_its_machines(said, platforms, file, expected):
    assert targets(*said, platforms=platforms, file=file) == expected


def test_a_machine_of_a_platform_that_is_not_locked_is_an_error():
    with pytest.raises(InputError, match="mac is a machine of osx-arm64"):
        targets("mac", file=("linux-64",))


def test_an_unknown_platform_is_an_error_with_the_nearest():
    with pytest.raises(InputError) as error:
        targets(platforms=("linux-46",))
    assert "linux-64" in (error.value.hint or "")


def refusal(found: dict[str, tuple[Target, ...]], *asking: Dependency) -> InputError | None:
    try:
        refuse_unclaimed_gpu(
            Environment(path="e.yml"), found, lambda _: asking, command="envguard lock"
        )
    except InputError as error:
        return error
    return None


GIVEN_CPU = Target("cpu", NO_GPU, given=True)


@pytest.mark.parametrize(
    ("found", "asking", "refused"),
    [
        pytest.param({"linux-64": (HERE,)}, (ASKING,), True, id="no GPU here"),
        pytest.param({"linux-64": (HERE,)}, (), False, id="no GPU asked for"),
        pytest.param({"linux-64": (GPU_HERE,)}, (ASKING,), False, id="a GPU here"),
        pytest.param({"linux-64": (GIVEN_CPU,)}, (ASKING,), False, id="cpu, on purpose"),
    ],
)
def test_a_gpu_that_nobody_claims_is_refused(found, asking, refused):
    assert (refusal(found, *asking) is not None) is refused


def test_the_baseline_of_another_platform_claims_no_gpu():
    found = lock_targets(
        Environment(platforms=("win-64",)),
        platforms=(),
        said=(),
        here_subdir="linux-64",
        here=lambda: HERE,
        resolve=resolve,
    )
    error = refusal(found, ASKING)
    assert error is not None
    assert "no machine of win-64 was named" in error.message


def test_a_refusal_shows_the_three_commands_for_the_platform_that_needs_one():
    error = refusal({"linux-64": (HERE,), "osx-arm64": (GIVEN_CPU,)}, ASKING)
    assert error is not None
    assert [line.split("#")[0].strip() for line in error.problems] == [
        "e.yml:3  - pytorch-gpu",
        "envguard lock --for cpu --for linux-64:4090",
        "envguard lock --for cpu --for cluster.json",
        "envguard lock --for cpu --for linux-64:cpu",
    ]


def test_the_commands_to_choose_from_keep_the_machines_that_were_said():
    rtx = Target("linux-64:RTX 4090", Machine("linux-64", driver=DriverState.ANY), given=True)
    win = Target("win-64", Machine("win-64", driver=DriverState.ABSENT, gpus=()), given=False)
    with pytest.raises(InputError) as caught:
        refuse_unclaimed_gpu(
            Environment(path="e.yml"),
            {"linux-64": (rtx,), "win-64": (win,)},
            lambda _: (ASKING,),
            command="envguard lock",
        )
    assert "envguard lock --for 'linux-64:RTX 4090' --for win-64:4090 " in caught.value.problems[1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("h100,driver=450.80.02", "does not know H100"),
        ("h100,driver=520.61.05", None),
        ("v100,driver=590.44", "does not support Volta"),
        ("v100,driver=580.65.06", None),
        ("v100", None),
        ("cpu", None),
    ],
)
def test_a_driver_that_does_not_drive_the_card_is_a_contradiction(
    said: str, told: str | None
) -> None:
    knowledge = rules.load()
    target = parse_target(said, knowledge=knowledge, default_subdir="linux-64")
    refused = None
    try:
        refuse_contradictions({"linux-64": (target,)}, knowledge)
    except InputError as error:
        refused = error.message
    assert (told or "") in (refused or "")
    assert (refused is None) is (told is None)


@pytest.mark.parametrize(
    ("said", "asking", "told"),
    [
        (("cpu", "a100"), (ASKING,), "contradict each other"),
        (("cpu", "a100"), (), None),
        (("k80", "h100"), (ASKING,), None),
        (("a100", "win-64:cpu"), (ASKING,), None),
    ],
)
def test_one_lock_for_machines_that_contradict_each_other_is_refused_where_the_file_asks_for_a_gpu(
    said: tuple[str, ...], asking: tuple[Dependency, ...], told: str | None
) -> None:
    knowledge = rules.load()
    by_subdir: dict[str, tuple[Target, ...]] = {}
    for text in said:
        target = parse_target(text, knowledge=knowledge, default_subdir="linux-64")
        by_subdir[target.subdir] = (*by_subdir.get(target.subdir, ()), target)
    refused = None
    try:
        refuse_no_common_cuda(Environment(path="e.yml"), by_subdir, lambda _: asking, knowledge)
    except InputError as error:
        refused = error
    assert (refused is None) is (told is None)
    if refused is not None:
        assert told is not None
        assert told in refused.message
        assert refused.problems == ("e.yml:3  - pytorch-gpu",)


def test_what_is_wrong_with_the_lines_is_told_below_them():
    text = "- pytorch::pytorch=2.0.1=*_cu118"
    environment = Environment(
        path="e.yml",
        dependencies=(
            Dependency("python", 2, 5),
            Dependency("torchvision", 3, 5),
            Dependency(text[2:], 4, 5),
        ),
    )
    builds = Finding(
        *("EG402", Status.FAIL, "matches no build"),
        message="they are named py3.10_cuda11.8",
        location=Location("e.yml", 4, 28, text, (25, 7)),
    )
    frozen = Finding(
        *("EG403", Status.WARN, "is frozen"),
        location=Location("e.yml", 3, 5, "- torchvision", (2, 11)),
    )
    with pytest.raises(InputError) as caught:
        refuse_unclaimed_gpu(
            environment,
            {"linux-64": (HERE,)},
            lambda _: (environment.dependencies[2],),
            command="envguard lock",
            wrong=lambda *_: (builds, frozen),
        )
    assert caught.value.problems[:4] == (
        "e.yml:3  - torchvision",
        "           ^^^^^^^^^^^ EG403 is frozen",
        "e.yml:4  - pytorch::pytorch=2.0.1=*_cu118",
        "                                  ^^^^^^^ EG402 matches no build; they are named py3.10_cuda11.8",
    )
