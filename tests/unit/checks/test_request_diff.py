"""An environment.yml against another one, and against packages."""

from __future__ import annotations

import pytest

from envguard.checks.lock_pip_lines import LockedPip
from envguard.checks.request_diff import changed_requests, unmet_requests
from envguard.model.environment import Dependency, Environment
from envguard.model.lock_diff import RequestChange, RequestKind
from envguard.model.package import Manager
from tests.unit.checks.cases import record


def environment(
    *conda: str,
    pip: tuple[str, ...] = (),
    channels: tuple[str, ...] = ("conda-forge",),
    **variables: str,
) -> Environment:
    return Environment(
        channels=channels,
        dependencies=tuple(Dependency(line) for line in conda),
        pip=tuple(Dependency(line) for line in pip),
        variables=variables,
    )


def decides(manager: Manager, name: str) -> bool:
    return (manager, name) in ((Manager.CONDA, "pytorch"), (Manager.PIP, "torch"))


def changed(old: Environment, new: Environment) -> list[tuple[object, ...]]:
    found = changed_requests(old, new, decides=decides)
    return [(c.kind, c.old, c.new, c.gpu) for c in found]


CONDA, PIP = RequestKind.CONDA, RequestKind.PIP


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(environment("numpy"), environment("numpy"), [], id="the same"),
        pytest.param(
            environment("numpy", "scipy"), environment("scipy", "numpy"), [], id="another order"
        ),
        pytest.param(
            environment("numpy"),
            environment("numpy>=2"),
            [(CONDA, "numpy", "numpy>=2", False)],
            id="another version",
        ),
        pytest.param(
            environment("numpy"), environment(), [(CONDA, "numpy", None, False)], id="gone"
        ),
        pytest.param(environment(), environment("x"), [(CONDA, None, "x", False)], id="new"),
        pytest.param(
            environment("pytorch"),
            environment("pytorch=2"),
            [(CONDA, "pytorch", "pytorch=2", True)],
            id="what decides about the GPU",
        ),
        pytest.param(
            environment("x"),
            environment("x=1=cuda129*"),
            [(CONDA, "x", "x=1=cuda129*", True)],
            id="a CUDA in the new line",
        ),
        pytest.param(
            environment("x=1=cuda129*"),
            environment("x"),
            [(CONDA, "x=1=cuda129*", "x", True)],
            id="a CUDA in the old line",
        ),
        pytest.param(
            environment(pip=("torch==2.6",)),
            environment(pip=("Torch==2.7",)),
            [(PIP, "torch==2.6", "Torch==2.7", True)],
            id="a name of pip however it is written",
        ),
        pytest.param(
            environment(pip=("-r a.txt",)),
            environment(pip=("-r b.txt",)),
            [(PIP, "-r a.txt", None, False), (PIP, None, "-r b.txt", False)],
            id="options of pip",
        ),
        pytest.param(
            environment(channels=("a", "b")),
            environment(channels=("b", "a")),
            [(RequestKind.CHANNELS, "a, b", "b, a", True)],
            id="channels in another order",
        ),
        pytest.param(
            environment(channels=()),
            environment(channels=("a",)),
            [(RequestKind.CHANNELS, None, "a", True)],
            id="no channels before",
        ),
        pytest.param(
            environment(A="1", B="2"),
            environment(A="1", B="3"),
            [(RequestKind.VARIABLE, "B=2", "B=3", False)],
            id="a variable",
        ),
        pytest.param(
            environment(A="1"),
            environment(),
            [(RequestKind.VARIABLE, "A=1", None, False)],
            id="none",
        ),
    ],
)
def test_what_one_file_has_otherwise(
    old: Environment, new: Environment, expected: list[tuple[object, ...]]
) -> None:
    assert changed(old, new) == expected


def unmet(
    asked: Environment, *lines: str, installed: bool = False, recorded: tuple[str, ...] = ()
) -> list[RequestChange]:
    records = tuple(record(line) for line in lines)
    locked = LockedPip("linux-64", records, recorded)
    return list(unmet_requests(asked, locked, decides=decides, installed=installed))


def test_lines_that_the_packages_do_not_meet() -> None:
    found = unmet(environment("pytorch=2.8", "numpy"), "pytorch 2.7.1 h_0", "numpy 2.0 h_0")
    assert [(c.kind, c.old, c.new, c.gpu, c.subdir, c.undecided) for c in found] == [
        (CONDA, "pytorch=2.8", "pytorch 2.7.1 h_0", True, "linux-64", False)
    ]


def test_lines_of_pip_that_the_packages_do_not_meet() -> None:
    lines = ("torch 2.6.0 manager:pip", "rich 14.0 manager:pip")
    found = unmet(environment(pip=("torch==2.7", "rich")), *lines, installed=True)
    assert [(c.kind, c.old, c.gpu, c.undecided) for c in found] == [
        (PIP, "torch==2.7", True, False)
    ]


def test_an_option_of_pip_is_undecided_where_nobody_recorded_it() -> None:
    (found,) = unmet(environment(pip=("-r more.txt",)), "rich 14.0 manager:pip", installed=True)
    assert (found.old, found.new, found.undecided) == ("-r more.txt", None, True)
