"""condarc files are read and put together as conda does it: conda itself says what is right."""

from __future__ import annotations

import pytest
from conda_lock._vendor.conda.base.context import reset_context
from conda_lock._vendor.conda.models.channel import Channel

from envguard.errors import InputError
from envguard.formats.conda_config import conda_config
from envguard.formats.condarc import environment_settings, parse_condarc
from envguard.model.conda_config import ChannelPriority, CondaConfig
from envguard.model.condarc import Flag
from envguard.model.secrets import without_credentials


def config_of(*texts: str, variables: dict[str, str] | None = None) -> CondaConfig:
    files = [parse_condarc(text, f"{number}/.condarc") for number, text in enumerate(texts)]
    return conda_config([*files, environment_settings(variables or {})], variables or {})


MERGES = [
    pytest.param(("channels: [a, b]", "channels: [c]"), {}, id="later files first"),
    pytest.param(("channels: [a, b]", "channels: [b, c]"), {}, id="each channel once"),
    pytest.param(
        ("channels: #!final\n  - a", "channels: [b]"), {}, id="a final list ends the merge"
    ),
    pytest.param(
        ("channels:\n  - a #!top\n  - b", "channels:\n  - c\n  - d #!bottom"), {}, id="top, bottom"
    ),
    pytest.param(
        ("channels:\n  - a #!top\n  - b #!bottom", "channels:\n  - c #!top\n  - d #!bottom"),
        {},
        id="two tops and two bottoms",
    ),
    pytest.param(("channels:\n  - a #!bottom", "channels:\n  - a\n  - b"), {}, id="bottom wins"),
    pytest.param(("channels: [a]",), {"CONDA_CHANNELS": "x, y"}, id="a variable, with commas"),
    pytest.param(
        ("channels: #!final\n  - a",), {"CONDA_CHANNELS": "x"}, id="a variable after a final"
    ),
    pytest.param(("channels: ['$TEAM/ch']",), {"TEAM": "ours"}, id="a variable within"),
    pytest.param(("channel_priority: strict", "channel_priority: flexible"), {}, id="the last"),
    pytest.param(
        ("channel_priority: strict #!final", "channel_priority: flexible"), {}, id="the final one"
    ),
    pytest.param(("channel_priority: false",), {}, id="false is disabled"),
    pytest.param(("whitelist_channels: [a]",), {}, id="an old name"),
    pytest.param(
        ("custom_channels: {a: https://one.example}", "custom_channels: {a: https://two.example}"),
        {},
        id="the last of a mapping",
    ),
    pytest.param(
        (
            "custom_channels:\n  a: https://one.example #!final",
            "custom_channels: {a: https://two.example, b: https://two.example}",
        ),
        {},
        id="a final value of a mapping",
    ),
    pytest.param(("channels:\n",), {}, id="a key without a value"),
]


@pytest.mark.parametrize(("texts", "variables"), MERGES)
def test_files_are_put_together_as_conda_does(texts, variables, tmp_path, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / str(number) / ".condarc"
        path.parent.mkdir()
        path.write_text(text)
        paths.append(str(path))
    conda = reset_context(paths) or _context()

    ours = config_of(*texts, variables=variables)

    assert (ours.channels or ("defaults",)) == conda.channels
    if any("priority" in text for text in texts):
        assert ours.priority.value == str(conda.channel_priority)
    assert [c.written for c in ours.policy.allowed or ()] == list(conda.allowlist_channels)
    for name in ("a", "b"):
        assert _urls(ours, name) == _conda_urls(name)


NAMES = [
    "conda-forge",
    "conda-forge/label/rc",
    "defaults",
    "pkgs/main",
    "team",
    "team/label/dev",
    "several",
    "https://index.example/x",
    "https://alias.example/conda/y",
]
RESOLVED = [
    pytest.param("", id="nothing configured"),
    pytest.param("channel_alias: https://alias.example/conda", id="an alias"),
    pytest.param("channel_alias: https://u:p@alias.example/t/tk-1/conda/", id="with a token"),
    pytest.param("default_channels: [https://mirror.example/pkgs/main]", id="default_channels"),
    pytest.param(
        "channel_alias: https://alias.example/conda\ndefault_channels: [main, r]", id="by name"
    ),
    pytest.param("custom_channels: {team: https://team.example/repo}", id="a custom channel"),
    pytest.param("custom_channels: {pkgs/main: https://nexus.example}", id="for pkgs/main"),
    pytest.param(
        "custom_multichannels: {several: [conda-forge, https://team.example/x]}", id="several"
    ),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", RESOLVED)
def test_names_of_channels_stand_for_what_conda_takes_them_for(text, name, tmp_path):
    path = tmp_path / ".condarc"
    path.write_text(text)
    reset_context([str(path)])
    assert _urls(config_of(text), name) == _conda_urls(name)


def _context():
    from conda_lock._vendor.conda.base.context import context

    return context


def _urls(config: CondaConfig, name: str) -> list[str]:
    return [without_credentials(url) for url in config.names.urls(name, subdir="linux-64")]


def _conda_urls(name: str) -> list[str]:
    Channel._reset_state()
    return list(Channel(name).base_urls)


def test_a_value_knows_its_line():
    condarc = parse_condarc("# ours\nchannels:\n  - a\n  - b  #!top\n", "x/.condarc")
    items = condarc.settings["channels"].items
    assert [item.place for item in items] == ["x/.condarc:3", "x/.condarc:4"]
    assert [item.flag for item in items] == [None, Flag.TOP]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("channels: conda-forge", ".condarc:1: channels: a list", id="a text"),
        pytest.param("\nproxy_servers: [a]", ".condarc:2: proxy_servers: a mapping", id="a list"),
        pytest.param("channels:\n- {a: b}", ".condarc:2: channels: a single", id="a mapping"),
        pytest.param("channels: [a]\nchannels: [b]", "is there twice", id="twice"),
        pytest.param("- a", "`key: value` lines", id="no mapping at all"),
        pytest.param("ssl_verify: true\noffline: maybe", ":2: offline: 'maybe'", id="no boolean"),
        pytest.param("channel_priority: strictest", "none of strict", id="no priority"),
        pytest.param("channels:\n- a\n - b", "a space in it", id="an item indented too far"),
        pytest.param("channel_alias: conda.example", "https:// is expected", id="no URL"),
    ],
)
def test_mistakes_are_told_with_their_line(text, expected):
    with pytest.raises(InputError) as caught:
        config_of(text)
    assert expected in "\n".join(caught.value.problems)
    assert "--no-condarc" in caught.value.hint


