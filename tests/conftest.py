"""Fixtures that several suites share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel, build_channel
from tests.channel import write_channel
from tests.fake_driver import FakeDriver, build_fake_driver
from tests.wheels import make_wheel


def pytest_configure() -> None:
    # nohup and a shell's `&` start us with ^C ignored, and every child that a test interrupts inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # rules that somebody downloaded are not what is tested
    os.environ["ENVGUARD_DATA_DIR"] = os.devnull
    # nor is what this machine's conda is configured for
    os.environ["ENVGUARD_NO_CONDARC"] = "1"
    # nor does a stamp of the user's prove anything to a test, and none is kept
    os.environ["ENVGUARD_STATE_DIR"] = os.devnull


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-written channel of tests/channel as a folder."""
    return write_channel(tmp_path_factory.mktemp("channel"))


@pytest.fixture(scope="session")
def fake_driver(tmp_path_factory: pytest.TempPathFactory) -> FakeDriver:
    """A driver that is not there; `.environment(...)` makes a subprocess see it."""
    return FakeDriver(build_fake_driver(tmp_path_factory.mktemp("fake_driver")))


@pytest.fixture(scope="session")
def local_channel(tmp_path_factory: pytest.TempPathFactory) -> LocalChannel:
    """An installable channel: the running python and `tiny`, a package with a command."""
    folder = tmp_path_factory.mktemp("local_channel")
    wheel = make_wheel(
        folder / "wheels",
        "tiny",
        "1.2",
        {"tiny/__init__.py": "VALUE = 42\ndef main():\n    print('tiny', VALUE)\n"},
        entry_points="[console_scripts]\ntiny = tiny:main\n",
    )
    return build_channel(folder / "channel", [str(wheel)])
