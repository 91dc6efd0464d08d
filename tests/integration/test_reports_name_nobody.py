"""`envguard verify` in every format, of a program that prints all it knows: nobody is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from tests.integration.test_verify import venv
from tests.prefixes import lock_of

USER, HOST, TOKEN, SHAPED = "wonderalice", "rabbithole-7", "s3cr3tvaluexyz", "hf_" + "a1B2" * 6
TALKS = """
import os
print(os.environ['HOME'], os.environ['USER'], 'on', os.environ['HOSTNAME'] + '.cluster.example.org')
print(os.environ['MY_TOKEN'], '{shaped}', 'https://' + os.environ['USER'] + ':pw1234@x.example/t/tk-99/c')
raise ImportError(os.environ['HOME'] + '/lib/libx.so: /scratch/' + os.environ['USER'] + '/x')
"""


def run(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOME": str(home),
        "USER": USER,
        "LOGNAME": USER,
        "HOSTNAME": HOST,
        "MY_TOKEN": TOKEN,
        "LD_LIBRARY_PATH": f"{home}/lib",
        "ENVGUARD_CACHE_DIR": str(home / "cache"),
        "ENVGUARD_STATE_DIR": str(home / "state"),
    }
    return subprocess.run(
        [sys.executable, "-m", "envguard", "verify", *map(str, arguments)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / USER
    folder.mkdir()
    return folder


@pytest.mark.parametrize("format_", ["text", "json", "junit", "markdown", "html"])
def test_no_format_tells_who_and_where(home: Path, format_: str) -> None:
    talks = venv(home / "env", numpy=TALKS.format(shaped=SHAPED))
    page = home / "page.html"
    done = run(home, "-p", talks, "--format", format_, "--report", page)
    assert done.returncode == 1, done.stderr
    for text in (done.stdout, page.read_text()):
        assert "libx.so" in text, "it does tell what happened"
        for private in (USER, HOST, TOKEN, SHAPED, "pw1234", "tk-99", str(home)):
            assert private not in text, private


def test_who_wants_names_gets_them_and_no_secret(home: Path) -> None:
    talks = venv(home / "env", numpy=TALKS.format(shaped=SHAPED))
    done = run(home, "-p", talks, "--format", "json", "--no-redact")
    assert f"{home}/lib/libx.so" in done.stdout
    assert TOKEN not in done.stdout


def test_stamps_and_records_name_nobody(home: Path, local_channel: LocalChannel) -> None:
    lock = home / "conda-lock.yml"
    lock.write_text(dump_conda_lock(lock_of(local_channel.packages), created_by="a test"))
    run(home, lock, "--record", home / "verified.jsonl")
    written = [path for path in (home / "state").rglob("*") if path.is_file()]
    told = "".join(path.read_text() for path in written) + (home / "verified.jsonl").read_text()
    assert '"lock"' in told
    for private in (USER, HOST, TOKEN, str(home), os.uname().nodename):
        assert private not in told
