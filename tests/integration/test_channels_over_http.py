"""Channels over loopback http: mirrors, credentials, silence, a stalled download, ^C, the cache."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from envguard.adapters.solver import RattlerSolver
from envguard.errors import UnavailableError
from envguard.ports.solver import SolveRequest
from tests.real_data import serving

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"


class _Stalls(SimpleHTTPRequestHandler):
    """Promises a repodata.json, sends the first bytes, and then nothing."""

    stop = threading.Event()

    def do_GET(self) -> None:
        if not self.path.endswith("repodata.json"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b'{"packages": {')
        self.wfile.flush()
        self.stop.wait(20)

    def do_HEAD(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def stalling(folder: Path) -> Iterator[str]:
    _Stalls.stop.clear()
    with serving(folder, _Stalls) as url:
        try:
            yield url
        finally:
            _Stalls.stop.set()


def request(*specs: str, channels: tuple[str, ...] = (CONDA_FORGE,)) -> SolveRequest:
    return SolveRequest("linux-64", channels, specs)


def test_a_mirror_is_read_and_the_canonical_urls_are_kept(channel, tmp_path):
    with serving(channel) as url:
        solver = RattlerSolver(cache_dir=tmp_path, mirrors={CONDA_FORGE: url})
        [solution] = solver.solve([request("only-linux")])

    [record] = solution.records
    assert record.url == f"{CONDA_FORGE}/linux-64/only-linux-1.0-h0_0.conda"
    assert record.channel == "conda-forge"


def test_credentials_in_a_channel_do_not_reach_the_records(channel, tmp_path):
    with serving(channel) as url:
        secret = url.replace("://", "://user:secret@")
        solver = RattlerSolver(cache_dir=tmp_path)
        [solution] = solver.solve([request("only-linux", channels=(secret,))])
    assert "secret" not in repr(solution.records)
    assert solution.records[0].url.startswith(url)


def test_offline_solves_from_the_cache_and_says_what_is_missing(channel, tmp_path):
    with serving(channel) as url:
        mirrors = {CONDA_FORGE: url}
        RattlerSolver(cache_dir=tmp_path / "warm", mirrors=mirrors).solve([request("only-linux")])

    warm = RattlerSolver(cache_dir=tmp_path / "warm", mirrors=mirrors, offline=True)
    assert warm.solve([request("only-linux")])[0].solved
    cold = RattlerSolver(cache_dir=tmp_path / "cold", mirrors=mirrors, offline=True)
    with pytest.raises(UnavailableError, match="not in the cache") as caught:
        cold.solve([request("only-linux")])
    assert "without --offline" in caught.value.hint


def test_a_channel_that_nobody_serves_is_one_sentence_without_its_password(tmp_path):
    solver = RattlerSolver(cache_dir=tmp_path)
    with pytest.raises(UnavailableError, match="did not answer") as caught:
        solver.solve([request("numpy", channels=("http://user:secret@127.0.0.1:9/ch",))])
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_stalled_download_ends_at_the_deadline(channel, tmp_path):
    with stalling(channel) as url:
        solver = RattlerSolver(cache_dir=tmp_path, fetch_timeout_s=1.0)
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="no answer within 1 s"):
            solver.solve([request("numpy", channels=(url,))])
        assert time.monotonic() - started < 10


def test_interrupting_a_stalled_lock_ends_it_and_writes_nothing(channel, tmp_path):
    (tmp_path / "environment.yml").write_text("channels: [conda-forge]\ndependencies: [numpy]\n")
    with stalling(channel) as url:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "envguard", "lock", "--for", "cpu"),
                *("--mirror", f"conda-forge={url}"),
            ],
            cwd=tmp_path,
            env={**os.environ, "ENVGUARD_CACHE_DIR": str(tmp_path / "cache")},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stderr is not None
        first = child.stderr.readline()
        assert "solving" in first
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "interrupted" in said
    assert not (tmp_path / "conda-lock.yml").exists()


def test_an_interrupt_that_does_not_wake_the_loop_is_heeded_too(channel, tmp_path):
    """SIGINT is delivered to another thread: Python notes it and the loop sleeps on, as it does when the
    signal comes just before the sleep."""
    program = f"""
import signal, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
from envguard.adapters.solver import RattlerSolver
from envguard.ports.solver import SolveRequest
print("ready", flush=True)
solver = RattlerSolver(cache_dir=__import__("pathlib").Path({str(tmp_path)!r}))
try:
    solver.solve([SolveRequest("linux-64", (sys.argv[1],), ("numpy",))])
except KeyboardInterrupt:
    print("interrupted", flush=True)
    __import__("os")._exit(0)
