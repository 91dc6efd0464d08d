"""pip's configuration as uv gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.pip.config import link_folders, uv_environment


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Variables of a user without any configuration but what a test writes."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "nowhere")}


def write_user_config(home: dict[str, str], text: str) -> None:
    path = Path(home["HOME"]) / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_the_users_index_and_find_links_are_handed_on(home: dict[str, str]) -> None:
    wheels = Path(home["HOME"]) / "wheels"
    wheels.mkdir()
    write_user_config(
        home, f"[global]\nindex-url = https://index.example/simple\nfind-links = {wheels}\n"
    )
    told = uv_environment(home)
    assert told["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert link_folders(told) == (wheels,)


def test_a_find_links_folder_that_is_not_there_is_skipped(home: dict[str, str]) -> None:
    told = uv_environment({**home, "PIP_FIND_LINKS": "/not/there https://index.example/wheels"})
    assert told["UV_FIND_LINKS"] == "https://index.example/wheels"
    assert link_folders(told) == ()


def test_a_variable_replaces_a_file_and_install_replaces_global(home: dict[str, str]) -> None:
    write_user_config(
        home,
        "[global]\nindex-url = https://a.example\nextra-index-url = https://b.example\n"
        "[install]\nextra_index_url = https://c.example\n",
    )
    told = uv_environment({**home, "PIP_INDEX_URL": "https://d.example"})
    assert told["UV_DEFAULT_INDEX"] == "https://d.example"
    assert told["UV_INDEX"] == "https://c.example"


def test_extra_indexes_are_searched_as_pip_does(home: dict[str, str]) -> None:
    told = uv_environment({**home, "PIP_EXTRA_INDEX_URL": "https://b.example https://c.example"})
    assert told["UV_INDEX"] == "https://b.example https://c.example"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_what_the_user_told_uv_wins(home: dict[str, str]) -> None:
    told = uv_environment(
        {**home, "PIP_INDEX_URL": "https://d.example", "UV_DEFAULT_INDEX": "https://mine.example"}
    )
    assert told["UV_DEFAULT_INDEX"] == "https://mine.example"


def test_a_broken_file_counts_as_empty(home: dict[str, str]) -> None:
    write_user_config(home, "no section here = 1\n")
    assert "UV_DEFAULT_INDEX" not in uv_environment(home)


def test_a_named_configuration_file_is_read(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine.conf").write_text("[global]\nindex-url = https://mine.example\n")
    told = uv_environment({**home, "PIP_CONFIG_FILE": str(tmp_path / "mine.conf")})
    assert told["UV_DEFAULT_INDEX"] == "https://mine.example"
