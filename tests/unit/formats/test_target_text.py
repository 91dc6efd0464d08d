"""What `--for` takes."""

from dataclasses import replace

import pytest

from envguard.errors import InputError
from envguard.formats.target_text import parse_target
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.small_knowledge import KNOWLEDGE

HERE = Machine("linux-64", glibc=Dotted.parse("2.36"), driver=DriverState.ABSENT, gpus=())


def parsed(text: str, default_subdir: str = "linux-64") -> Target:
    return parse_target(text, knowledge=KNOWLEDGE, default_subdir=default_subdir, here=lambda: HERE)


def dotted(text: str | None) -> Dotted | None:
    return None if text is None else Dotted.parse(text)


@pytest.mark.parametrize(
    ("text", "subdir", "driver", "capability"),
    [
        pytest.param("a100", "linux-64", DriverState.ANY, "8.0", id="a card: any driver"),
        pytest.param("8.6", "linux-64", DriverState.ANY, "8.6", id="a compute capability"),
        pytest.param("sm_86", "linux-64", DriverState.ANY, "8.6", id="as sm_"),
        pytest.param("compute_120", "linux-64", DriverState.ANY, "12.0", id="as compute_"),
        pytest.param("win-64:rtx4090", "win-64", DriverState.ANY, "8.9", id="another platform"),
        pytest.param(
            "windows: 4090", "win-64", DriverState.ANY, "8.9", id="a platform's other name"
        ),
        pytest.param("jetson orin", "linux-aarch64", DriverState.ANY, "8.7", id="a Jetson is Arm"),
        pytest.param("cpu", "linux-64", DriverState.ABSENT, None, id="cpu: looked for, not there"),
        pytest.param("CPU", "linux-64", DriverState.ABSENT, None, id="CPU"),
        pytest.param("win-64:cpu", "win-64", DriverState.ABSENT, None, id="cpu elsewhere"),
        pytest.param("osx-arm64", "osx-arm64", DriverState.ABSENT, None, id="no NVIDIA on macOS"),
        pytest.param("mac", "osx-arm64", DriverState.ABSENT, None, id="mac"),
        pytest.param("linux-64", "linux-64", None, None, id="a platform says nothing of a driver"),
        pytest.param("a100,driver=none", "linux-64", DriverState.ABSENT, "8.0", id="driver=none"),
        pytest.param("a100,driver=any", "linux-64", DriverState.ANY, "8.0", id="driver=any"),
        pytest.param("here", "linux-64", DriverState.ABSENT, None, id="here is observed"),
    ],
)
def test_what_a_text_describes(text, subdir, driver, capability) -> None:
    target = parsed(text)

    assert (target.name, target.given, target.subdir) == (text, True, subdir)
    assert target.machine.driver == driver
    seen = [str(gpu.compute_capability) for gpu in target.machine.gpus or ()]
    assert seen == ([capability] if capability else [])


@pytest.mark.parametrize(
    ("text", "version", "cuda"),
    [
        pytest.param("a100,driver=535", "535", "12.2", id="the first driver of a branch"),
        pytest.param("a100,driver=579.99", "579.99", "12.2", id="the last before the next branch"),
        pytest.param("a100,driver=580.65.06", "580.65.06", "13.0", id="a full version"),
        pytest.param("a100,driver=534.99", "534.99", None, id="older than the table"),
        pytest.param("v100,driver=590", "590", "13.1", id="a driver that dropped the card"),
        pytest.param("win-64:a100,driver=590", "590", "12.2", id="Windows has its own numbers"),
        pytest.param("a100,cuda=12.4", None, "12.4", id="only the CUDA version is known"),
        pytest.param("a100,driver=535,cuda=12.4", "535", "12.4", id="what is said beats the table"),
        pytest.param("a100 , driver = 535", "535", "12.2", id="spaces"),
        pytest.param("a100,driver=594.99", "594.99", "13.1", id="within the newest branch"),
        pytest.param("a100,driver=99999,cuda=14.2", "99999", "14.2", id="newer, and its CUDA said"),
        pytest.param("jetson orin,driver=99999", "99999", None, id="a Jetson's, past all branches"),
        pytest.param("jetson orin,driver=540", "540", None, id="Jetson's drivers are not tabled"),
        pytest.param("linux-64,driver=580", "580", "13.0", id="a platform with a driver"),
        pytest.param("here,driver=580", "580", "13.0", id="this machine with another driver"),
    ],
)
def test_the_drivers_cuda_comes_from_the_table(text, version, cuda) -> None:
    assert parsed(text).machine.driver == Driver(dotted(version), dotted(cuda))


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        pytest.param("t4", "13.1", id="7.5: the newest branch runs it"),
        pytest.param("v100", "13.0", id="7.0: the newest branch dropped it"),
        pytest.param("win-64:a100", "13.1", id="Windows"),
        pytest.param("win-64:v100", "12.2", id="Windows, a card that was dropped"),
        pytest.param("jetson orin", None, id="Jetson's drivers are not tabled"),
        pytest.param("v100,driver=535", None, id="a driver that is said"),
        pytest.param("cpu", None, id="no driver"),
    ],
)
def test_an_open_driver_reaches_the_newest_cuda_that_runs_the_card(text, reach) -> None:
    assert parsed(text).cuda_reach == dotted(reach)


