"""What `envguard verify` says of input it can do nothing with: one sentence, what to do, the right status."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.probing.runner import BOOTSTRAP
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.subdir import current_subdir
from tests.fake_driver import A100, T4, FakeDriver, with_fake
from tests.integration.test_probe_processes import interpreters
from tests.prefixes import lock_of


def verify(
    folder: Path,
    *arguments: str | Path,
    before: Callable[[], None] | None = None,
    environment: dict[str, str] | None = None,
) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the command, in `folder`, with a cache of its own."""
    variables = {
        "ENVGUARD_CACHE_DIR": str(folder / "cache"),
        "ENVGUARD_STATE_DIR": str(folder / "state"),
        **(environment or {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "envguard", "verify", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **variables},
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, " ".join(done.stdout.split()), " ".join(done.stderr.split())


@pytest.fixture
def lock(local_channel: LocalChannel, tmp_path: Path) -> Path:
    path = tmp_path / "conda-lock.yml"
    path.write_text(dump_conda_lock(lock_of(local_channel.packages), created_by="a test"))
    return path


def nothing_is_left(folder: Path) -> bool:
    scratch = folder / "cache" / "scratch"
    return not scratch.exists() or list(scratch.iterdir()) == []


def test_a_lock_for_another_subdir(local_channel: LocalChannel, tmp_path: Path) -> None:
    packages = tuple(
        LockedPackage(replace(record, subdir="win-64"), "win-64")
        for record in local_channel.packages
    )
    text = dump_conda_lock(Lockfile(platforms=("win-64",), packages=packages), created_by="a test")
    (tmp_path / "conda-lock.yml").write_text(text)
    code, out, err = verify(tmp_path)
    assert (code, out) == (2, "")
    assert f"the lock is for win-64, and this machine is {current_subdir()}" in err
    assert f"envguard lock --platform {current_subdir()}" in err


def test_a_prefix_without_python(tmp_path: Path) -> None:
    (tmp_path / "empty" / "conda-meta").mkdir(parents=True)
    code, out, err = verify(tmp_path, "-p", tmp_path / "empty")
    assert (code, out) == (2, "")
    assert "has no python; there is nothing that probes could run in" in err
    assert "--python PATH" in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#!/bin/sh\nexit 127\n", "does not start, or is no Python"),
        (b"#!/bin/sh\necho nonsense\n", "does not start, or is no Python"),
        (b"#!/bin/sh\nsleep 1000\n", "does not start in time"),
        (b"\x7fELF python", "does not start read"),
        (b"#!/no/such/python\n", "does not start read"),
        (b"#!/bin/sh\nkill -SEGV $$\n", "does not start read"),
    ],
    ids=["fails", "says nonsense", "hangs", "half a python", "its interpreter is gone", "crashes"],
)
def test_a_python_that_does_not_start(tmp_path: Path, content: bytes, words: str) -> None:
    python = tmp_path / "python"
    python.write_bytes(content)
    python.chmod(0o755)
    code, out, _ = verify(tmp_path, "--python", python, "--timeout", "2")
    assert code == 1
    assert out.count(" fail ") == 1
    assert "packages" not in out
    assert f"EG707 fail the environment's python {words}" in out


def test_a_program_that_is_no_python_is_never_started(tmp_path: Path) -> None:
    """`rm` would do with the names of our files what it is for."""
    code, out, err = verify(tmp_path, "--python", "/bin/rm")
    assert (code, out) == (2, "")
    assert "/bin/rm is a program, and no Python: it was not started" in err
    assert BOOTSTRAP.is_file()


@pytest.mark.parametrize("minor", ["2.7", "3.6"])
def test_a_python_that_is_too_old_for_probes_is_not_decided(tmp_path: Path, minor: str) -> None:
    python = interpreters().get(minor)
    if python is None:
        pytest.skip(f"no python{minor} here")
    code, out, _ = verify(tmp_path, "--python", python)
    assert code == 3
    assert f"because Python {minor} is too old for probes" in out


