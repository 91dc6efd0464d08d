"""`pip: [torch]`: the wheel that card and driver run, from an index like PyTorch's that is made here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envguard.adapters import rules
from envguard.adapters.pip.resolver import UvPipResolver
from envguard.commands.locking.wheels import guarded_wheels
from envguard.errors import UnavailableError
from envguard.formats.target_text import parse_target
from envguard.model.package import PackageRecord
from envguard.model.set_aside import SetAside
from envguard.ports.pip import PipRequest
from tests.real_data import serving
from tests.wheels import make_index, make_wheel

PYTORCH = "https://download.pytorch.org/whl"
TAG = "cp312-cp312-manylinux_2_28_x86_64"
Guarded = Callable[..., tuple[dict[str, PackageRecord], tuple[SetAside, ...]]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`/pypi` with the wheels of two CUDAs; `/whl/cu126`, `/whl/cu128` and `/whl/cpu` of PyTorch."""
    folder = tmp_path_factory.mktemp("indexes")
    made = folder / "made"

    def wheel(name: str, version: str, *requires: str) -> Path:
        return make_wheel(made, name, version, requires=requires, tag=TAG)

    vision = wheel("torchvision", "0.29.1", "torch")
    make_index(folder / "pypi", wheel("torch", "2.15.0"), wheel("torch", "2.10.0"), vision)
    for variant, versions in {
        "cu126": ("2.14.1", "2.7.1"),
        "cu128": ("2.11.0", "2.10.0"),
        "cpu": ("2.15.0",),
    }.items():
        torches = [wheel("torch", f"{version}+{variant}") for version in versions]
        make_index(
            folder / "whl" / variant, *torches, wheel("torchvision", f"0.29.1+{variant}", "torch")
        )
    with serving(folder) as url:
        yield url


@pytest.fixture
def lock_for(server: str, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    """Locks lines from the index that stands for PyPI, for targets."""
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")

    def run(
        *lines: str, targets: tuple[str, ...], mirror: str | None = None
    ) -> tuple[dict[str, PackageRecord], tuple[SetAside, ...]]:
        knowledge = rules.load()
        pip = UvPipResolver(pypi_names={}, mirrors={PYTORCH: mirror or f"{server}/whl"})
        request = PipRequest("linux-64", "3.12.11", (f"--index-url {server}/pypi", *lines))
        machines = tuple(
            parse_target(text, knowledge=knowledge, default_subdir="linux-64") for text in targets
        )
        [found] = pip.resolve([request])
        records, aside = guarded_wheels(request, found, machines, pip=pip, knowledge=knowledge)
        return {record.name: record for record in records}, aside

    return run


@pytest.mark.parametrize(
    ("targets", "version", "aside"),
    [
        pytest.param(("a100,driver=580.65.06",), "2.15.0", [], id="a driver for CUDA 13"),
        pytest.param(
            ("a100,driver=580.65.05",), "2.14.1+cu126", ["EG101"], id="one patch below its floor"
        ),
        pytest.param(("a100,driver=535.104.05",), "2.14.1+cu126", ["EG404"], id="driver 535"),
        pytest.param(("v100,driver=580.65.06",), "2.14.1+cu126", ["EG201"], id="no code for it"),
        pytest.param(
            ("rtx5090,driver=570.124.06",), "2.11.0+cu128", ["EG404"], id="cu126 has no sm_120"
        ),
        pytest.param(
            ("rtx5090,driver=570.124.06", "v100,driver=570.124.06"),
            "2.10.0+cu128",
            ["EG201", "EG404"],
            id="both at once",
        ),
        pytest.param(("cpu",), "2.15.0+cpu", ["EG101"], id="no GPU, on purpose"),
    ],
)
def test_the_wheel_is_the_newest_that_all_targets_run(lock_for, targets, version, aside):
    found, told = lock_for("torch", targets=targets)
    assert found["torch"].version == version
    assert sorted({one.rule for one in told}) == aside
    assert all(one.what == "torch 2.15.0" for one in told)


def test_what_belongs_to_torch_comes_from_the_same_index_and_the_lock_says_pytorchs(lock_for):
    found, _ = lock_for("torchvision", "torch", targets=("a100,driver=535.104.05",))
    assert found["torchvision"].version == "0.29.1+cu126"
    for name in ("torch", "torchvision"):
        assert found[name].url.startswith(f"{PYTORCH}/cu126/files/{name}-")


def test_a_pin_that_the_machine_runs_stays_as_it_is(lock_for):
    found, told = lock_for("torch==2.10.0", targets=("a100,driver=535.104.05",))
    assert (found["torch"].version, told) == ("2.10.0", ())


def test_an_index_that_the_user_named_is_the_users(lock_for, server):
    lines = ("torch", f"--extra-index-url {server}/whl/cpu")
    found, told = lock_for(*lines, targets=("a100,driver=535.104.05",))
    assert (found["torch"].version, told) == ("2.15.0+cpu", ())


def test_what_no_index_has_stays_for_the_check_to_say(lock_for):
    found, told = lock_for("torch==2.15.0", targets=("v100,driver=580.65.06",))
    assert (found["torch"].version, told) == ("2.15.0", ())


def test_an_index_that_does_not_answer_is_named_with_the_reason_for_asking_it(lock_for):
    with pytest.raises(UnavailableError, match=r"does not run torch 2\.15\.0 \(EG404") as caught:
        lock_for("torch", targets=("a100,driver=535.104.05",), mirror="http://127.0.0.1:9")
    assert f"{PYTORCH}/cu126" in caught.value.message
    assert "--mirror" in caught.value.hint