def test_what_nobody_said_is_assumed_and_recorded() -> None:
    machine = parsed("a100").machine

    assert (str(machine.glibc), machine.archspec) == ("2.28", "x86_64")
    assert machine.assumed == {"glibc", "archspec"}


def test_what_is_said_is_not_assumed() -> None:
    machine = parsed("a100,glibc=2.17,archspec=x86_64_v3").machine

    assert (str(machine.glibc), machine.archspec) == ("2.17", "x86_64_v3")
    assert machine.assumed == frozenset()


@pytest.mark.parametrize("text", ["a100,archspec=ZEN4", "linux-aarch64,archspec=neoverse_v2"])
def test_a_processor_is_one_of_its_platform(text: str) -> None:
    assert parsed(text).machine.archspec == text.lower().partition("archspec=")[2]


def test_macos_has_a_version_and_no_glibc() -> None:
    machine = parsed("mac,osx=14.2").machine

    assert (machine.osx, machine.glibc) == (Dotted.parse("14.2"), None)


def test_here_is_the_observed_machine_with_what_is_said() -> None:
    assert parsed("here,glibc=2.17").machine == replace(HERE, glibc=Dotted.parse("2.17"))


def test_wsl2_runs_the_windows_driver() -> None:
    wsl2 = replace(HERE, platform="wsl2")

    target = parse_target(
        "here,driver=590", knowledge=KNOWLEDGE, default_subdir="linux-64", here=lambda: wsl2
    )
    assert target.machine.driver == Driver(dotted("590"), dotted("12.2"))


def test_a_card_on_a_mac_is_a_linux_machine() -> None:
    assert parsed("a100", default_subdir="osx-arm64").subdir == "linux-64"


def test_a_named_card_has_its_tabled_name_and_a_number_has_none() -> None:
    sm_80 = ComputeCapability(8, 0)

    assert parsed("NVIDIA A100-SXM4-80GB").machine.gpus == (
        Gpu(0, name="A100", architecture="sm_80", compute_capability=sm_80),
    )
    assert parsed("8.0").machine.gpus == (Gpu(0, architecture="sm_80", compute_capability=sm_80),)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param("", "no machine is named", "begin with a card", id="empty"),
        pytest.param("driver=535", "no machine is named", "begin with", id="conditions alone"),
        pytest.param(
            "titan x",
            "GeForce GTX TITAN X (5.2), TITAN X Pascal (6.1)",
            "whole name",
            id="ambiguous",
        ),
        pytest.param("a1000", "no GPU called 'a1000' is known", "A100 (8.0)", id="unknown card"),
        pytest.param("8.5", "no GPU of compute capability 8.5", "8.6", id="unknown capability"),
        pytest.param(
            "sm_90a", "not a compute capability", "9.0", id="an architecture with a suffix"
        ),
        pytest.param("wn-64:a100", "'wn-64' is no platform", "win-64", id="unknown platform"),
        pytest.param("osx-64:a100", "no NVIDIA driver runs on macOS", "linux-64:a100", id="macOS"),
        pytest.param("a100,drver=535", "did you mean driver=?", "glibc", id="unknown condition"),
        pytest.param(
            "a100,535", "'535' is no condition", "driver", id="a condition without a name"
        ),
        pytest.param("a100,driver=", "driver= is empty", None, id="empty condition"),
        pytest.param("a100,cuda=12,cuda=13", "cuda= is said twice", None, id="said twice"),
        pytest.param("a100,driver=R535", "'R535' is not a version", "535.104.05", id="no version"),
        pytest.param("cpu,driver=535", "cpu has no NVIDIA driver", "leave", id="cpu with a driver"),
        pytest.param("mac,cuda=12", "osx-arm64 has no NVIDIA driver", "leave", id="mac with CUDA"),
        pytest.param("a100,driver=none,cuda=12", "no CUDA", "leave", id="no driver, but CUDA"),
        pytest.param(
            "win-64:a100,glibc=2.28", "glibc= does not fit win-64", None, id="glibc there"
        ),
        pytest.param("a100,osx=13", "osx= does not fit linux-64", None, id="osx there"),
        pytest.param(
            "a100,archspec=zn4", "no processor of linux-64 is called", "zen4", id="a typo"
        ),
        pytest.param("a100,archspec=q", "no processor", "x86_64, x86_64_v3", id="nothing near"),
        pytest.param(
            "linux-64:a100,archspec=neoverse_v2", "no processor of linux-64", None, id="of another"
        ),
        pytest.param("mac,archspec=m1", "no processors of osx-arm64", "leave", id="none tabled"),
        pytest.param(
            "a100,driver=595", "the newest branch is 590", "cuda=X.Y", id="past the newest branch"
        ),
        pytest.param("a100,driver=99999", "no driver 99999", "rules update", id="no driver"),
        pytest.param("win-64:here", "here", "write here", id="here on another platform"),
    ],
)
def test_what_means_nothing_is_refused_with_candidates(text, message, hint) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert caught.value.message.startswith(f"--for {text}:")
    assert message in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")
