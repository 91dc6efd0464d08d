"""Why a package is there: the shortest ways from what was asked for."""

from __future__ import annotations

import pytest

from envguard.checks.dependency_chain import DependencyGraph
from envguard.model.package import Manager, PackageRecord


def conda(name: str, *depends: str) -> PackageRecord:
    return PackageRecord(name, "1.0", build="0", depends=depends)


def pip(name: str, *depends: str) -> PackageRecord:
    return PackageRecord(name, "2.0", Manager.PIP, depends=depends)


LIBRARY = conda("libcudnn", "__glibc >=2.28")
RECORDS = (
    conda("pytorch", "libtorch 1.0", "python"),
    conda("libtorch", "libcudnn >=9,<10", "python"),
    conda("torchvision", "pytorch >=1", "pillow"),
    conda("pillow", "libcudnn"),
    conda("python", "pip"),
    LIBRARY,
    pip("peft", "torch>=1", 'tqdm; extra == "cli"', "py-yaml"),
    pip("Py.YAML"),
    pip("tqdm"),
)
PYPI = {"pytorch": "torch"}


def record(name: str) -> PackageRecord:
    return next(one for one in RECORDS if one.name == name)


@pytest.mark.parametrize(
    ("asked", "name", "chains"),
    [
        pytest.param(
            ("pytorch=1",),
            "libcudnn",
            (
                ("pillow 1.0", "libcudnn"),
                ("pytorch=1", "libtorch 1.0", "libcudnn >=9,<10"),
            ),
            id="a package that nothing asked for leads to starts its own chain",
        ),
        pytest.param(
            ("torchvision", "libtorch=1.0"),
            "libcudnn",
            (
                ("libtorch=1.0", "libcudnn >=9,<10"),
                ("torchvision", "pillow 1.0", "libcudnn"),
            ),
            id="the shortest way of several",
        ),
        pytest.param(
            None,
            "libcudnn",
            (
                ("torchvision 1.0", "pillow 1.0", "libcudnn"),
                ("torchvision 1.0", "pytorch 1.0", "libtorch 1.0", "libcudnn >=9,<10"),
            ),
            id="not recorded: from the packages that nothing needs",
        ),
        pytest.param(
            ("peft",),
            "pytorch",
            (("peft", "torch>=1"), ("torchvision 1.0", "pytorch >=1")),
            id="a pip package needs conda's, by its name on PyPI",
        ),
        pytest.param(("peft",), "Py.YAML", (("peft", "py-yaml"),), id="pip's spelling"),
        pytest.param(("peft",), "tqdm", (), id="an extra is no need"),
        pytest.param(("pytorch",), "torchvision", (), id="nothing needs it"),
    ],
)
def test_the_ways_down_to_a_package(
    asked: tuple[str, ...] | None, name: str, chains: tuple[tuple[str, ...], ...]
) -> None:
    assert DependencyGraph(RECORDS, asked, PYPI).chains_to(record(name)) == chains


@pytest.mark.parametrize(
    ("asked", "name", "specs"),
    [
        pytest.param(
            ("conda-forge::pytorch=1", "torchvision"),
            "pytorch",
            ("conda-forge::pytorch=1",),
            id="by its spec, channel and all",
        ),
        pytest.param(("py_yaml[fast]>=2",), "Py.YAML", ("py_yaml[fast]>=2",), id="a pip line"),
        pytest.param(("torchvision",), "pytorch", (), id="not by name"),
        pytest.param(None, "pytorch", None, id="not recorded is not 'no'"),
    ],
)
def test_what_was_asked_for(
    asked: tuple[str, ...] | None, name: str, specs: tuple[str, ...] | None
) -> None:
    assert DependencyGraph(RECORDS, asked, PYPI).asked_for(record(name)) == specs


def test_two_packages_that_need_each_other_end() -> None:
    first, second = conda("first", "second"), conda("second", "first")

    graph = DependencyGraph((first, second), None)

    assert graph.chains_to(first) == (("second 1.0", "first"),)
