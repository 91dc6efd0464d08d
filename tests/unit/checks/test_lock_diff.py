"""What changed between two sets of packages: each kind of change, and what it means for a machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.lock_diff import compare
from envguard.model.lock_diff import Aspect, Change, LockDiff, PackageChange, Packages
from envguard.model.package import PackageRecord
from tests.unit.checks.cases import CPU, CUDA118, CUDA129, KNOWLEDGE, record

A = "a" * 64
B = "b" * 64


def side(
    *lines: str | PackageRecord, subdir: str | None = "linux-64", **kwargs: object
) -> Packages:
    records = tuple(record(line) if isinstance(line, str) else line for line in lines)
    return Packages("conda-lock.yml", "conda-lock", {subdir: records}, **kwargs)


def compared(old: Packages, new: Packages) -> LockDiff:
    return compare(old, new, KNOWLEDGE)


def changes(old: Packages, new: Packages) -> tuple[PackageChange, ...]:
    [subdir] = compared(old, new).subdirs
    return subdir.changes


ZLIB = record("zlib 1.3 h_0")
WHEEL = record("einops 0.8.0 manager:pip url:https://index.example/einops-0.8.0-py3-none-any.whl")
GIT = record(f"concepts 0.1 manager:pip url:git+https://index.example/r.git@{'a' * 40}")


@pytest.mark.parametrize(
    ("old", "new", "aspects"),
    [
        pytest.param(ZLIB, ZLIB, None, id="the same"),
        pytest.param(ZLIB, replace(ZLIB, version="1.3.1"), (Aspect.VERSION,), id="version"),
        pytest.param(
            ZLIB, replace(ZLIB, version="1.4", build="h_1"), (Aspect.VERSION,), id="both is one"
        ),
        pytest.param(ZLIB, replace(ZLIB, build="h_1"), (Aspect.BUILD,), id="build only"),
        pytest.param(ZLIB, replace(ZLIB, channel="pkgs/main"), (Aspect.CHANNEL,), id="channel"),
        pytest.param(
            ZLIB,
            replace(ZLIB, build="h_1", channel="pkgs/main"),
            (Aspect.BUILD, Aspect.CHANNEL),
            id="build and channel",
        ),
        pytest.param(
            replace(ZLIB, sha256=A), replace(ZLIB, sha256=B), (Aspect.FILE,), id="another file"
        ),
        pytest.param(
            replace(ZLIB, md5="c"),
            replace(ZLIB, md5="d"),
            (Aspect.FILE,),
            id="another file, by md5",
        ),
        pytest.param(replace(ZLIB, sha256=A), replace(ZLIB, md5="d"), None, id="no hash in common"),
        pytest.param(
            replace(ZLIB, sha256=A, md5="c"),
            replace(ZLIB, md5="d"),
            (Aspect.FILE,),
            id="another file, by the hash that both have",
        ),
        pytest.param(replace(ZLIB, build=None), ZLIB, None, id="a build that nobody wrote"),
        pytest.param(replace(ZLIB, channel=None), ZLIB, None, id="a channel that nobody wrote"),
        pytest.param(
            replace(WHEEL, sha256=A),
            replace(WHEEL, sha256=A, url="https://mirror.example/einops-0.8.0-py3-none-any.whl"),
            None,
            id="the same wheel from a mirror",
        ),
        pytest.param(
            GIT,
            replace(GIT, url=f"git+https://index.example/r.git@{'b' * 40}"),
            (Aspect.FILE,),
            id="another commit",
        ),
        pytest.param(WHEEL, replace(WHEEL, name="Einops"), None, id="a name spelt otherwise"),
    ],
)
def test_what_of_a_package_changed(old, new, aspects):
    found = changes(side(old), side(new))
    assert [change.aspects for change in found] == ([] if aspects is None else [aspects])
    assert compared(side(old), side(new)).differs == (aspects is not None)


def test_added_removed_and_changed_are_told_apart():
    found = changes(side("a 1 h", "b 1 h", "c 1 h"), side("b 2 h", "c 1 h", "d 1 h"))
    assert [(change.record.name, change.change) for change in found] == [
        ("a", Change.REMOVED),
        ("b", Change.CHANGED),
        ("d", Change.ADDED),
    ]


@pytest.mark.parametrize(
    ("old", "new", "older"),
    [("1.10", "1.9", True), ("1.9", "1.10", False), ("2024a", "2023b", True), ("?", "1", False)],
)
def test_a_downgrade_is_called_older(old, new, older):
    [change] = changes(side(f"a {old} h"), side(f"a {new} h"))
    assert change.older == older


def test_what_moved_from_conda_to_pip_is_gone_here_and_new_there():
    found = changes(side("einops 0.8.0 pyh_0"), side("einops 0.8.0 manager:pip"))
    assert {(change.change, change.record.manager.value) for change in found} == {
        (Change.REMOVED, "conda"),
        (Change.ADDED, "pip"),
    }


def test_several_of_a_name_are_told_where_only_one_side_has_them():
    two = ("a 1 manager:pip", "a 2 manager:pip")
    assert changes(side(*two), side(*two)) == ()
    [change] = changes(side(*two), side("a 2 manager:pip", "a 2 manager:pip"))
    assert (change.change, change.record.version) == (Change.REMOVED, "1")


@pytest.mark.parametrize(
    ("line", "gpu"),
    [
        (CUDA129, True),
        (CPU, True),
        ("libtorch 2.7.1 cpu_mkl_h_2", True),
        ("magma 2.9.0 h_0 depends:__cuda", True),
        ("faiss 1.8 py312_cuda12.4_0", True),
        ("cuda-version 12.9 h_3", True),
        ("libcudnn 9.10 h_0", True),
        ("nvidia-cudnn-cu12 9.1.0 manager:pip", True),
        ("xformers 0.0.33 manager:pip", True),
        ("tensorflow 2.18 manager:pip", True),
        ("numpy 2.3.1 py312_0", False),
        ("torchmetrics 1.0 manager:pip", False),
    ],
)
def test_what_has_a_say_in_the_gpu(line, gpu):
    [change] = changes(side(), side(line))
    assert change.gpu == gpu


def test_what_a_machine_needs_before_and_after():
    [subdir] = compared(side(CUDA118), side(CUDA129)).subdirs
    assert (subdir.before.cuda, subdir.after.cuda) == ("11.8 (pytorch)", "12.9 (pytorch)")
    assert subdir.before.machine == ("driver >=450.80.02",)
    assert subdir.after.machine == ("driver >=525.60.13",)
    assert "7.0" in subdir.after.code_for


@pytest.mark.parametrize(
    ("line", "code_for"),
    [("pytorch 99.0 cuda129_mkl_py312_0", "not tabled"), (CPU, None)],
    ids=["unknown is said", "a CPU build has none"],
)
def test_architectures_that_nobody_tabled_are_not_known(line, code_for):
    [subdir] = compared(side(line), side(line)).subdirs
    assert subdir.after.code_for == code_for


def test_a_platform_that_is_new_or_gone_is_a_difference():
    old = Packages("a", "conda-lock", {"linux-64": (), "win-64": ()})
    new = Packages("b", "conda-lock", {"linux-64": (), "osx-arm64": ()})
    found = compared(old, new)
    assert found.differs
    assert [(s.subdir, s.before is None, s.after is None) for s in found.subdirs] == [
        ("linux-64", False, False),
        ("osx-arm64", True, False),
        ("win-64", False, True),
    ]
    assert [s.platform for s in found.subdirs] == [None, None, None]


def test_a_list_without_a_platform_is_about_the_only_one_of_the_other_side():
    [subdir] = compared(side("a 1 h"), side("a 2 h", subdir=None)).subdirs
    assert (subdir.subdir, len(subdir.changes)) == ("linux-64", 1)


def test_of_several_platforms_a_list_without_one_is_about_none():
    old = Packages("a", "conda-lock", {"linux-64": (), "win-64": ()})
    new = Packages("b", "conda-lock", {None: ()})
    assert [s.subdir for s in compared(old, new).subdirs if s.before and s.after] == []


def test_two_platforms_that_differ_are_not_paired():
    old, new = side("a 1 h"), side("a 1 h", subdir="win-64")
    assert [s.subdir for s in compared(old, new).subdirs if s.before and s.after] == []


def test_a_list_that_is_not_complete_is_said_to_prove_nothing():
    found = compared(side("a 1 h"), side(complete=False))
    assert found.notes == (
        "conda-lock.yml names only some of its packages: a missing one proves nothing",
    )


@pytest.mark.parametrize("old_needs", [True, False])
def test_what_had_a_say_in_the_gpu_or_has_one_now_is_of_the_gpu(old_needs):
    needs, plain = "magma 2.9.0 h_0 depends:__cuda", "magma 2.9.1 h_0"
    [change] = changes(*map(side, (needs, plain) if old_needs else (plain, needs)))
    assert change.gpu
