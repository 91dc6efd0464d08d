"""`envguard pack` and `verify FILE`: fetched over http, installed where there is no network."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from envguard.adapters.archives import ArchiveCache
from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.packs import open_pack
from envguard.adapters.prefixes.packed import PackedPrefixes
from envguard.api.packing import notes_on_pack
from envguard.api.ruling import rules_date
from envguard.commands.pack import rules_date_of
from envguard.errors import InputError, UnavailableError
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.contract import RecordedContract
from envguard.model.lockfile import Lockfile
from envguard.model.pack import files_of
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.packs import pack_of
from tests.prefix_server import serve
from tests.prefixes import lock_of, wheel_record
from tests.wheels import make_wheel

SUBDIR = current_subdir()
NOWHERE = "http://127.0.0.1:1"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_INDEXES = ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")
NO_NETWORK = {**dict.fromkeys((*_PROXIES, *_INDEXES), NOWHERE), "NO_PROXY": "", "no_proxy": ""}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def envguard(
    *arguments: str,
    folder: Path,
    before: Callable[[], None] | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envguard", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def at(channel: LocalChannel, url: str) -> list[PackageRecord]:
    """The channel's records as if it were at `url`."""
    return [
        replace(record, channel=url, url=f"{url}/{record.subdir}/{channel.path_of(record).name}")
        for record in channel.packages
    ]


