"""Lines of a pip section against a lock: the boundary first."""

from __future__ import annotations

import pytest

from envguard.checks.lock_pip_lines import LockedPip, pip_findings
from envguard.model.environment import Dependency, Environment
from envguard.model.package import Manager, PackageRecord

RECORDS = (
    PackageRecord("python", "3.12.11"),
    PackageRecord("pytorch", "2.7.1"),
    PackageRecord("tzdata", "2024a"),
    PackageRecord("einops", "0.8.0", Manager.PIP, url="https://index.example/einops-0.8.0.whl"),
    PackageRecord("zope.interface", "7.0", Manager.PIP),
)


def findings(
    *lines: str, recorded: tuple[str, ...] | None = (), subdir: str = "linux-64"
) -> list[str]:
    environment = Environment(pip=tuple(Dependency(line) for line in lines))
    locked = LockedPip(subdir, RECORDS, recorded, {"pytorch": "torch"})
    return [f"{f.status.value}: {f.title}: {f.have}" for f in pip_findings(environment, locked)]


@pytest.mark.parametrize(
    "line",
    [
        "einops>=0.8.0",
        "einops==0.8.*  # pinned",
        "Zope_Interface",
        "torch>=2.7",
        "tzdata",
        "pywin32; sys_platform == 'win32'",
        "tomli; python_version < '3.11'",
        "einops @ https://index.example/einops-0.8.0.whl",
        "einops @ https://user:secret@index.example/einops-0.8.0.whl#sha256=ab",
    ],
)
def test_a_line_that_the_lock_meets_is_no_reason(line: str) -> None:
    assert findings(line) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("einops>=0.8.1", "fail: einops>=0.8.1: einops 0.8.0"),
        ("timm", "fail: timm: no timm"),
        ("torch<2.7", "fail: torch<2.7: pytorch 2.7.1"),
        ("tzdata>=2024", "fail: tzdata>=2024: tzdata 2024a"),
        ("tomli; python_version >= '3.11'", "fail: tomli; python_version >= '3.11': no tomli"),
        ("einops[gpu]", "fail: einops[gpu]: einops 0.8.0, and not what [gpu] brings"),
        (
            "einops @ https://index.example/einops-0.8.1.whl",
            "fail: einops @ https://index.example/einops-0.8.1.whl: einops 0.8.0 from elsewhere",
        ),
        ("./new.whl", "fail: ./new.whl: not among the lines that the lock was made from"),
        ("--pre", "fail: --pre: not among the lines that the lock was made from"),
    ],
)
def test_a_line_that_the_lock_does_not_meet_is_a_reason(line: str, told: str) -> None:
    assert findings(line) == [told]


def test_markers_are_those_of_the_platform() -> None:
    line = "pywin32; sys_platform == 'win32' and platform_machine == 'AMD64'"
    assert findings(line, subdir="linux-64") == []
    assert findings(line, subdir="win-64") == [f"fail: {line}: no pywin32"]


@pytest.mark.parametrize(
    "line", ["einops[gpu]", "./old.whl", "--pre", "einops @ git+https://e.x/r@main"]
)
def test_a_line_that_the_lock_was_made_from_brought_what_it_brings(line: str) -> None:
    assert findings(line, recorded=(line,)) == []


@pytest.mark.parametrize("line", ["-r more.txt", "-c limits.txt", "--requirement=more.txt"])
def test_what_a_file_says_now_is_not_known(line: str) -> None:
    [told] = findings(line, recorded=(line,))
    assert told.startswith("unknown: ")


def test_options_are_not_known_where_nobody_recorded_them() -> None:
    assert findings("einops", recorded=None) == []
    [told] = findings("--pre", recorded=None)
    assert told.startswith("unknown: ")


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ("einops==0.8.0", "fail: pip: einops==0.8.0 was asked for, and is no longer: einops 0.8.0"),
        ("--pre", "fail: pip: --pre was asked for, and is no longer: None"),
    ],
)
def test_a_line_that_is_gone_is_a_reason(recorded: str, told: str) -> None:
    assert findings("torch", recorded=("torch", recorded)) == [told]


def test_a_line_that_was_changed_is_judged_as_it_is_now() -> None:
    assert findings("einops>=0.7", recorded=("einops==0.8.0",)) == []