"""
    with stalling(channel) as url:
        child = subprocess.Popen(
            [sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        try:
            said, _ = child.communicate(timeout=30)
        finally:
            child.kill()
    assert said == "interrupted\n"


def test_interrupting_while_the_pip_section_waits_leaves_no_uv_behind(channel, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as index:
        (tmp_path / "environment.yml").write_text(
            "channels: [conda-forge]\nplatforms: [linux-64, win-64]\n"
            "dependencies: [python=3.12, {pip: [einops, "
            f"'--index-url http://127.0.0.1:{index.getsockname()[1]}/simple']}}]\n"
        )
        child = subprocess.Popen(
            [
                *(
                    sys.executable,
                    "-m",
                    "envguard",
                    "lock",
                    "--for",
                    "cpu",
                    "--platform",
                    "linux-64",
                ),
                *("--mirror", f"conda-forge={channel.as_uri()}"),
            ],
            cwd=tmp_path,
            env={**os.environ, "ENVGUARD_CACHE_DIR": str(tmp_path / "cache")},
            stderr=subprocess.PIPE,
            text=True,
        )
        index.settimeout(30)
        connection, _ = index.accept()  # uv has asked
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=10)  # returns when uv has closed its end too
        connection.settimeout(10)
        while connection.recv(4096):
            pass
        connection.close()
    assert child.returncode == 130
    assert "interrupted" in said


def test_a_lock_that_fails_ends_with_its_exit_code_and_no_signal(tmp_path):
    (tmp_path / "environment.yml").write_text(
        "channels: [a, b, c, conda-forge]\nplatforms: [linux-64, osx-arm64, win-64]\n"
        "dependencies: [python]\n"
    )
    mirrors = [f"--mirror={name}=http://127.0.0.1:9/{name}" for name in ("a", "b", "c")]
    codes = [
        subprocess.run(
            [sys.executable, "-m", "envguard", "lock", "--for", "cpu", *mirrors],
            cwd=tmp_path,
            env={**os.environ, "ENVGUARD_CACHE_DIR": str(tmp_path / "cache")},
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        for _ in range(3)
    ]
    assert codes == [4, 4, 4]


class _OneBarePackage(SimpleHTTPRequestHandler):
    """A channel whose one record has no checksum."""

    def do_GET(self) -> None:
        subdir, _, file = self.path.removeprefix("/").partition("/")
        if file != "repodata.json":
            self.send_error(404)
            return
        record = {
            "name": "a",
            "version": "1",
            "build": "0",
            "build_number": 0,
            "depends": [],
            "subdir": subdir,
        }
        packages = {"a-1-0.tar.bz2": record} if subdir == "linux-64" else {}
        text = json.dumps({"info": {"subdir": subdir}, "packages": packages}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_HEAD(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_record_that_nobody_could_check_is_not_locked(tmp_path):
    (tmp_path / "environment.yml").write_text("dependencies: [a]\n")
    with serving(tmp_path, _OneBarePackage) as url:
        done = subprocess.run(
            [sys.executable, "-m", "envguard", "lock", "--for", "cpu", "-c", url],
            cwd=tmp_path,
            env={**os.environ, "ENVGUARD_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "no sha256 and no md5" in done.stderr
    assert not (tmp_path / "conda-lock.yml").exists()


def test_a_cause_without_a_url_is_told_with_the_channels(tmp_path):
    (tmp_path / "noarch").mkdir()
    (tmp_path / "noarch" / "repodata.json").write_text('{"packages": {"a')
    solver = RattlerSolver(cache_dir=tmp_path / "cache")
    with serving(tmp_path) as url, pytest.raises(UnavailableError) as caught:
        solver.solve([request("a", channels=(url,))])
    assert url in caught.value.message


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param("defaults::only-linux", "pkgs/main", id="the default channels"),
        pytest.param("pkgs/main::only-linux", "pkgs/main", id="one of them by its name"),
        pytest.param("conda-forge::only-linux", "conda-forge", id="another channel"),
    ],
)
def test_a_spec_may_name_its_channel_as_conda_does(channel, tmp_path, spec, expected):
    main, r = "https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"
    empty = tmp_path / "empty"
    (empty / "noarch").mkdir(parents=True)
    (empty / "noarch" / "repodata.json").write_text(
        '{"info": {"subdir": "noarch"}, "packages": {}}'
    )
    with serving(channel) as url, serving(empty) as nothing:
        solver = RattlerSolver(
            cache_dir=tmp_path / "cache", mirrors={CONDA_FORGE: url, main: url, r: nothing}
        )
        [solution] = solver.solve([request(spec, channels=(CONDA_FORGE, r, main))])
    assert [record.channel for record in solution.records] == [expected]


def test_a_cache_that_cannot_be_made_is_told_with_another_place(channel, tmp_path):
    (tmp_path / "file").touch()
    solver = RattlerSolver(
        cache_dir=tmp_path / "file" / "cache", mirrors={CONDA_FORGE: channel.as_uri()}
    )
    with pytest.raises(UnavailableError, match="cannot be made") as caught:
        solver.solve([request("only-linux")])
    assert "ENVGUARD_CACHE_DIR" in caught.value.hint


def test_the_environment_file_is_not_overwritten_by_its_lock(tmp_path):
    (tmp_path / "environment.yml").write_text("dependencies: []\n")
    done = subprocess.run(
        [sys.executable, "-m", "envguard", "lock", "-o", "./environment.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (tmp_path / "environment.yml").read_text() == "dependencies: []\n"
