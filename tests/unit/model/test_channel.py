"""Channels: what a name stands for, and what is never written."""

from __future__ import annotations

import pytest

from envguard.model.channel import channel_mistake, channel_name, channel_urls, is_path


def test_a_channel_is_one_url_defaults_are_several_and_nodefaults_none():
    assert channel_urls("conda-forge", subdir="linux-64") == (
        "https://conda.anaconda.org/conda-forge",
    )
    assert len(channel_urls("defaults", subdir="linux-64")) == 2
    assert channel_urls("defaults", subdir="win-64")[-1].endswith("/msys2")
    assert channel_urls("nodefaults", subdir="linux-64") == ()
    assert channel_urls("https://u:p@index.example/ch/", subdir="linux-64") == (
        "https://u:p@index.example/ch",
    )


@pytest.mark.parametrize("name", ["conda-forge", "conda-forge/label/rc", "pkgs/main"])
def test_a_short_name_survives_the_way_through_its_url(name):
    assert channel_name(channel_urls(name, subdir="linux-64")[0]) == name


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("conda-forge", None),
        ("https://u:p@index.example:8080/ch", None),
        ("file:///srv/ch", None),
        ("ftp://index.example/ch", "no place of a channel"),
        ("https://[x/", "no URL"),
        ("https://:80/x", "names no host"),
        ("https://u:p/ss@index.example/ch", "%2F"),
    ],
)
def test_what_is_no_channel_is_told_without_its_password(channel: str, told: str | None) -> None:
    mistake = channel_mistake(channel)
    assert (mistake is None) is (told is None)
    assert (told or "") in (mistake or "")
    assert "ss" not in (mistake or "").replace("password", "")


@pytest.mark.parametrize("channel", ["./ch", "../ch", "~/ch", "/srv/ch", "C:/ch"])
def test_a_folder_is_a_channel(channel: str) -> None:
    assert is_path(channel)


@pytest.mark.parametrize("channel", ["conda-forge", "pkgs/main", "file:///srv/ch"])
def test_a_name_and_a_url_are_no_folders(channel: str) -> None:
    assert not is_path(channel)
