"""Channels: what a name stands for, and what is never written."""

from __future__ import annotations

import pytest

from envguard.model.channel import channel_name, channel_urls


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
