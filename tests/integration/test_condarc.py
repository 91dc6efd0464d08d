"""`envguard lock` with what is configured for conda, against real servers on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from envguard.cli.main import run
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.subdir import current_subdir
from tests.channel_server import PASSWORD, TOKEN, Behaviour, channel_server

SUBDIR = current_subdir()


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it left in writing."""

    code: int
    said: str
    lock: str


@dataclass(frozen=True)
class Desk:
    """A home of its own to run `envguard lock` in."""

    home: Path

    def lock(
        self,
        *arguments: str,
        condarc: str = "",
        asked: str = "dependencies: [only-linux]",
        **variables: str,
    ) -> Ended:
        (self.home / "environment.yml").write_text(asked + "\n")
        (self.home / "conda-lock.yml").unlink(missing_ok=True)
        return self._run(arguments, condarc, variables)

    def check_lock(self, *arguments: str, condarc: str = "", lock: str | None = None) -> Ended:
        """`lock --check` of the lock that is there, else of `lock`."""
        if lock is not None:
            (self.home / "conda-lock.yml").write_text(lock)
        return self._run(("--check", *arguments), condarc, {})

    def _run(self, arguments: Sequence[str], condarc: str, variables: Mapping[str, str]) -> Ended:
        (self.home / ".condarc").write_text(condarc)
        output = self.home / "conda-lock.yml"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CONDA", "MAMBA", "SSL_", "ENVGUARD_NO", "XDG", "BINSTAR"))
            and name not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "RATTLER_AUTH_FILE", "NETRC")
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "envguard", "lock", "--for", "cpu"),
                *("--platform", "linux-64", *arguments),
            ],
            cwd=self.home,
            env={
                **inherited,
                "HOME": str(self.home),
                "ENVGUARD_CACHE_DIR": str(self.home / "cache"),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        text = output.read_text() if output.exists() else ""
        return Ended(done.returncode, done.stdout + done.stderr, text)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def url_in(ended: Ended) -> str:
    [package] = yaml.safe_load(ended.lock)["package"]
    return str(package["url"])


FILE = "/linux-64/only-linux-1.0-h0_0.conda"


@pytest.mark.parametrize(
    ("condarc", "named", "place"),
    [
        pytest.param("channel_alias: URL", "conda-forge", "/conda-forge", id="channel_alias"),
        pytest.param("custom_channels: {team: URL}", "team", "/team", id="custom_channels"),
        pytest.param("custom_multichannels: {all: [URL/team]}", "all", "/team", id="several"),
        pytest.param("default_channels: [URL/main]", "defaults", "/main", id="default_channels"),
        pytest.param("channels: [URL/team]", None, "/team", id="channels"),
    ],
)
def test_names_of_channels_are_read_where_the_condarc_says(
    condarc, named, place, channel_tree, desk
):
    channels = "" if named is None else f"channels: [{named}]\n"
    with channel_server(channel_tree) as url:
        ended = desk.lock(
            condarc=condarc.replace("URL", url), asked=f"{channels}dependencies: [only-linux]"
        )
    assert ended.code == 0, ended.said
    assert url_in(ended) == url + place + FILE
    assert desk.check_lock("--no-condarc").said.count("EG652") == 0
    moved = ended.lock.replace(f"url: {url}{place}{FILE}", f"url: https://elsewhere.example{FILE}")
    assert "no channel of the lock" in desk.check_lock("--no-condarc", lock=moved).said


def test_a_check_elsewhere_knows_what_the_channel_alias_called_conda_forge(channel_tree, desk):
    """Rules ask for channels by name, and the .condarc is not where the lock is read."""
    with channel_server(channel_tree) as url:
        ended = desk.lock(
            condarc=f"channel_alias: {url}",
            asked="channels: [conda-forge]\ndependencies: ['conda-forge::only-linux']",
        )
    assert ended.code == 0, ended.said
    lockfile = parse_conda_lock(ended.lock, "conda-lock.yml")
    assert [record.channel for record in lockfile.records_for("linux-64")] == ["conda-forge"]
    assert desk.check_lock("--no-condarc").code == 0


def test_a_line_of_several_channels_in_one_name_holds(channel_tree, desk):
    with channel_server(channel_tree) as url:
        condarc = f"custom_multichannels: {{all: [{url}/team]}}"
        ended = desk.lock(
            condarc=condarc, asked="channels: [all]\ndependencies: ['all::only-linux']"
        )
        assert ended.code == 0, ended.said
        assert desk.check_lock(condarc=condarc).code == 0


@pytest.fixture(scope="session")
def channel_tree(channel, tmp_path_factory):
    """The channel under several names."""
    folder = tmp_path_factory.mktemp("channels")
    for name in ("conda-forge", "team", "main"):
        shutil.copytree(channel, folder / name)
    return folder


def test_verbose_says_which_file_said_what_and_only_then(channel_tree, desk):
    with channel_server(channel_tree) as url:
        condarc = f"custom_channels:\n  team: {url}\nchannels: [team]\n"
        quiet = desk.lock(condarc=condarc)
        verbose = desk.lock("-v", condarc=condarc)
        nothing = desk.lock("-v", "--no-condarc", "-c", f"{url}/team", condarc=condarc)
    assert f"condarc   custom_channels: team={url}   ({desk.home}/.condarc:2)" in verbose.said
    assert "condarc   " not in quiet.said
    assert "channels of the configuration of conda, for the file names none: team" in quiet.said
    assert "condarc   nothing taken" in nothing.said


def test_channels_of_the_condarc_come_behind_those_of_the_file_unless_it_says_nodefaults(
    channel_tree, desk
):
    with channel_server(channel_tree) as url:
        condarc = f"channels: [{url}/main]\n"
        behind = desk.lock(
            condarc=condarc, asked=f"channels: [{url}/team]\ndependencies: [only-linux]"
        )
        alone = desk.lock(
            condarc=condarc, asked=f"channels: [{url}/team, nodefaults]\ndependencies: [only-linux]"
        )
    channels = [c["url"] for c in yaml.safe_load(behind.lock)["metadata"]["channels"]]
    assert channels == [f"{url}/team", f"{url}/main"]
    assert "behind those of the file" in behind.said
    assert [c["url"] for c in yaml.safe_load(alone.lock)["metadata"]["channels"]] == [f"{url}/team"]


@pytest.mark.parametrize(
    ("condarc", "line"),
    [
        pytest.param("\nallowlist_channels: [conda-forge]", 2, id="not on the allowlist"),
        pytest.param("denylist_channels:\n  - URL/team", 2, id="on the denylist"),
    ],
)
def test_a_channel_that_is_not_allowed_is_refused_before_anything_is_asked(
    condarc, line, channel_tree, desk
):
    seen = Behaviour()
    with channel_server(channel_tree, seen) as url:
        ended = desk.lock("-c", f"{url}/team", condarc=condarc.replace("URL", url))
    assert ended.code == 2
    assert f"{desk.home}/.condarc:{line}: " in ended.said
    assert f"{url}/team" in ended.said
    assert seen.asked == []
    assert ended.lock == ""


def test_a_package_that_lies_elsewhere_than_allowed_is_not_locked(channel, tmp_path, desk):
    folder = tmp_path / "led-away"
    shutil.copytree(channel, folder / "team")
    index = folder / "team" / "linux-64" / "repodata.json"
    repodata = json.loads(index.read_text())
    repodata["info"]["base_url"] = "https://elsewhere.example/linux-64/"
    index.write_text(json.dumps(repodata))
    with channel_server(folder) as url:
        ended = desk.lock("-c", f"{url}/team", condarc=f"allowlist_channels: [{url}/team]")
    assert ended.code == 1
    assert "elsewhere.example is not among" in ended.said
    assert ended.lock == ""


@pytest.mark.parametrize(
    ("priority", "version"),
    [
        pytest.param("strict", "1.0", id="strict: the first channel that has it"),
        pytest.param("flexible", "1.0", id="flexible: preferred"),
        pytest.param("disabled", "2.0", id="disabled: the newest"),
    ],
)
def test_channel_priority(priority, version, channel, tmp_path, desk):
    newer = tmp_path / "channels" / "newer"
    shutil.copytree(channel, newer)
    index = newer / "linux-64" / "repodata.json"
    index.write_text(index.read_text().replace("only-linux-1.0", "only-linux-2.0"))
    repodata = json.loads(index.read_text())
    repodata["packages.conda"]["only-linux-2.0-h0_0.conda"]["version"] = "2.0"
    index.write_text(json.dumps(repodata))
    with channel_server(channel) as first, channel_server(newer) as second:
        ended = desk.lock(condarc=f"channels: [{first}, {second}]\nchannel_priority: {priority}")
    [package] = yaml.safe_load(ended.lock)["package"]
    assert package["version"] == version


def test_pip_is_added_to_python_unless_told_otherwise(channel_tree, desk):
    with channel_server(channel_tree) as url:
        arguments = {"asked": "dependencies: [python]"}
        plain = desk.lock(condarc=f"channels: [{url}/team]", **arguments)
        without = desk.lock(
            condarc=f"channels: [{url}/team]\nadd_pip_as_python_dependency: false", **arguments
        )
    assert "name: pip\n" in plain.lock
    assert "name: pip\n" not in without.lock


def test_a_proxy_is_asked_and_the_lock_keeps_the_channels_url(channel_tree, desk):
    seen = Behaviour()
    with channel_server(channel_tree, seen) as proxy:
        ended = desk.lock(
            condarc=f"proxy_servers: {{http: '{proxy}'}}\nchannels: ['http://conda.example/team']"
        )
    assert ended.code == 0, ended.said
    assert url_in(ended) == f"http://conda.example/team{FILE}"
    assert any(path.startswith("/team/") for path in seen.asked)


def test_mirrored_channels_are_tried_in_order_and_the_canonical_urls_kept(channel_tree, desk):
    with channel_server(channel_tree) as url:
        ended = desk.lock(
            condarc="channels: [conda-forge]\nmirrored_channels:\n  conda-forge:\n"
            f"    - http://127.0.0.1:9/conda-forge\n    - {url}/conda-forge\n"
        )
    assert ended.code == 0, ended.said
    assert url_in(ended) == f"https://conda.anaconda.org/conda-forge{FILE}"


@pytest.mark.parametrize(
    ("condarc", "code"),
    [
        pytest.param("", 4, id="not trusted"),
        pytest.param("ssl_verify: CA", 0, id="a bundle"),
        pytest.param("ssl_verify: false", 0, id="not checked"),
        pytest.param("ssl_verify: truststore", 4, id="the system's do not have it"),
    ],
)
def test_certificates_of_the_site(condarc, code, channel_tree, desk, certificates):
    authority, server = certificates
    with channel_server(channel_tree, tls=server) as url:
        ended = desk.lock("-c", f"{url}/team", condarc=condarc.replace("CA", str(authority)))
    assert ended.code == code, ended.said
    if code:
        assert "is not trusted" in ended.said
        assert "ssl_verify" in ended.said
    assert ("certificates are not checked" in ended.said) is (condarc == "ssl_verify: false")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority's certificate, and a server's key with the certificate it signed."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def make_certificates(folder: Path) -> tuple[Path, Path]:
    import datetime
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a site's own")])
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    made = []
    for is_authority, key in zip((True, False), keys, strict=True):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name if is_authority else x509.Name([]))
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=True,
            )
        )
        made.append(builder.sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    authority, server = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(made[0].public_bytes(pem))
    private = keys[1].private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server.write_bytes(private + made[1].public_bytes(pem))
    return authority, server


def _with_netrc(desk: Desk, url: str) -> dict[str, str]:
    path = desk.home / ".netrc"
    path.write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    path.chmod(0o600)
    return {"condarc": f"channels: [{url}/team]"}


def _with_auth_file(desk: Desk, url: str) -> dict[str, str]:
    path = desk.home / "auth.json"
    path.write_text(
        json.dumps({"127.0.0.1": {"BasicHTTP": {"username": "me", "password": PASSWORD}}})
    )
    return {"condarc": f"channels: [{url}/team]", "RATTLER_AUTH_FILE": str(path)}


def _in_the_url(_: Desk, url: str) -> dict[str, str]:
    return {"condarc": f"channels: ['{url.replace('://', f'://me:{PASSWORD}@')}/team']"}


def _in_the_alias(_: Desk, url: str) -> dict[str, str]:
    return {
        "condarc": f"channel_alias: {url.replace('://', '://me:$PW@')}\nchannels: [team]",
        "PW": PASSWORD,
    }


@pytest.mark.parametrize("given", [_with_netrc, _with_auth_file, _in_the_url, _in_the_alias])
def test_a_password_is_used_and_stands_nowhere_afterwards(given, channel_tree, desk):
    with channel_server(channel_tree, Behaviour(basic=f"me:{PASSWORD}")) as url:
        ended = desk.lock("-v", **given(desk, url))
    assert ended.code == 0, ended.said
    assert url_in(ended) == f"{url}/team{FILE}"
    assert PASSWORD not in ended.said + ended.lock


def _token_in_the_url(_: Desk, url: str) -> dict[str, str]:
    return {"condarc": f"channels: ['{url}/t/{TOKEN}/team']"}


def _token_of_a_custom_channel(_: Desk, url: str) -> dict[str, str]:
    return {"condarc": f"custom_channels: {{team: '{url}/t/{TOKEN}'}}\nchannels: [team]"}


def _token_of_anaconda_login(desk: Desk, url: str) -> dict[str, str]:
    folder = desk.home / "binstar" / "data"
    folder.mkdir(parents=True)
    (folder / (url.replace(":", "%3A").replace("/", "%2F") + ".token")).write_text(TOKEN)
    return {"condarc": f"channels: ['{url}/team']", "BINSTAR_CONFIG_DIR": str(folder.parent)}


@pytest.mark.parametrize(
    "given", [_token_in_the_url, _token_of_a_custom_channel, _token_of_anaconda_login]
)
def test_a_token_is_used_and_stands_nowhere_afterwards(given, channel_tree, desk):
    with channel_server(channel_tree, Behaviour(token=TOKEN)) as url:
        ended = desk.lock("-v", **given(desk, url))
        failed = desk.lock(
            **{**given_again(desk, url, given), "asked": "dependencies: [absent-package]"}
        )
    assert ended.code == 0, ended.said
    assert url_in(ended) == f"{url}/team{FILE}"
    assert failed.code == 1
    assert TOKEN not in ended.said + ended.lock + failed.said


def given_again(desk, url, given):
    shutil.rmtree(desk.home / "binstar", ignore_errors=True)
    return given(desk, url)


@pytest.mark.parametrize(
    ("wants", "written", "status"),
    [
        pytest.param(Behaviour(basic=f"me:{PASSWORD}"), "me:wr0ng-s3cret@", "401", id="password"),
        pytest.param(Behaviour(basic=f"me:{PASSWORD}"), "", "401", id="none where one is wanted"),
        pytest.param(Behaviour(token=TOKEN), "t/wr0ng-s3cret", "403", id="token"),
    ],
)
def test_a_wrong_credential_names_the_channel_and_how_to_log_in(
    wants, written, status, channel_tree, desk
):
    with channel_server(channel_tree, wants) as url:
        told = (
            f"{url}/{written}/team"
            if written.startswith("t/")
            else url.replace("://", f"://{written}") + "/team"
        )
        ended = desk.lock("-c", told)
    assert ended.code == 4
    error = next(line for line in ended.said.splitlines() if line.startswith("error: "))
    assert f"the channel {url}/team refused" in error
    assert status in error
    assert "machine 127.0.0.1 login NAME password PASSWORD" in ended.said
    assert "s3cret" not in ended.said


def test_a_file_of_credentials_that_is_broken_is_told(channel_tree, desk):
    (desk.home / "auth.json").write_text('{"127.0.0.1": {"BearerToken": "s3cret')
    with channel_server(channel_tree) as url:
        ended = desk.lock("-c", f"{url}/team", RATTLER_AUTH_FILE=str(desk.home / "auth.json"))
    assert ended.code == 2
    assert "auth.json cannot be read" in ended.said
    assert "s3cret" not in ended.said


@pytest.mark.parametrize(
    "falters",
    [
        pytest.param(Behaviour(fails_first=1), id="503"),
        pytest.param(Behaviour(resets_first=1), id="connection reset"),
    ],
)
def test_what_fails_once_is_asked_again(falters, channel_tree, desk):
    with channel_server(channel_tree, falters) as url:
        ended = desk.lock("-c", f"{url}/team")
    assert ended.code == 0, ended.said


def test_an_index_cut_short_is_one_sentence_and_the_next_run_works(channel_tree, desk):
    cut = Behaviour(keeps=500)
    with channel_server(channel_tree, cut) as url:
        first = desk.lock("-c", f"{url}/team")
        cut.keeps = None
        second = desk.lock("-c", f"{url}/team")
    assert first.code == 4
    assert "cut short" in first.said
    assert first.lock == ""
    assert second.code == 0, second.said


def test_a_channel_without_a_noarch_folder_is_one_sentence(channel, tmp_path, desk):
    folder = tmp_path / "without"
    shutil.copytree(channel, folder / "team")
    shutil.rmtree(folder / "team" / "noarch")
    with channel_server(folder) as url:
        ended = desk.lock("-c", f"{url}/team")
    assert ended.code == 4
    assert f"{url}/team/ has no noarch folder" in ended.said


def test_a_channel_that_is_not_there_is_not_called_one_without_a_noarch_folder(channel_tree, desk):
    with channel_server(channel_tree) as url:
        ended = desk.lock("-c", f"{url}/teem")
    assert ended.code == 4
    assert f"there is no channel {url}/teem at {url}/teem/" in ended.said
    assert "spelling" in ended.said
    assert "conda index" not in ended.said


@pytest.mark.parametrize("where", ["{0}/team", "file://{0}/team"])
def test_a_folder_is_a_channel_as_with_conda(channel_tree, desk, where):
    ended = desk.lock("-c", where.format(channel_tree))
    assert ended.code == 0, ended.said
    assert f"file://{channel_tree}/team/" in ended.lock


@pytest.mark.parametrize("url", ["ftp://index.example/ch", "https://u:hunter2@[x/"])
def test_what_is_no_channel_is_the_users_mistake(url, desk):
    by_option = desk.lock("-c", url)
    by_file = desk.lock(asked=f"channels: ['{url}']\ndependencies: [numpy]")
    assert (by_option.code, by_file.code) == (2, 2)
    assert "hunter2" not in by_option.said + by_file.said


@pytest.mark.parametrize("key", ["channels", "default_channels", "denylist_channels"])
def test_what_is_no_channel_in_the_condarc_is_told_with_its_line(key, desk):
    ended = desk.lock(condarc=f"{key}: ['https://u:hunter2@[x/']")
    assert ended.code == 2
    assert f".condarc:1: {key}: 'https://[x/' is no URL" in ended.said
    assert "hunter2" not in ended.said


def test_a_proxy_that_does_not_answer_is_named_without_its_password(desk):
    ended = desk.lock(
        condarc="proxy_servers: {http: 'http://u:hunter2@127.0.0.1:9'}\n"
        "channels: ['http://conda.example/team']"
    )
    assert ended.code == 4
    assert "through the proxy http://127.0.0.1:9: " in ended.said
    assert "hunter2" not in ended.said


def test_a_misspelt_channel_is_told_the_name_that_was_meant(channel_tree, desk):
    with channel_server(channel_tree) as url:
        ended = desk.lock("-c", "conda-forg", "--mirror", f"conda-forg={url}/nowhere")
    assert ended.code == 4
    assert "there is no channel conda-forg at https://conda.anaconda.org/conda-forg/" in ended.said
    assert "did you mean conda-forge?" in ended.said


def test_offline_of_the_condarc_asks_nobody_and_says_what_is_missing(channel_tree, desk):
    seen = Behaviour()
    with channel_server(channel_tree, seen) as url:
        cold = desk.lock("-c", f"{url}/team", condarc="offline: true")
        asked = list(seen.asked)
        warm = desk.lock("-c", f"{url}/team")
        again = desk.lock("-c", f"{url}/team", condarc="offline: true")
    assert asked == []
    assert cold.code == 4
    assert (
        f"not in the cache, and --offline is on: no usable repodata cache for {url}/team"
        in cold.said
    )
    assert (warm.code, again.code) == (0, 0)


def test_anacondas_channels_are_not_read_without_a_line_before(channel_tree, desk):
    with channel_server(channel_tree) as proxy:
        ended = desk.lock(
            *("--mirror", f"defaults={proxy}/main"),
            asked="channels: [defaults]\ndependencies: [only-linux]",
        )
    lines = ended.said.splitlines()
    note = next(n for n, line in enumerate(lines) if line.startswith("note: repo.anaconda.com"))
    solving = next(n for n, line in enumerate(lines) if "solving" in line)
    assert ended.code == 0, ended.said
    # stdout stands before stderr here: both lines are of stderr
    assert note < solving
    assert "EG620" in lines[note]


def test_no_control_characters_where_nobody_watches(channel_tree, desk):
    with channel_server(channel_tree) as url:
        ended = desk.lock("-c", f"{url}/team")
    assert ended.code == 0, ended.said
    assert "... solving" in ended.said
    assert not [c for c in ended.said if ord(c) < 32 and c != "\n"]


@pytest.mark.parametrize("verb", [["verify"], ["pack", "-o", "all.pack", "--platform", SUBDIR]])
def test_a_lock_of_somebody_else_brings_nothing_from_a_denied_channel(
    verb, channel_tree, desk, capsys, monkeypatch
):
    """The server is asked for nothing but what the lock was made of."""
    monkeypatch.chdir(desk.home)
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(desk.home / "cache"))
    with channel_server(channel_tree) as url:
        asked = f"channels: ['{url}/team']\nplatforms: [{SUBDIR}]\ndependencies: [only-linux]\n"
        (desk.home / "environment.yml").write_text(asked)
        assert run(["lock", "--for", "cpu", "--no-condarc"]) == 0
        (desk.home / "condarc").write_text(f"denylist_channels: ['{url}/team']")
        capsys.readouterr()

        assert run([verb[0], "conda-lock.yml", *verb[1:], "--condarc", "condarc"]) == 1

    said = capsys.readouterr().err
    assert "denylist_channels" in said
    assert ("nothing was installed" if verb[0] == "verify" else "nothing was written") in said
    assert not (desk.home / "all.pack").exists()
