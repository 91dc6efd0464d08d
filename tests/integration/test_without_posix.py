"""What needs no probe asks for nothing that only POSIX has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_data import REPOSITORY


@pytest.fixture
def envguard(tmp_path: Path):
    (tmp_path / "environment.yml").write_text(
        "channels: [conda-forge]\nplatforms: [win-64]\ndependencies: [pytorch]\n"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "tests" / "without_posix.py"), *words],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "ENVGUARD_CACHE_DIR": str(tmp_path / "cache"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_lock_is_made_checked_compared_and_exported(envguard, channel, tmp_path):
    lock = ("lock", "--for", "win-64:cpu", "--mirror", f"conda-forge={channel.as_uri()}")
    for words in (
        lock,
        ("lock", "--check", "--for", "win-64:cpu"),
        lock,
        ("check", "conda-lock.yml", "--for", "win-64:cpu"),
        ("check", "environment.yml", "--for", "win-64:cpu"),
        ("diff", "conda-lock.yml", "conda-lock.yml"),
        ("export", "conda-lock.yml"),
        ("why", "pytorch"),
    ):
        done = envguard(*words)
        assert done.returncode in (0, 3), (words, done.stdout, done.stderr)
        assert "bug of envguard" not in done.stderr
    assert (tmp_path / "conda-lock.yml").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("machine",),
        ("machine", "--bundle", "-"),
        ("diagnose", "--exit-code", "1"),
        ("check", "-p", sys.prefix),
        ("rules", "list"),
        ("stamp", "check", "none.yml"),
    ],
    ids=" ".join,
)
def test_the_machine_and_what_is_there_are_looked_at(envguard, words):
    done = envguard(*words)
    assert done.returncode in range(5), (done.stdout, done.stderr)
    assert "bug of envguard" not in done.stderr
