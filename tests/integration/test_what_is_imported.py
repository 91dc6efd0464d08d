"""What verbs do not need is not imported: an import that none of them asks for costs each start its time."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real_data import REPOSITORY

A100 = ("--for", "a100,driver=570.124.06")
NEVER = (
    *("requests", "pydantic", "rich", "platformdirs", "psutil", "uv", "conda_package_streaming"),
    *("packaging", "email.parser", "tomllib"),
    *("envguard.adapters.pip", "envguard.adapters.probing", "envguard.adapters.scene"),
    *("envguard.adapters.prefixes.throwaway", "envguard.adapters.notebooks"),
    *("envguard.formats.renders", "envguard.formats.reports.verify_text"),
    *("envguard.model.culprit", "envguard.model.diagnosis", "envguard.model.probe"),
)
UNASKED = {
    "--version": ("asyncio", "yaml", "rattler", "dataclasses", "envguard.api", "envguard.model"),
    "lock": NEVER,
    "lock again": (*NEVER, "asyncio", "envguard.adapters.solver"),
    "lock --check": (*NEVER, "asyncio", "envguard.adapters.solver"),
    "check": (*NEVER, "asyncio", "envguard.adapters.solver", "envguard.commands.locking.lock"),
}
WORDS = {
    "--version": ("--version",),
    "lock": ("lock", *A100),
    "lock again": ("lock", *A100),
    "lock --check": ("lock", "--check"),
    "check": ("check", *A100),
}


@pytest.fixture
def imported(channel: Path, tmp_path: Path) -> Callable[..., set[str]]:
    """The modules that a verb imports in a folder with an environment.yml, and a lock for verbs after it."""
    (tmp_path / "environment.yml").write_text(
        "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: [python=3.12, pytorch]\n"
    )

    def run(name: str) -> set[str]:
        mirror = ("--mirror", f"conda-forge={channel.as_uri()}") if name == "lock" else ()
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "envguard", *WORDS[name], *mirror],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "ENVGUARD_CACHE_DIR": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.MULTILINE))

    return run


@pytest.mark.parametrize("verb", UNASKED)
def test_nothing_is_imported_that_the_verb_does_not_need(
    verb: str, imported: Callable[..., set[str]]
) -> None:
    if verb not in ("--version", "lock"):
        imported("lock")
    modules = imported(verb)
    assert "envguard.cli.main" in modules
    assert [unasked for unasked in UNASKED[verb] if unasked in modules] == []


def test_a_pip_section_and_a_render_bring_their_own(
    imported: Callable[..., set[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WORDS, "lock", ("lock", *A100, "--render", "explicit"))
    (tmp_path / "environment.yml").write_text(
        "channels: [conda-forge]\nplatforms: [linux-64]\n"
        "dependencies: [python=3.12, pip, {pip: ['pip']}]\n"
    )
    assert {
        *("packaging.requirements", "email.parser", "tomllib"),
        *("envguard.adapters.pip", "envguard.formats.renders"),
    } <= imported("lock")


@pytest.mark.parametrize("name", sorted({name for names in UNASKED.values() for name in names}))
def test_what_is_not_imported_is_a_module(name: str) -> None:
    assert importlib.util.find_spec(name) is not None