def full_disk(size: int) -> Callable[[], None]:
    """A process with it can write no file larger than `size`: as on a full disk, it fails in the middle."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_no_space_for_the_packages(lock: Path, tmp_path: Path) -> None:
    code, out, err = verify(tmp_path, lock, before=full_disk(100_000))
    assert (code, out) == (4, "")
    assert "file too large" in err.lower() or "no space" in err.lower()
    assert "ENVGUARD_CACHE_DIR" in err or "make room" in err
    assert nothing_is_left(tmp_path)


def test_no_space_for_the_probes_is_not_blamed_on_the_packages(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("a small disk wants unshare, which is not installed")
    steps = (
        f"mount -t tmpfs -o size=1m tmpfs {tmp_path} || exit 77; "
        f"TMPDIR={tmp_path} exec {sys.executable} -m envguard verify --python {sys.executable}"
    )
    namespace = ["-m"] if os.geteuid() == 0 else ["-rm"]
    ended = subprocess.run(
        [unshare, *namespace, "sh", "-c", steps],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ended.returncode == 77 or "unshare failed" in ended.stderr:
        pytest.skip(f"no namespace of our own may be made here: {ended.stderr.strip()}")
    assert ended.returncode == 4
    assert (
        f"{tmp_path}/envguard-{os.getuid()} has 1 MB free; probes want 34 MB there" in ended.stderr
    )
    assert "TMPDIR=/some/folder" in ended.stderr


@pytest.mark.parametrize("variable", ["ENVGUARD_CACHE_DIR", "ENVGUARD_SCRATCH_DIR", "TMPDIR"])
def test_a_place_that_cannot_be_written_to(lock: Path, tmp_path: Path, variable: str) -> None:
    place = Path("/proc/envguard")  # nobody makes a folder there, not even root
    code, out, err = verify(tmp_path, lock, environment={variable: str(place)})
    if variable == "TMPDIR":  # Python takes another temporary folder where one cannot be used
        assert code in (0, 1, 3)
        return
    assert (code, out) == (4, "")
    assert str(place) in err
    assert "export " in err
    assert nothing_is_left(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="to be somebody else wants root")
def test_a_cache_below_a_folder_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    body = (
        "import os; from pathlib import Path\n"
        "from envguard.adapters.prefixes.places import place_for\n"
        "from envguard.adapters.scratch import scratch_folder\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"place = place_for(Path({str(tmp_path)!r}) / 'cache')\n"
        "try:\n    with scratch_folder(place.parent): print('made')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout.startswith("UnavailableError"), ended.stderr
    assert f"{tmp_path}/cache/scratch cannot be written to: Permission denied" in ended.stdout


@pytest.mark.parametrize("option", ["-o", "--report", "--record"])
@pytest.mark.parametrize("place", ["no/folder/x", "folder"], ids=["no folder", "a folder"])
def test_a_report_that_cannot_be_written_is_said_before_the_run(
    lock: Path, tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    code, out, err = verify(tmp_path, lock, option, place)
    assert (code, out) == (2, "")
    assert place in err
    assert "installing" not in err
    assert not (tmp_path / "cache").exists()


def test_a_lock_that_changes_under_the_run_gets_no_stamp(lock: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "envguard", "verify", str(lock)]
    environment = {
        **os.environ,
        "ENVGUARD_CACHE_DIR": str(tmp_path / "cache"),
        "ENVGUARD_STATE_DIR": str(tmp_path / "state"),
    }
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "looking at" in line:
                lock.write_text(lock.read_text() + "# edited\n")
        assert run.stdout is not None
        out = run.stdout.read()
    assert "no stamp: the lock changed while it was verified" in out
    assert not list((tmp_path / "state").rglob("*.json"))


@pytest.mark.skipif(sys.platform != "linux", reason="the fake driver is a Linux one")
def test_a_machine_that_changes_under_the_run(fake_driver: FakeDriver, tmp_path: Path) -> None:
    """The driver is asked in a child that gets our variables: they change when the first probe runs."""
    script = tmp_path / "run.py"
    script.write_text(CHANGES)
    environment = with_fake(fake_driver.environment(gpus=(A100, T4)), os.environ)
    done = subprocess.run(
        [sys.executable, script, sys.executable],
        env={**environment, "ENVGUARD_STATE_DIR": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    out = " ".join(done.stdout.split())
    assert done.returncode == 3, done.stderr
    assert out.count("EG719 unknown the machine changed while it was probed") == 1
    assert "GPU 1 (Tesla T4) is gone" in out


CHANGES = f"""
import os, sys
from pathlib import Path
from envguard import api
from envguard.ports.progress import Progress
from envguard.formats.reports.verify_text import verify_text
from envguard.model.report import exit_code_of

class Thief(Progress):
    def stage(self, text):
        if "looking at" in text:
            os.environ["FAKE_NVIDIA_GPUS"] = "{A100[0]}|{A100[1]}"

report = api.verify(python=Path(sys.argv[1]), progress=Thief())
print(verify_text(report))
sys.exit(int(exit_code_of([report])))
"""
