"""What every SceneSource promises, the fake and the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.adapters.scene.here import SceneHere
from envguard.model.diagnosis import HostFacts, ResourceFacts
from envguard.ports.machine import SceneSource
from tests.fakes import FakeScene

NOBODY = 2**22 + 1
"""Above the largest process id of Linux."""


@pytest.fixture(
    params=[
        pytest.param(
            lambda: FakeScene(
                alive={os.getpid()}, host=HostFacts(oom_kills=1), resources=ResourceFacts()
            ),
            id="fake",
        ),
        pytest.param(SceneHere, id="this machine"),
        pytest.param(lambda: SceneHere(root=Path("/nonexistent")), id="a machine that hides all"),
    ]
)
def scene(request: pytest.FixtureRequest) -> SceneSource:
    made: SceneSource = request.param()
    return made


def test_a_process_that_is_there_is_alive(scene: SceneSource) -> None:
    found = scene.process(os.getpid())
    assert (found.pid, found.alive) == (os.getpid(), True)
    assert found.looked


def test_a_process_that_is_gone_is_an_answer(scene: SceneSource) -> None:
    for pid in (NOBODY, 2**31 - 1):
        found = scene.process(pid)
        assert (found.pid, found.alive) == (pid, False)
        assert found.notes, "and said why nothing is known"


def test_a_process_that_has_just_ended_is_an_answer(scene: SceneSource) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=20)
    assert scene.process(child.pid).alive is False


def test_nothing_raises_for_what_is_not_there(scene: SceneSource) -> None:
    scene.host(Path("/no/such/folder"))
    scene.resources(pid=NOBODY, folders=(Path("/no/such/folder"),))
    log = scene.kernel_log()
    assert log.kernel
    assert log.text == "" or log.problem is None


def test_the_room_is_that_of_the_folders(scene: SceneSource, tmp_path: Path) -> None:
    found = scene.resources(pid=os.getpid(), folders=(tmp_path, tmp_path))
    assert len(found.disks) <= 1, "each file system once"
