"""Channels over loopback http: mirrors, credentials, silence, a stalled download, ^C, the cache."""

from __future__ import annotations

import os
import signal
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
from envguard.ports import SolveRequest
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
        _, said = child.communicate(timeout=10)
    assert child.returncode == 130
    assert "interrupted" in said
    assert not (tmp_path / "conda-lock.yml").exists()
