"""Lines of an environment.yml against a lock's packages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.checks.lock_lines import changed_channels, removed_lines, unmet_lines
from envguard.model.channel import ChannelNames
from envguard.model.environment import Dependency, Environment
from envguard.model.report import Finding
from tests.unit.checks.cases import record

RECORDS = (record("python 3.12.11 h0_0"), record("numpy 2.0.0 py312_0"))


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        pytest.param("python=3.12", [], id="still asked for"),
        pytest.param("numpy>=2", [RECORDS[1].label], id="the lock has it"),
        pytest.param("gone=1", [None], id="the lock has none of that name"),
    ],
)
def test_a_line_taken_away_is_told_with_the_package_it_left(
    recorded: str, told: list[str | None]
) -> None:
    asked = Environment(dependencies=(Dependency("python=3.12"),))
    found = removed_lines(asked, "linux-64", [recorded], RECORDS)
    assert [finding.have for finding in found] == told


def unmet(
    spec: str, *, path: str | None = "environment.yml", line: int | None = 7
) -> list[Finding]:
    asked = Environment(dependencies=(Dependency(spec, line=line, column=3),), path=path)
    return list(unmet_lines(asked, "linux-64", RECORDS, ChannelNames()))


@pytest.mark.parametrize(
    ("spec", "have"),
    [
        pytest.param("numpy=2.0", [], id="met"),
        pytest.param("numpy=2.1", ["numpy 2.0.0 py312_0"], id="another version"),
        pytest.param("scipy", ["no scipy"], id="not there"),
        pytest.param("conda-forge::numpy", [], id="its channel"),
        pytest.param("conda-forge/linux-64::numpy", [], id="its channel and subdir"),
        pytest.param("conda-forge/noarch::numpy", [], id="its channel, noarch"),
        pytest.param(
            "bioconda::numpy", ["numpy 2.0.0 py312_0 of conda-forge"], id="another channel"
        ),
    ],
)
def test_a_line_that_no_record_meets_is_told_with_what_is_there(spec: str, have: list[str]) -> None:
    assert [finding.have for finding in unmet(spec)] == have


@pytest.mark.parametrize(
    ("subdir", "holds"),
    [
        pytest.param("linux-64", True, id="its own"),
        pytest.param(None, True, id="none: that of the lock"),
        pytest.param("noarch", False, id="another one than the spec names"),
    ],
)
def test_a_subdir_in_the_spec_is_compared_with_that_of_the_record(
    subdir: str | None, holds: bool
) -> None:
    asked = Environment(dependencies=(Dependency("conda-forge/linux-64::numpy"),))
    records = [replace(RECORDS[1], subdir=subdir)]
    assert (list(unmet_lines(asked, "linux-64", records, ChannelNames())) == []) is holds


@pytest.mark.parametrize(
    ("path", "line", "place"),
    [
        pytest.param("environment.yml", 7, "environment.yml:7", id="file and line"),
        pytest.param(None, 7, None, id="no file"),
        pytest.param("environment.yml", None, None, id="no line"),
    ],
)
def test_the_place_is_told_where_file_and_line_are_known(
    path: str | None, line: int | None, place: str | None
) -> None:
    (finding,) = unmet("scipy", path=path, line=line)
    assert (finding.location.place if finding.location else None) == place


@pytest.mark.parametrize(
    ("asked", "recorded", "locked", "have"),
    [
        pytest.param(["conda-forge"], ["conda-forge"], [], None, id="as it was recorded"),
        pytest.param(["conda-forge"], ["pytorch"], [], "made from pytorch", id="another one"),
        pytest.param(["a", "b"], ["b", "a"], [], "made from b, a", id="another order"),
    ],
)
def test_other_channels_or_another_order_are_told(
    asked: list[str], recorded: list[str], locked: list[str], have: str | None
) -> None:
    found = list(
        changed_channels(Environment(channels=tuple(asked)), recorded, locked, ChannelNames())
    )
    assert [finding.have for finding in found] == ([have] if have is not None else [])


@pytest.mark.parametrize(
    ("locked", "holds"),
    [
        pytest.param("https://conda.anaconda.org/conda-forge/", True, id="the same by its URL"),
        pytest.param("https://conda.anaconda.org/bioconda/", False, id="another one"),
    ],
)
def test_a_lock_that_recorded_no_channels_is_told_by_their_urls(locked: str, holds: bool) -> None:
    asked = Environment(channels=("conda-forge",))
    assert (list(changed_channels(asked, None, [locked], ChannelNames())) == []) is holds


def test_no_channels_are_called_none() -> None:
    (now,) = changed_channels(Environment(), ["conda-forge"], (), ChannelNames())
    assert (now.title, now.have) == ("channels: none", "made from conda-forge")
    asked = Environment(channels=("conda-forge",))
    (before,) = changed_channels(asked, [], (), ChannelNames())
    assert (before.title, before.have) == ("channels: conda-forge", "made from none")
