"""The kernel's lines of a journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.scene.journal import kernel_journal

KILL = "Memory cgroup out of memory: Killed process 4242 (python)"


def program(folder: Path, script: str) -> str:
    path = folder / "journalctl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(f"echo usb; echo '{KILL}'", (KILL,), id="a telling line"),
        pytest.param("echo usb", (), id="nothing that tells"),
        pytest.param("true", None, id="nothing of the kernel's"),
        pytest.param("echo '-- No entries --'", None, id="no entries"),
        pytest.param(f"echo '{KILL}'; exit 1", None, id="not for us"),
    ],
)
def test_the_journal_is_asked(
    tmp_path: Path, script: str, expected: tuple[str, ...] | None
) -> None:
    assert kernel_journal(program(tmp_path, script)) == expected


def test_without_a_journal_nothing_is_observed(tmp_path: Path) -> None:
    assert kernel_journal(str(tmp_path / "none")) is None


def test_a_journal_that_does_not_answer_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envguard.adapters.scene.journal.TIMEOUT_S", 0.2)
    assert kernel_journal(program(tmp_path, "exec sleep 600")) is None
