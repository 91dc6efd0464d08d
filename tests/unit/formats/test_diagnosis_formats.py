"""A post-mortem on the screen, as Markdown and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from envguard.adapters import rules
from envguard.checks.endings import end_of
from envguard.commands.diagnose import diagnose_text, diagnosis_of
from envguard.formats.diagnosis_json import diagnosis_to_json
from envguard.formats.diagnosis_text import diagnosis_markdown, diagnosis_text
from envguard.model.diagnosis import (
    Diagnosis,
    EnvironmentFacts,
    GpuHolder,
    GpuUse,
    HostFacts,
    Kernelspec,
    Log,
    ProcessFacts,
    ResourceFacts,
    Revision,
    Scene,
    Storage,
)
from envguard.model.report import Finding, Status

KNOWN = rules.signatures()
SCHEMA = json.loads(Path("rules/schema/diagnosis-v1.json").read_text())
FULL = diagnosis_of(
    Scene(
        process=ProcessFacts(
            end_of(137, None, "as you say"), 42, False, "python", runtime_file="k.json", kernel="py"
        ),
        logs=(
            Log("a.log", "torch.OutOfMemoryError: CUDA out of memory", 42),
            Log("k", kernel=True, problem="no"),
        ),
        host=HostFacts(
            "docker", 2**30, 2**29, 2**30, 1, 3, 1, 2**26, 0, 7200.0, Storage("/w", "overlay", False)
        ),
        resources=ResourceFacts(
            2**34, 2**33, (GpuUse(0, "L4", 2**34, 2**34, (GpuHolder(7, "python", 2**33), GpuHolder(8))),)
        ),
        environment=EnvironmentFacts(
            "/p", "conda", (Finding("EG201", Status.FAIL, "no code"),),
            (Revision(0, "2026-01-01 00:00:00"), Revision(1, "2026-02-01 00:00:00", "x", ("+a-1-0",))),
            "proven here", Kernelspec("py", "f", "/gone/python", exists=False),
        ),
    ),
    KNOWN,
)  # fmt: skip
UNKNOWN = diagnose_text("nothing", known=KNOWN)


@pytest.mark.parametrize("diagnosis", [FULL, UNKNOWN], ids=["full", "unknown"])
def test_json_is_as_its_schema_says(diagnosis: Diagnosis) -> None:
    document = json.loads(diagnosis_to_json(diagnosis, rules_date="2026-11-22"))
    jsonschema.validate(document, SCHEMA)
    assert [step["title"] for step in document["steps"]] == [
        "process", "container", "logs", "resources", "environment",
    ]  # fmt: skip


def test_the_schema_refuses_another_certainty() -> None:
    document = json.loads(diagnosis_to_json(UNKNOWN, rules_date="2026-11-22"))
    document["verdict"]["certainty"] = "sure"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_every_step_says_what_it_found() -> None:
    text = diagnosis_text(FULL, verbose=True)
    for words in (
        "exit code 137 is SIGKILL (as you say)",
        "docker, running for 2 h",
        "/w is on overlay: goes with the container",
        "oom_kill of our cgroup 1, of the machine 3, 1 while it ran",
        "a.log: cuda-oom: torch.OutOfMemoryError",
        "gpu 0 L4: memory 16.0 GiB of 16.0 GiB, held by python 7 8.0 GiB, process 8",
        "check: EG201 fail: no code",
        "kernelspec py starts /gone/python, which is not there",
        "conda install -p /p --revision 0",
        "looked at:",
    ):
        assert words in text, text
    assert text.index("5 environment") < text.index("likely"), "the verdict is the last"


def test_unknown_is_said_and_not_dressed_up() -> None:
    assert "unknown       nothing that was seen names a cause" in diagnosis_text(UNKNOWN)
    assert diagnosis_markdown(UNKNOWN).startswith("### unknown: ")


def test_markdown_lets_no_stranger_write_markup() -> None:
    hostile = diagnose_text("Killed <script>alert(1)</script> [x](http://y)\nKilled", known=KNOWN)
    markdown = diagnosis_markdown(hostile)
    assert "<script>" not in markdown
    assert "[x](" not in markdown


def test_no_secret_of_a_log_is_shown() -> None:
    said = "device-side assert triggered https://u:hunter2@host.example/ token=abc12345"
    diagnosis = diagnose_text(said, known=KNOWN)
    shown = diagnosis_text(diagnosis) + diagnosis_to_json(diagnosis, rules_date="x")
    assert "device-side" in shown
    assert "hunter2" not in shown
    assert "abc12345" not in shown


def test_lines_are_of_a_bearable_length() -> None:
    words = [line for line in diagnosis_text(FULL).splitlines() if "://" not in line]
    assert max(map(len, words)) <= 104
