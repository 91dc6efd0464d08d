"""Which files of conda and mamba are found, in which order, and what the machine adds to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conda_lock._vendor.conda.base.constants import SEARCH_PATH

from envguard.adapters import conda_config
from envguard.adapters.conda_config import load, package_caches, search_path
from envguard.errors import InputError
from envguard.model.conda_config import CondaConfig


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def variables_of(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": "/nowhere", **more}


def test_the_order_is_condas_with_mambas_files_beside_it(home):
    variables = variables_of(
        home,
        CONDA_ROOT="/root-prefix",
        CONDA_PREFIX="/prefix",
        XDG_CONFIG_HOME="/xdg",
        CONDARC="/told/.condarc",
    )
    ours = [str(path) for path in search_path(variables) if path.name != ".mambarc"]
    condas = []
    for place in SEARCH_PATH:
        for name, value in variables.items():
            place = place.replace(f"${name}", value)
        condas.append(place.replace("~", str(home)).rstrip("/"))
    assert ours == condas


def test_windows_has_places_of_its_own(home, monkeypatch):
    monkeypatch.setattr(conda_config, "_ON_WINDOWS", True)
    variables = {"USERPROFILE": str(home), "HOME": "/of/git/bash", "PATH": "/nowhere"}

    told = [path.as_posix() for path in search_path(variables)]

    machine = "C:/ProgramData/conda"
    assert told[:4] == [
        *(f"{machine}/.condarc", f"{machine}/condarc", f"{machine}/condarc.d"),
        f"{machine}/.mambarc",
    ]
    assert f"{home.as_posix()}/.condarc" in told
    assert not any(path.startswith(("/etc", "/var", "/of")) for path in told)


def test_each_place_counts_more_than_the_one_before(home, tmp_path):
    root, prefix = tmp_path / "conda", tmp_path / "prefix"
    write(root / ".condarc", "channels: [root]")
    write(root / "condarc.d" / "b.yml", "channels: [root-d]")
    write(root / "condarc.d" / "notes.txt", "channels: [text]")
    write(home / ".condarc", "channels: [user]")
    write(home / ".mambarc", "channels: [mamba]")
    write(prefix / ".condarc", "channels: [prefix]")
    told = write(tmp_path / "told.yml", "channels: [told]")
    config = load(
        variables_of(
            home,
            CONDA_EXE=str(root / "bin" / "conda"),
            CONDA_PREFIX=str(prefix),
            CONDARC=str(told),
            CONDA_CHANNELS="variable",
        )
    )
    assert config.channels == ("variable", "told", "prefix", "mamba", "user", "root-d", "root")
    assert len(config.places) == 7


def test_a_file_in_two_places_is_read_once_where_it_counts_most(home, tmp_path):
    write(home / ".condarc", "channels: [user]")
    write(tmp_path / "prefix" / ".condarc", "channels: [prefix]")
    config = load(
        variables_of(home, CONDA_PREFIX=str(tmp_path / "prefix"), CONDARC=str(home / ".condarc"))
    )
    assert config.channels == ("user", "prefix")


def test_only_the_file_that_is_named_and_nothing_at_all(home, tmp_path):
    write(home / ".condarc", "channels: [user]")
    named = write(tmp_path / "site", "channels: [named]")
    assert load(variables_of(home), condarc=named).channels == ("named",)
    assert load(variables_of(home, CONDA_CHANNELS="x"), none=True) == CondaConfig()
    assert load(variables_of(home, ENVGUARD_NO_CONDARC="1")) == CondaConfig()
    with pytest.raises(InputError, match="no such file"):
        load(variables_of(home), condarc=tmp_path / "missing")


def test_a_condarc_that_conda_would_not_read_is_told(home, tmp_path):
    named = write(tmp_path / "site.conf", "channels: [named]")
    [note] = load(variables_of(home, CONDARC=str(named))).notes
    assert "site.conf is not read" in note
    [note] = load(variables_of(home, CONDARC=str(tmp_path / "gone.yml"))).notes
    assert "does not exist" in note


def test_a_mistake_names_the_file_the_line_and_the_way_out(home):
    path = write(home / ".condarc", "channels: [a\noffline: true\n")
    with pytest.raises(InputError) as caught:
        load(variables_of(home))
    assert f"{path}:" in caught.value.message
    assert "--no-condarc" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "variables", "verify", "certificates"),
    [
        pytest.param("", {}, True, None, id="the system's"),
        pytest.param("ssl_verify: truststore", {}, True, None, id="truststore is the system's"),
        pytest.param("ssl_verify: ~/ca.pem", {}, True, "ca.pem", id="a file"),
        pytest.param("ssl_verify: false", {}, False, None, id="off"),
        pytest.param(
            "", {"REQUESTS_CA_BUNDLE": "~/ca.pem"}, True, "ca.pem", id="as requests has it"
        ),
        pytest.param(
            "",
            {"REQUESTS_CA_BUNDLE": "~/ca.pem", "SSL_CERT_FILE": "x"},
            True,
            None,
            id="rattler's own variable first",
        ),
    ],
)
def test_certificates(text, variables, verify, certificates, home):
    write(home / "ca.pem", "")
    write(home / ".condarc", text)
    network = load(variables_of(home, **variables)).network
    assert network.verify is verify
    assert network.certificates == (certificates and str(home / certificates))


def test_certificates_that_are_not_there_are_told(home):
    write(home / ".condarc", "ssl_verify: /nowhere/ca.pem")
    with pytest.raises(InputError, match=r"/nowhere/ca\.pem are not there"):
        load(variables_of(home))


@pytest.mark.parametrize("adds", [True, False])
def test_tokens_of_anaconda_login_are_for_the_host_of_the_packages(adds, home, tmp_path):
    write(home / ".condarc", f"add_anaconda_token: {adds}")
    folder = tmp_path / "binstar"
    write(folder / "data" / "https%3A%2F%2Fapi.anaconda.org.token", "tk-s3cret\n")
    config = load(variables_of(home, BINSTAR_CONFIG_DIR=str(folder)))
    url = config.network.with_credentials("https://conda.anaconda.org/private")
    assert ("/t/tk-s3cret/" in url) is adds
    assert "s3cret" not in repr(config)
    assert config.network.with_credentials("https://conda.example/x") == "https://conda.example/x"


@pytest.mark.parametrize(
    ("configured", "variables", "expected"),
    [
        pytest.param((), {}, ["home/.conda/pkgs", "home/.mamba/pkgs"], id="of the user"),
        pytest.param(
            (),
            {"CONDA_EXE": "{at}/base/bin/conda"},
            ["base/pkgs", "home/.conda/pkgs", "home/.mamba/pkgs"],
            id="of the installation first",
        ),
        pytest.param(("{at}/own",), {"CONDA_EXE": "{at}/base/bin/conda"}, ["own"], id="configured"),
        pytest.param(("{at}/none",), {}, [], id="not there"),
        pytest.param((), {"ENVGUARD_NO_CONDARC": "1"}, [], id="nothing of conda's"),
    ],
)
def test_the_package_caches_that_are_read(
    tmp_path: Path, configured: tuple[str, ...], variables: dict[str, str], expected: list[str]
) -> None:
    for name in ("home/.conda/pkgs", "home/.mamba/pkgs", "base/pkgs", "own"):
        (tmp_path / name).mkdir(parents=True)
    config = CondaConfig(pkgs_dirs=tuple(path.format(at=tmp_path) for path in configured))
    told = {name: value.format(at=tmp_path) for name, value in variables.items()}
    found = package_caches(config, variables={"HOME": str(tmp_path / "home"), **told})
    assert [path.relative_to(tmp_path).as_posix() for path in found] == expected
