"""`envguard check` of several subjects, images and Dockerfiles, as a process."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard import api
from envguard.adapters.subjects import expand

ENVIRONMENT = "channels: [conda-forge]\ndependencies: [numpy]\n"
A100 = "a100,driver=570.124.06"


def check(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", "check", *arguments],
        cwd=cwd,
        env={k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f"e{number}.yml").write_text(ENVIRONMENT)
    (tmp_path / "broken.yml").write_text("dependencies: {")
    return tmp_path


def test_more_than_three_subjects_are_a_matrix(folder: Path) -> None:
    done = check(f"{folder}/e*.yml", "--for", A100, "--for", "v100", cwd=folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 environments x 2 targets")


def test_three_subjects_have_their_reports(folder: Path) -> None:
    done = check("e0.yml", "e1.yml", "e2.yml", "--for", A100, cwd=folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing in it depends") == 0
    assert done.stdout.count("1 pass") == 3


def test_the_reports_of_several_say_how_long_all_of_it_took(folder: Path) -> None:
    matrix = api.check_many([str(folder / "e0.yml"), str(folder / "e1.yml")], targets=[A100])
    assert {cell.report.seconds for cell in matrix.cells} == {matrix.seconds}
    assert matrix.seconds > 0


def test_a_broken_file_is_a_row_of_the_csv(folder: Path) -> None:
    done = check("*.yml", "--for", A100, "--format", "csv", cwd=folder)
    rows = list(csv.DictReader(done.stdout.splitlines()))

    assert done.returncode == 3, done.stderr
    assert [(row["subject"], row["verdict"]) for row in rows] == [
        ("broken.yml", "unknown"),
        *((f"e{number}.yml", "pass") for number in range(4)),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--image", "nvidia/cuda:latest"], 1, "EG550 fail", id="an image"),
        pytest.param(
            ["image:pytorch/pytorch:2.9.0-cuda12.6-cudnn9-runtime"], 0, "5 pass", id="as WHAT"
        ),
        pytest.param(["image:A B"], 2, "no name of an image", id="no image"),
        pytest.param(["nothing*.yml"], 2, "nothing*.yml does not exist", id="a glob of nothing"),
        pytest.param(["e0.yml", "e1.yml", "-n", "x"], 2, "-n and -p name one", id="WHATs and -n"),
        pytest.param(["--format", "matrix"], 2, "a matrix needs WHATs", id="a matrix of nothing"),
    ],
)
def test_exit_status_and_reason(folder: Path, arguments: list[str], code: int, said: str) -> None:
    done = check(*arguments, "--for", A100, cwd=folder)

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_dockerfile_is_judged_with_its_line_marked(folder: Path) -> None:
    (folder / "Dockerfile").write_text("ARG V=2.9\nFROM pytorch/pytorch:$V-cuda12.6-cudnn9-devel\n")
    done = check("Dockerfile", "--for", A100, cwd=folder)
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "Dockerfile:2" in line)

    assert done.returncode == 1
    marked = lines[at + 1]
    assert lines[at][marked.index("^") :] == "pytorch/pytorch:$V-cuda12.6-cudnn9-devel"
    assert marked.strip("^ ") == ""


def test_globs_are_expanded_sorted_and_once(folder: Path) -> None:
    there = f"{folder}/e1.yml"
    found = expand([there, f"{folder}/e[0-2].yml", "image:a/b:[x]", f"{folder}/none*"])

    assert found == (
        there,
        f"{folder}/e0.yml",
        f"{folder}/e2.yml",
        "image:a/b:[x]",
        f"{folder}/none*",
    )
