"""What the worker that installs complains of, in words and with a next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.prefixes.install_job import InstallJob, error_in_words

JOB = InstallJob([], Path("/cache/scratch/prefix"), Path("/cache/pkgs"))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "failed to unpack `x`: No space left on device (os error 28)",
            "no space left on device for /cache",
            "make room",
            id="a full disk",
        ),
        pytest.param(
            "failed to unpack `x`: Disk quota exceeded (os error 122)",
            "disk quota exceeded for /cache",
            "make room",
            id="a quota",
        ),
        pytest.param(
            "failed to unpack `x`: File too large (os error 27)",
            "file too large for /cache",
            "make room",
            id="a limit on the size of files",
        ),
        pytest.param(
            "Too many open files (os error 24)", "too many open files", "ulimit -n", id="open files"
        ),
        pytest.param(
            "Permission denied (os error 13)", "cannot be written to", "another folder", id="denied"
        ),
        pytest.param(
            "'../../x' is not a valid package name. Package names can only contain 0-9",
            "is not a valid package name",
            "envguard lock",
            id="a name that was edited by hand",
        ),
        pytest.param(
            "malformed version string '../x': expected a version component",
            "malformed version string",
            "envguard lock",
            id="a version that was edited by hand",
        ),
        pytest.param(
            "error sending request for url (https://me:pw@h.example/x)",
            "https://h.example/x",
            "network",
            id="the network",
        ),
    ],
)
def test_a_reason_has_its_own_next_step(text: str, message: str, hint: str) -> None:
    error = error_in_words("OSError", text, JOB)
    assert message in error.message
    assert hint in (error.hint or "")
    assert "pw" not in error.message


@pytest.mark.parametrize(("number", "told"), [(1, 1), (20, 20), (21, 21), (91, 21)])
def test_what_is_missing_offline_is_a_list_that_can_be_read(number: int, told: int) -> None:
    error = error_in_words("offline", " ".join(f"p{n}-1-0.conda" for n in range(number)), JOB)
    assert ("a package file is" if number == 1 else f"{number} package files are") in error.message
    assert len(error.problems) == told
    assert (error.problems[-1] == f"... and {number - 20} more") is (number > 20)
