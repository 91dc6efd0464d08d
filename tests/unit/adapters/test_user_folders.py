"""Folders of the user: those that platformdirs says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from envguard.adapters.user_folders import cache_root, config_folder, data_root

FOLDERS = {
    "cache": (cache_root, lambda: platformdirs.user_cache_dir("envguard"), "XDG_CACHE_HOME"),
    "data": (data_root, lambda: platformdirs.user_data_dir("envguard"), "XDG_DATA_HOME"),
    "config": (
        lambda: config_folder("binstar", "ContinuumIO"),
        lambda: platformdirs.user_config_dir("binstar", "ContinuumIO"),
        "XDG_CONFIG_HOME",
    ),
}


@pytest.mark.parametrize("value", [None, "", "  ", "/scratch/ann"])
@pytest.mark.parametrize("which", FOLDERS)
def test_it_is_where_platformdirs_has_it(
    which: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs, variable = FOLDERS[which]
    for name in ("ENVGUARD_CACHE_DIR", "ENVGUARD_DATA_DIR", variable):
        monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    assert ours() == Path(theirs())


@pytest.mark.parametrize(
    ("folder", "variable"),
    [(cache_root, "ENVGUARD_CACHE_DIR"), (data_root, "ENVGUARD_DATA_DIR")],
    ids=["cache", "data"],
)
def test_it_is_where_the_user_says(folder: Callable[[dict[str, str]], Path], variable: str) -> None:
    assert folder({variable: "/scratch/eg"}) == Path("/scratch/eg")
    assert folder({variable: "eg"}) == Path.cwd() / "eg"
    assert folder({variable: "~/eg", "XDG_CACHE_HOME": "/x"}) == Path(os.environ["HOME"]) / "eg"
