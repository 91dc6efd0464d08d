"""Channels: what a name stands for, and what is never written."""

from __future__ import annotations

import pytest

from envguard.model.channel import channel_name, channel_urls, redacted_line, without_credentials


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:secret@index.example/ch", "https://index.example/ch"),
        (
            "https://conda.anaconda.org/t/tk-123/private/linux-64",
            "https://conda.anaconda.org/private/linux-64",
        ),
        ("https://index.example/x.whl?token=abc#sha256=1", "https://index.example/x.whl#sha256=1"),
        ("conda-forge", "conda-forge"),
    ],
)
def test_credentials_are_taken_out_of_urls(url, clean):
    assert without_credentials(url) == clean


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("https://u:p@index.example/ch::numpy=1.26", "https://index.example/ch::numpy=1.26"),
        (
            "--extra-index-url https://u:p@index.example/simple",
            "--extra-index-url https://index.example/simple",
        ),
        ("x @ git+https://tok@index.example/r.git", "x @ git+https://index.example/r.git"),
        ("conda-forge::numpy >=1", "conda-forge::numpy >=1"),
    ],
)
def test_credentials_are_taken_out_of_lines(line, clean):
    assert redacted_line(line) == clean


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
