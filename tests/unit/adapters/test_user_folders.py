"""Where indexes of channels are kept: a folder for one user alone."""

from __future__ import annotations

import os
import stat

import pytest

from envguard.adapters.user_folders import make_ours


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_for_us_alone(tmp_path):
    made = make_ours(tmp_path / "cache" / "repodata")
    assert (made, mode(made)) == (tmp_path / "cache" / "repodata", 0o700)


def test_one_that_others_could_read_is_closed(tmp_path):
    folder = tmp_path / "repodata"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "index.json").write_text("{}")
    assert make_ours(folder) == folder
    assert mode(folder) == 0o700
    assert (folder / "index.json").is_file()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a folder to somebody else")
def test_beside_one_of_somebody_else_there_is_ours(tmp_path):
    folder = tmp_path / "repodata"
    folder.mkdir(mode=0o755)
    os.chown(folder, 65534, 65534)
    for _ in range(2):
        made = make_ours(folder)
        assert (made.name, mode(made)) == ("repodata-0", 0o700)
    assert mode(folder) == 0o755


def test_what_is_no_folder_is_left_alone(tmp_path):
    file = tmp_path / "repodata"
    file.write_text("mine")
    made = make_ours(file)
    assert made.name == f"repodata-{os.getuid()}"
    assert file.read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path)
    assert make_ours(tmp_path / "link").name == f"link-{os.getuid()}"