def write_lock(folder: Path, records: Sequence[PackageRecord], **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    lock: Lockfile = replace(lock_of(records), **changes)  # type: ignore[arg-type]
    path = folder / "conda-lock.yml"
    path.write_text(dump_conda_lock(lock, created_by="test"))
    return path


def left_in(cache: Path) -> list[Path]:
    """What a run leaves that is no whole file of the cache."""
    return list((cache / "scratch").glob("*"))


def archives(cache: Path) -> list[str]:
    """The whole files of the cache; fails where one is not what its name says."""
    kept = sorted((cache / "archives").glob("*"))
    assert [hashlib.sha256(p.read_bytes()).hexdigest() for p in kept] == [p.name for p in kept]
    return [path.name for path in kept]


@pytest.fixture
def records(local_channel: LocalChannel, tmp_path: Path) -> list[PackageRecord]:
    """Those of the channel on a server that is gone, and a wheel beside the lock."""
    wheel = make_wheel(tmp_path / "wheels", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    return [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]


def test_fetched_over_http_and_installed_where_there_is_no_network(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    login, node = tmp_path / "login", tmp_path / "node"
    node.mkdir()
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    pip = wheel_record(wheel, name="pip-made", version="3.1")
    (tmp_path / "served").mkdir()
    shutil.copytree(local_channel.directory, tmp_path / "served" / "channel")
    shutil.copy(wheel, tmp_path / "served")
    with serve(tmp_path / "served") as url:
        here = at(local_channel, f"{url}/channel")
        write_lock(login, [*here, replace(pip, url=f"{url}/{wheel.name}")])
        done = envguard("pack", "-o", "train.pack", folder=login)
    wheel.unlink()
    assert done.returncode == 0, done.stderr
    total = sum(local_channel.path_of(r).stat().st_size for r in local_channel.packages)
    assert f"fetching 4 of 4 files, {total / 1e6:,.1f} MB" in done.stderr
    assert "3 conda packages, 1 wheel; 4 fetched" in done.stdout
    packed = (login / "train.pack").read_bytes()
    assert hashlib.sha256(packed).hexdigest() in done.stdout

    shutil.copy(login / "train.pack", node)
    own = {
        **NO_NETWORK,
        "ENVGUARD_CACHE_DIR": str(node / "cache"),
        "UV_CACHE_DIR": str(node / "uv"),
    }
    proven = envguard("verify", "train.pack", "--allow", "unknown", folder=node, **own)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "train.pack (4 packages)" in proven.stdout
    assert left_in(node / "cache") == []
    refused = envguard("verify", str(login / "conda-lock.yml"), folder=node, **own)
    assert refused.returncode == 4, "the same lock without its pack wants a network"


def test_python_of_a_packed_prefix_has_all_of_it(
    records: list[PackageRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(tmp_path / "a", records)
    assert envguard("pack", "-o", "../x.pack", folder=tmp_path / "a").returncode == 0
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
    prefixes = PackedPrefixes(tmp_path / "x.pack", root=tmp_path / "root")
    with open_pack(tmp_path / "x.pack") as pack:
        lock = pack.lockfile
    with prefixes.throwaway(lock, SUBDIR, keep=False, progress=SILENT) as prefix:
        code = "import tiny, pip_made; print(tiny.VALUE, pip_made.VALUE)"
        said = subprocess.check_output([prefix.python, "-I", "-c", code], text=True)
    assert said == "42 7\n"
    assert list((tmp_path / "root" / "scratch").iterdir()) == []


def test_the_second_run_fetches_nothing_and_gives_the_same_bytes(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path
) -> None:
    with serve(local_channel.directory) as url:
        write_lock(tmp_path / "a", at(local_channel, url))
        assert envguard("pack", "-o", "one.pack", folder=tmp_path / "a").returncode == 0
    assert len(archives(own_cache)) == 3
    again = envguard("pack", "-o", "two.pack", folder=tmp_path / "a", **NO_NETWORK)
    offline = envguard("pack", "-o", "three.pack", "--offline", folder=tmp_path / "a")
    assert again.returncode == offline.returncode == 0, again.stderr + offline.stderr
    assert "all 3 files are here" in again.stderr
    assert "nothing fetched" in again.stdout
    one, two, three = (
        (tmp_path / "a" / f"{name}.pack").read_bytes() for name in ("one", "two", "three")
    )
    assert one == two == three


def test_offline_names_what_is_missing(local_channel: LocalChannel, tmp_path: Path) -> None:
    write_lock(tmp_path / "a", at(local_channel, NOWHERE))
    done = envguard("pack", "-o", "x.pack", "--offline", folder=tmp_path / "a")
    assert done.returncode == 4
    assert "3 package files are not in the cache" in done.stderr
    assert "tiny 1.2" in done.stderr
    assert not (tmp_path / "a" / "x.pack").exists()


def test_a_damaged_file_of_the_cache_is_fetched_anew(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path
) -> None:
    with serve(local_channel.directory) as url:
        write_lock(tmp_path / "a", at(local_channel, url))
        envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
        kept = own_cache / "archives" / archives(own_cache)[0]
        kept.write_bytes(kept.read_bytes()[:-1] + b"x")
        done = envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert "fetching 1 of 3 files" in done.stderr
    assert len(archives(own_cache)) == 3


def test_a_mirror_is_asked_in_place_of_the_channel(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    forge = "https://conda.anaconda.org/local"
    write_lock(tmp_path / "a", at(local_channel, forge))
    with serve(local_channel.directory) as url:
        command = ("pack", "-o", "x.pack", "--mirror", f"{forge}={url}")
        done = envguard(*command, folder=tmp_path / "a")
    assert done.returncode == 0, done.stderr
    with open_pack(tmp_path / "a" / "x.pack") as pack:
        assert forge in pack.lock_text
        assert url not in pack.lock_text


def test_archives_of_condas_own_caches_are_taken_where_they_are_what_was_locked(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path
) -> None:
    pkgs = tmp_path / "pkgs"
    pkgs.mkdir()
    for record in local_channel.packages:
        shutil.copy(local_channel.path_of(record), pkgs)
    (tmp_path / "condarc").write_text(f"pkgs_dirs: [{pkgs}]\n")
    write_lock(tmp_path / "a", at(local_channel, NOWHERE))
    command = ("pack", "-o", "x.pack", "--condarc", "../condarc")
    done = envguard(*command, folder=tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert "all 3 files are here" in done.stderr
    assert archives(own_cache) == []
    next(pkgs.glob("tiny-*")).write_bytes(b"another file of that name")
    done = envguard(*command, folder=tmp_path / "a")
    assert done.returncode == 4
    assert "tiny 1.2" in done.stderr


def test_check_and_export_read_the_lock_in_it(records: list[PackageRecord], tmp_path: Path) -> None:
    write_lock(tmp_path / "a", records)
    assert envguard("pack", "-o", "x.pack", folder=tmp_path / "a").returncode == 0
    for verb in (("check", "--for", "cpu"), ("export", "--format", "explicit")):
        of_pack = envguard(verb[0], "x.pack", *verb[1:], folder=tmp_path / "a")
        of_lock = envguard(verb[0], "conda-lock.yml", *verb[1:], folder=tmp_path / "a")
        assert of_pack.returncode == of_lock.returncode == 0, of_pack.stderr
        lines = [text.splitlines()[1:-1] for text in (of_pack.stdout, of_lock.stdout)]
        assert lines[0] == lines[1]


def pip(url: str, name: str = "mine", sha256: str | None = None) -> PackageRecord:
    return PackageRecord(name, "1.0", Manager.PIP, url=url, sha256=sha256)


def test_what_would_be_built_there_is_refused_all_at_once(tmp_path: Path) -> None:
    others = [
        pip("git+https://index.example/x.git@0123456789abcdef0123456789abcdef01234567", "a"),
        pip((tmp_path / "src").as_uri(), "b"),
        pip("https://index.example/c-1.0.tar.gz", "c", "0" * 64),
    ]
    write_lock(tmp_path / "a", others)
    done = envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
    assert done.returncode == 2
    assert "3 pip package(s)" in done.stderr
    for line in (
        "a 1.0 is locked as a repository",
        "b 1.0 is locked as a folder",
        "c 1.0 is locked as a source archive",
        "hint: make wheels of them",
    ):
        assert line in done.stderr


def test_what_the_user_got_wrong_is_said(records: list[PackageRecord], tmp_path: Path) -> None:
    folder = tmp_path / "a"
    write_lock(folder, records, platforms=(SUBDIR, "osx-arm64"))
    (folder / "environment.yml").write_text("dependencies: [python]\n")
    (folder / "secret").mkdir()
    url = "https://me:hunter2@conda.example/t/tk-1/noarch/x-1-0.conda"
    secret = write_lock(folder / "secret", [replace(records[0], url=url)])
    secret.write_text(secret.read_text().replace("https://conda.example", url[:38]))
    for arguments, told in (
        (("-o", "x.pack"), "--platform"),
        (("-o", "x.pack", "--platform", "win-64"), "not for win-64"),
        (("-o", "x.pack", "--platform", "osx-arm64"), "no packages for osx-arm64"),
        (("-o", "conda-lock.yml"), "is the lock itself"),
        (("-o", "nowhere/x.pack"), "mkdir -p nowhere"),
        (("-o", "."), "is no file"),
        (("environment.yml", "-o", "x.pack"), "conda-lock"),
        (("nowhere.yml", "-o", "x.pack"), "nowhere.yml does not exist"),
        (("secret/conda-lock.yml", "-o", "x.pack"), "holds credentials"),
        ((), "--output"),
    ):
        done = envguard("pack", *arguments, folder=folder)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert told in done.stderr
        assert "hunter2" not in done.stderr
        assert "Traceback" not in done.stderr
    assert not (folder / "x.pack").exists()


def test_a_pack_for_another_platform_is_refused(
    records: list[PackageRecord], tmp_path: Path
) -> None:
    other = "win-64"
    lock = lock_of(records)
    packages = tuple(replace(p, platform=other) for p in lock.packages)
    write_lock(
        tmp_path / "a", records, platforms=(SUBDIR, other), packages=(*lock.packages, *packages)
    )
    done = envguard("pack", "-o", "x.pack", "--platform", other, folder=tmp_path / "a")
    assert done.returncode == 0, done.stderr
    done = envguard("verify", "x.pack", folder=tmp_path / "a")
    assert done.returncode == 2
    assert f"is packed for {other}, this machine is {SUBDIR}" in done.stderr


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        pytest.param({"sha256": "0" * 64}, 4, "tiny 1.2", id="another file than was locked"),
        pytest.param({"sha256": None, "md5": "0" * 32}, 4, "md5 expected 000", id="another md5"),
        pytest.param({"sha256": None}, 0, "", id="its md5 alone"),
        pytest.param({"sha256": None, "md5": None}, 4, "no sha256 nor md5", id="no hash"),
        pytest.param({"url": "{url}/noarch/gone-1.2-0.conda"}, 4, "HTTP 404", id="not there"),
        pytest.param({"url": f"{NOWHERE}/noarch/x-1.2-0.conda"}, 4, "ConnectionError", id="nobody"),
    ],
)
def test_what_comes_is_what_was_locked_or_nothing_is_written(
    local_channel: LocalChannel,
    tmp_path: Path,
    own_cache: Path,
    changes: dict[str, str | None],
    code: int,
    told: str,
) -> None:
    with serve(local_channel.directory) as url:
        changes = {k: v and v.replace("{url}", url) for k, v in changes.items()}
        there = [
            replace(r, **changes) if r.name == "tiny" else r  # type: ignore[arg-type]
            for r in at(local_channel, url)
        ]
        write_lock(tmp_path / "a", there)
        done = envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert (tmp_path / "a" / "x.pack").exists() == (code == 0)
    assert left_in(own_cache) == []
    archives(own_cache)


def test_a_url_that_is_none_is_said(records: list[PackageRecord], tmp_path: Path) -> None:
    for number in (0, -1):
        url = records[number].url or ""
        lock = write_lock(tmp_path / "a", records)
        lock.write_text(lock.read_text().replace(url, f"https://[x/noarch/{Path(url).name}"))
        done = envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
        assert done.returncode == 2, done.stderr
        assert "is no URL" in done.stderr


def test_rules_older_than_those_of_the_lock_are_noted(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    pack_of(local_channel, tmp_path / "same.pack", rules_date=rules_date())
    pack_of(local_channel, tmp_path / "newer.pack", rules_date="2999-01-01")
    assert notes_on_pack(str(tmp_path / "same.pack")) == ()
    assert notes_on_pack(str(tmp_path / "nothing.yml")) == ()
    [note] = notes_on_pack(str(tmp_path / "newer.pack"))
    assert "rules of 2999-01-01" in note


def test_the_date_in_a_pack_is_that_of_the_contract_in_its_lock(
    local_channel: LocalChannel,
) -> None:
    lock = lock_of(local_channel.packages)
    assert rules_date_of(lock) is None
    for said, date in (("2026-01-02", "2026-01-02"), ("yesterday", None)):
        assert rules_date_of(replace(lock, contract=RecordedContract(said, {}))) == date


class _Refusing(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(401)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def refusing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Refusing)) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_refused_login_says_how_to_log_in(local_channel: LocalChannel, tmp_path: Path) -> None:
    with refusing() as url:
        write_lock(tmp_path / "a", at(local_channel, url))
        done = envguard("pack", "-o", "x.pack", folder=tmp_path / "a")
    assert done.returncode == 4
    assert "HTTP 401" in done.stderr
    assert "machine 127.0.0.1 login" in done.stderr


def test_a_hash_that_is_a_path_reaches_no_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    record = PackageRecord(
        "x", "1", subdir="noarch", url=f"{NOWHERE}/noarch/x-1-0.conda", sha256="../../victim"
    )
    cache = ArchiveCache(tmp_path / "cache", offline=True)
    with pytest.raises(UnavailableError, match="not in the cache"):
        cache.look([record], SILENT)
    assert victim.read_text() == "precious"


def test_two_files_of_one_name_are_refused() -> None:
    records = [
        PackageRecord("x", "1", subdir="noarch", url=f"{base}/noarch/x-1-0.conda", md5=md5 * 32)
        for base, md5 in ((f"{NOWHERE}/a", "0"), (f"{NOWHERE}/b", "1"))
    ]
    with pytest.raises(InputError, match="two different files that are called conda/noarch/x-1-0"):
        files_of(lock_of(records), SUBDIR)


def limit(size: int) -> Callable[[], None]:
    """A process with it can write no file larger than `size`: as on a full disk, it fails in the middle."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_no_room_for_a_download_or_for_the_pack_leaves_nothing(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path
) -> None:
    folder = tmp_path / "a"
    with serve(local_channel.directory) as url:
        write_lock(folder, at(local_channel, url))
        no_cache = envguard("pack", "-o", "x.pack", folder=folder, before=limit(1_000_000))
        assert envguard("pack", "-o", "whole.pack", folder=folder).returncode == 0
    (folder / "x.pack").write_text("what was there before")
    size = (folder / "whole.pack").stat().st_size
    no_pack = envguard("pack", "-o", "x.pack", folder=folder, before=limit(size - 1))

    assert (no_cache.returncode, no_pack.returncode) == (4, 4)
    assert "ENVGUARD_CACHE_DIR" in no_cache.stderr
    assert "there is no room for it" in no_pack.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["conda-lock.yml", "whole.pack", "x.pack"]
    assert (folder / "x.pack").read_text() == "what was there before"
    assert left_in(own_cache) == []
    assert len(archives(own_cache)) == 3


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGKILL, -9, id="kill -9"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, id="ctrl-c"),
    ],
)
def test_killed_while_a_server_stalls_the_next_run_cleans_up(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path, number: int, code: int
) -> None:
    folder = tmp_path / "a"
    with serve(local_channel.directory, stalling=True) as url:
        write_lock(folder, at(local_channel, url))
        child = subprocess.Popen(
            [sys.executable, "-m", "envguard", "pack", "-o", "x.pack"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stderr is not None
        for line in child.stderr:
            if "fetching" in line:
                break
        end = time.monotonic() + 10
        while not any((own_cache / "scratch").rglob("[0-9]")) and time.monotonic() < end:
            time.sleep(0.02)
        started = time.monotonic()
        child.send_signal(number)
        child.communicate(timeout=10)
        assert time.monotonic() - started < 5, "it waits for no server"
    assert child.returncode == code
    if number != signal.SIGKILL:
        assert left_in(own_cache) == []
    with serve(local_channel.directory) as url:
        write_lock(folder, at(local_channel, url))
        assert envguard("pack", "-o", "x.pack", folder=folder).returncode == 0
    assert left_in(own_cache) == []
    assert sorted(p.name for p in folder.iterdir()) == ["conda-lock.yml", "x.pack"]


def test_killed_at_any_time_a_pack_is_whole_or_not_there(
    local_channel: LocalChannel, tmp_path: Path, own_cache: Path
) -> None:
    folder, chance = tmp_path / "a", random.Random(7)
    with serve(local_channel.directory) as url:
        write_lock(folder, at(local_channel, url))
        for _ in range(8):
            shutil.rmtree(own_cache, ignore_errors=True)
            (folder / "x.pack").unlink(missing_ok=True)
            child = psutil.Popen(
                [sys.executable, "-m", "envguard", "pack", "-o", "x.pack"],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(chance.uniform(0.2, 1.2))
            child.kill()
            child.wait(timeout=10)
            if (folder / "x.pack").exists():
                with open_pack(folder / "x.pack") as pack:
                    pack.unpack(tmp_path / "out", SILENT)
                shutil.rmtree(tmp_path / "out")
        assert envguard("pack", "-o", "x.pack", folder=folder).returncode == 0
    assert left_in(own_cache) == []
    assert sorted(p.name for p in folder.iterdir()) == ["conda-lock.yml", "x.pack"]
