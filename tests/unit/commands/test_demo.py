"""The demo: what it prepares, and what counts as a surprise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from envguard.commands.demo import Demo, exit_code, prepare_demo, surprises
from envguard.errors import UnavailableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.package import PackageRecord


@dataclass(frozen=True)
class MadeUpChannel:
    """A channel that has a URL and packages, and nothing behind them."""

    url: str
    packages: tuple[PackageRecord, ...] = (PackageRecord("python", "3.12.1"),)


class MadeUpChannels:
    """Names the channels after what was asked for; raises `error` where one is given."""

    def __init__(self, error: UnavailableError | None = None) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._error = error

    def good(self, directory: Path, requirements: Sequence[str], *, torch: bool) -> MadeUpChannel:
        if self._error is not None:
            raise self._error
        self.asked.append((*requirements, *(["torch"] if torch else [])))
        return MadeUpChannel(directory.as_uri())

    def broken(self, directory: Path) -> MadeUpChannel:
        return MadeUpChannel(directory.as_uri())


def write(path: Path, text: str) -> None:
    path.write_text(text)


def prepared(folder: Path, *, torch: bool = False) -> Demo:
    return prepare_demo(folder, torch=torch, channels=MadeUpChannels(), write_text=write)


@pytest.mark.parametrize(
    ("torch", "expected"),
    [
        pytest.param(False, ["python", "numpy"], id="numpy alone"),
        pytest.param(True, ["python", "numpy", "torch"], id="with torch"),
    ],
)
def test_the_good_environment_takes_the_channel_that_was_made(
    tmp_path: Path, torch: bool, expected: list[str]
) -> None:
    demo = prepared(tmp_path, torch=torch)
    text = (demo.folder / "environment.yml").read_text()
    environment = parse_environment(text, "environment.yml")
    assert environment.channels == ((tmp_path / "channel").as_uri(),)
    assert [dependency.spec for dependency in environment.dependencies] == expected


def test_the_broken_environment_prefers_the_vendors_channel(tmp_path: Path) -> None:
    text = (prepared(tmp_path).folder / "broken" / "environment.yml").read_text()
    environment = parse_environment(text, "environment.yml")
    channels = [(tmp_path / name).as_uri() for name in ("vendor-channel", "channel")]
    assert list(environment.channels) == channels


def test_the_teammates_lock_is_one_that_every_reader_takes(tmp_path: Path) -> None:
    text = (prepared(tmp_path).folder / "teammate" / "conda-lock.yml").read_text()
    lock = parse_conda_lock(text, "conda-lock.yml")
    assert {record.name for record in lock.records_for("linux-64")} == {"pytorch", "cuda-version"}
    assert all(record.sha256 and record.md5 for record in lock.records_for("linux-64"))


def test_every_file_that_a_step_shows_or_names_is_there(tmp_path: Path) -> None:
    demo = prepared(tmp_path)
    written: set[str] = set()
    for step in demo.steps:
        named = [word for word in step.arguments if "/" in word and not word.startswith("-")]
        if "-o" in step.arguments:
            written.add(step.arguments[step.arguments.index("-o") + 1])
        for name in [*named, *([step.shows] if step.shows else [])]:
            assert (tmp_path / name).is_file() or name in written


def test_an_index_that_does_not_answer_is_passed_on(tmp_path: Path) -> None:
    channels = MadeUpChannels(UnavailableError("PyPI did not answer"))
    with pytest.raises(UnavailableError, match="PyPI did not answer"):
        prepare_demo(tmp_path, torch=False, channels=channels, write_text=write)


def test_steps_that_end_as_expected_are_no_surprise(tmp_path: Path) -> None:
    demo = prepared(tmp_path)
    assert surprises(demo, [min(step.expects) for step in demo.steps]) == ()


def test_a_broken_environment_that_passes_is_a_surprise(tmp_path: Path) -> None:
    demo = prepared(tmp_path)
    codes = [int(min(step.expects)) for step in demo.steps]
    codes[-1] = 0
    assert surprises(demo, codes) == (
        "envguard verify broken/conda-lock.yml: exit code 0, expected 1",
    )


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(1, 0, id="as it should"),
        pytest.param(0, 1, id="a crash that was not caught"),
        pytest.param(4, 4, id="the disk gave out"),
    ],
)
def test_the_demo_ends_with_what_went_wrong(tmp_path: Path, last: int, expected: int) -> None:
    demo = prepared(tmp_path)
    codes = [int(min(step.expects)) for step in demo.steps]
    assert exit_code(demo, [*codes[:-1], last]) == expected
