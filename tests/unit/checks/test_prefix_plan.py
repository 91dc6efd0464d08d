"""What has to change in a prefix to be what a lock says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.prefix_plan import plan_prefix, same
from envguard.model.installation import PrefixState
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord

SUBDIR = "linux-64"
PYTHON = PackageRecord("python", "3.12.1", build="0", url="https://c/python.conda", sha256="a" * 64)
A = PackageRecord("a", "1.0", build="0", url="https://c/a.conda", sha256="b" * 64)
WHEEL = PackageRecord("w", "1.0", Manager.PIP, url="https://i/w-1.0-py3-none-any.whl")
GIT = PackageRecord("g", "1.0", Manager.PIP, url="git+https://i/g.git@abc")
EDITABLE = PackageRecord("e", "1.0", Manager.PIP, url="file:///src/e#editable=true")


def lock(*records: PackageRecord) -> Lockfile:
    return Lockfile((SUBDIR,), packages=tuple(LockedPackage(r, SUBDIR) for r in records))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="all the same"),
        pytest.param({"sha256": "c" * 64}, False, id="another hash"),
        pytest.param({"sha256": None}, True, id="no hash, the same version and build"),
        pytest.param({"sha256": None, "build": "1"}, False, id="no hash, another build"),
        pytest.param({"version": "2", "sha256": None}, False, id="no hash, another version"),
        pytest.param({"url": "https://mirror/a.conda"}, True, id="from elsewhere"),
    ],
)
def test_the_same_conda_package(changes: dict[str, str | None], expected: bool) -> None:
    assert same(A, replace(A, **changes)) is expected  # type: ignore[arg-type]


def test_what_is_there_is_kept_and_what_is_not_in_the_lock_goes() -> None:
    other = replace(A, name="other")
    state = PrefixState(exists=True, conda=(PYTHON, other), pip=(replace(WHEEL, name="mine"),))
    plan = plan_prefix(state, lock(PYTHON, A), SUBDIR)
    assert (plan.kept, plan.linked, plan.unlinked) == ((PYTHON,), (A,), (other,))
    assert [r.name for r in plan.pip_removed] == ["mine"]
    assert plan.anew == ()
    assert plan.specs is None, "nobody recorded what was asked for"


def test_a_package_that_lost_files_is_linked_again_and_one_that_goes_is_not() -> None:
    gone = replace(A, name="gone")
    state = PrefixState(exists=True, conda=(A, gone), damaged=("a", "gone"))
    plan = plan_prefix(state, lock(A), SUBDIR)
    assert (plan.anew, plan.linked, plan.kept, plan.unlinked) == (("a",), (), (), (gone,))
    assert plan.changes


def test_with_another_python_noarch_packages_are_linked_again() -> None:
    noarch = replace(A, name="n", subdir="noarch")
    state = PrefixState(True, conda=(replace(PYTHON, version="3.11.9", sha256="d" * 64), A, noarch))
    plan = plan_prefix(state, lock(PYTHON, A, noarch), SUBDIR)
    assert (plan.linked, plan.anew, plan.kept) == ((PYTHON,), ("n",), (A,))


@pytest.mark.parametrize(
    ("locked", "version", "origin", "kept"),
    [
        pytest.param(WHEEL, "1.0", None, True, id="the version, from an index"),
        pytest.param(WHEEL, "2.0", None, False, id="another version"),
        pytest.param(WHEEL, "1.0", "file:///cache/w-1.0-py3-none-any.whl", True, id="the file"),
        pytest.param(
            WHEEL, "1.0", "https://x/w-1.0-cp312-cp312-linux.whl", False, id="another file"
        ),
        pytest.param(GIT, "1.0", "git+https://i/g.git@abc", True, id="the commit"),
        pytest.param(GIT, "1.0", "git+https://i/g.git@abd", False, id="another commit"),
        pytest.param(GIT, "1.0", None, False, id="not from the repository"),
        pytest.param(EDITABLE, "1.0", "file:///src/e", True, id="the folder"),
        pytest.param(EDITABLE, "1.0", None, False, id="not from the folder"),
    ],
)
def test_the_same_pip_package(
    locked: PackageRecord, version: str, origin: str | None, kept: bool
) -> None:
    there = PackageRecord(locked.name, version, Manager.PIP)
    origins = {locked.name: origin} if origin else {}
    state = PrefixState(exists=True, conda=(PYTHON,), pip=(there,), origins=origins)
    plan = plan_prefix(state, lock(PYTHON, locked), SUBDIR)
    assert (plan.pip_installed, plan.pip_removed) == (((), ()) if kept else ((locked,), (there,)))


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        pytest.param(PrefixState(True, conda=(PYTHON,), pip=(WHEEL,)), True, id="the same python"),
        pytest.param(
            PrefixState(
                True, conda=(replace(PYTHON, version="3.12.9", sha256="d" * 64),), pip=(WHEEL,)
            ),
            True,
            id="the same minor version",
        ),
        pytest.param(
            PrefixState(
                True, conda=(replace(PYTHON, version="3.11.9", sha256="d" * 64),), pip=(WHEEL,)
            ),
            False,
            id="another minor version has another site-packages",
        ),
        pytest.param(
            PrefixState(True, half=True, conda=(PYTHON,), pip=(WHEEL,)), False, id="half-installed"
        ),
    ],
)
def test_pips_part_belongs_to_a_python(state: PrefixState, kept: bool) -> None:
    assert (plan_prefix(state, lock(PYTHON, WHEEL), SUBDIR).pip_installed == ()) is kept