def test_nothing_that_is_shown_holds_a_secret():
    config = config_of(
        "channel_alias: https://me:s3cret@alias.example/t/tk-s3cret/conda\n"
        "channels: ['https://me:s3cret@a.example/x']\n"
        "custom_channels: {team: 'https://b.example/t/tk-s3cret'}\n"
        "proxy_servers: {https: 'http://me:s3cret@proxy.example:8080', all: 'http://me:s3cret@p'}\n"
        "mirrored_channels: {conda-forge: ['https://me:s3cret@m.example/cf']}\n"
        "allowlist_channels: ['https://me:s3cret@a.example/x']\n"
    )
    assert config.network.proxies == {"https": "http://me:s3cret@proxy.example:8080"}
    shown = "\n".join((repr(config), *config.taken, *config.notes))
    refusal = config.policy.refusal("https://me:s3cret@c.example/x")
    assert refusal is not None
    assert "s3cret" not in shown + refusal


def test_credentials_are_given_back_to_urls_of_their_channel_alone():
    network = config_of("channels: ['https://me:pw@a.example/x']").network
    assert network.with_credentials("https://a.example/x/noarch/p.conda") == (
        "https://me:pw@a.example/x/noarch/p.conda"
    )
    assert (
        network.with_credentials("https://a.example/xy/p.conda") == "https://a.example/xy/p.conda"
    )
    assert (
        network.with_credentials("https://you:pw@a.example/x/p") == "https://you:pw@a.example/x/p"
    )


def test_what_is_not_obeyed_and_would_matter_is_noted():
    config = config_of("changeps1: false\npinned_packages: [numpy 1.26]\nauto_activate: true\n")
    assert len(config.notes) == 1
    assert config.notes[0].startswith("0/.condarc:2: pinned_packages")


@pytest.mark.parametrize(
    "key", ["remote_connect_timeout_secs", "remote_read_timeout_secs", "remote_max_retries"]
)
def test_patience_that_is_not_obeyed_is_noted_from_file_and_variable(key):
    [note] = config_of(f"{key}: 600\n").notes
    assert note.startswith(f"0/.condarc:1: {key}: ")
    [note] = config_of("", variables={f"CONDA_{key.upper()}": "600"}).notes
    assert note.startswith(f"$CONDA_{key.upper()}: {key}: ")


def test_nobody_saying_is_strict_and_adds_pip():
    config = config_of("")
    assert config.priority is ChannelPriority.STRICT
    assert config.adds_pip
    assert not config.offline
    assert config.network.verify


@pytest.mark.parametrize(
    ("text", "channel", "allowed"),
    [
        pytest.param("allowlist_channels: [a]", "a", True, id="listed"),
        pytest.param("allowlist_channels: [a]", "a/label/x", False, id="a label of it"),
        pytest.param("allowlist_channels: [a]", "b", False, id="another"),
        pytest.param("allowlist_channels: [defaults]", "pkgs/r", True, id="one of several"),
        pytest.param("allowlist_channels: []", "b", True, id="an empty list"),
        pytest.param("denylist_channels: [a]", "a", False, id="denied"),
        pytest.param("denylist_channels: [a]", "b", True, id="not denied"),
        pytest.param(
            "allowlist_channels: [a]\ndenylist_channels: [a]", "a", False, id="allowed and denied"
        ),
    ],
)
def test_lists_of_channels_allow_and_deny(text, channel, allowed):
    config = config_of(text)
    [url] = config.names.urls(channel, subdir="linux-64")
    refusal = config.policy.refusal(url)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.startswith("0/.condarc:")
