"""Probes of other distributions: those that work, and every way not to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envguard import api
from envguard.adapters import probe_plugins
from envguard.errors import InputError
from envguard.model.probe import Outcome
from envguard.model.report import Status

HEAD = "from envguard.model.probe_step import Step\n"


def plug_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, value: str = "STEP"
) -> Path:
    """A distribution on the path with an entry point that is `module`'s text."""
    name = f"plugged_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(module)
    info = tmp_path / "kernels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kernels\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[envguard.probes]\nkernels = {name}:{value}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    script = tmp_path / "kernels_probe.py"
    script.write_text("def main(probe):\n    probe.value('device', probe.arguments['device'])\n")
    return script


def step(script: Path, **fields: object) -> str:
    given = {"name": "kernels", "script": str(script), "frameworks": ("json",), **fields}
    return HEAD + f"STEP = Step(**{given!r})\n"


def test_a_plug_in_adds_a_probe_that_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(tmp_path, monkeypatch, step(tmp_path / "kernels_probe.py"))
    report = api.verify(python=Path(sys.executable), only=["kernels"])
    (result,) = report.probes
    assert (result.name, result.outcome, result.values) == (
        "kernels",
        Outcome.PASSED,
        {"device": "cpu"},
    )


@pytest.mark.parametrize(
    ("module", "value", "words"),
    [
        pytest.param("1 / 0", "STEP", "loading it raised ZeroDivisionError", id="raises"),
        pytest.param(
            "import sys; sys.exit(3)", "STEP", "loading it raised SystemExit: 3", id="exits"
        ),
        pytest.param("", "STEP", "loading it raised AttributeError", id="has no such name"),
        pytest.param("STEP = 'matmul'", "STEP", "it is a str, not an envguard", id="is no step"),
        pytest.param(
            HEAD + "STEP = Step('matmul', '/x.py')",
            "STEP",
            "there is a probe matmul",
            id="name taken",
        ),
        pytest.param(
            HEAD + "STEP = Step('k', 'k.py')", "STEP", "k.py is not an absolute path", id="relative"
        ),
        pytest.param(
            HEAD + "STEP = Step('k', '/no/k.py')", "STEP", "/no/k.py is not there", id="gone"
        ),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_one_finding_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, value: str, words: str
) -> None:
    plug_in(tmp_path, monkeypatch, module, value)
    plugins = probe_plugins.load()
    (finding,) = plugins.findings
    assert (finding.rule, finding.status, plugins.steps) == ("EG717", Status.UNKNOWN, ())
    assert words in finding.message
    assert "kernels" in (finding.have or "")


def test_a_name_of_no_plug_in_is_an_input_error() -> None:
    with pytest.raises(InputError, match="--only kernels: there is no such probe"):
        api.verify(python=Path(sys.executable), only=["kernels"])


def test_a_stamp_is_no_answer_where_less_or_more_than_the_quick_level_was_asked(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "conda-lock.yml"
    lock.write_text(
        "version: 1\nmetadata:\n  content_hash: {}\n  channels: []\n"
        "  platforms: []\n  sources: []\npackage: []\n"
    )
    with pytest.raises(InputError, match="--record is of the quick level"):
        api.verify(lock, level="standard", record=tmp_path / "record.jsonl")
