"""Built culprits: each is named, by itself, and the fix that is printed was tried."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from envguard.api import verify
from envguard.model.report import Finding, Report, Status
from tests.culprits import ALL_PASS, CULPRITS, NoCompiler, Scene, kills_any_python

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="culprits are built for Linux's loader"
)
OF_THE_TEST = ("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONUSERBASE", "PYTHONNOUSERSITE")
INSIDE = {"two OpenMP runtimes", "a wrong import order", "a variable of the environment"}
"""They lie in the prefix, whatever the user's shell has set."""


def built(name: str, folder: Path) -> Scene:
    try:
        return CULPRITS[name](folder)
    except NoCompiler as missing:
        pytest.skip(str(missing))


def verified(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Report:
    for variable in OF_THE_TEST:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in scene.variables.items():
        monkeypatch.setenv(variable, value)
    return verify(prefix=scene.prefix, targets=("cpu",))


def failed(report: Report) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.status is Status.FAIL]
    return finding


def was_tried(finding: Finding, scene: Scene, least: int) -> bool:
    """Whether the fix was tried on at least so many probes, and all passed; or what the scene says of it."""
    told = finding.fix.checked if finding.fix is not None else None
    if scene.tried != ALL_PASS:
        return told == scene.tried
    match = re.fullmatch(r"tried: (\d+) of (\d+) pass", told or "")
    return match is not None and match[1] == match[2] and int(match[1]) >= least


def test_a_library_that_kills_any_python_is_named_before_a_probe_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        scene = kills_any_python(tmp_path)
    except NoCompiler as missing:
        pytest.skip(str(missing))
    report = verified(scene, monkeypatch)
    finding = failed(report)
    assert (finding.rule, scene.named in finding.title) == (scene.rule, True), finding
    assert finding.fix is not None
    assert finding.fix.text == scene.fix
    assert was_tried(finding, scene, 7), "python starts, and six probes pass"
    assert report.probes == ()


@pytest.mark.parametrize("name", CULPRITS)
def test_the_culprit_is_named_and_the_fix_was_tried(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = built(name, tmp_path)
    report = verified(scene, monkeypatch)
    finding = failed(report)
    assert (finding.rule, scene.named in finding.title) == (scene.rule, True), finding
    assert finding.fix is not None
    assert scene.fix in finding.fix.text
    assert was_tried(finding, scene, len(report.probes)), finding.fix
    told = " ".join((finding.title, finding.message, finding.have or "", *finding.evidence))
    for words in scene.words:
        assert words in told


@pytest.mark.parametrize("name", sorted(CULPRITS.keys() - INSIDE))
def test_without_the_culprit_it_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is the culprit alone: a scene that fails anyway would prove nothing."""
    scene = built(name, tmp_path)
    innocent = Scene(scene.prefix, {}, "", "")
    report = verified(innocent, monkeypatch)
    assert [f for f in report.findings if f.status is Status.FAIL] == []
