"""Deaths that only the kernel can give: its OOM killer, and a sleep that no signal ends. As root."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters.probing.process import Limits
from envguard.adapters.probing.runner import process_probes
from envguard.model.probe import Outcome, Probe
from tests.preloading import ZYGOTES, Preloading

CGROUPS = Path("/sys/fs/cgroup")
LIMIT_BYTES = 200 * 1024**2
GREEDY = "x = []\nwhile True: x.append(bytearray(10**7))"


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A cgroup of 200 MiB without swap, for a process that joins it."""
    v1 = CGROUPS / "memory"
    top, limit = (v1, "memory.limit_in_bytes") if v1.is_dir() else (CGROUPS, "memory.max")
    group = top / f"envguard-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT_BYTES))
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"no memory cgroup may be made here: {error}")
    yield group
    _remove(group)


@pytest.fixture
def freezer() -> Iterator[Path]:
    """A cgroup of version 1: what it freezes sleeps as in a driver's call. Version 2 lets it die."""
    group = CGROUPS / "freezer" / f"envguard-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no freezer of cgroups version 1 may be made here: {error}")
    yield group
    (group / "freezer.state").write_text("THAWED")
    _remove(group)


def _remove(group: Path) -> None:
    """It is busy until the last process has gone."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("preload", [None, "json"], ids=["fresh", "forked"])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (GREEDY, "the kernel's OOM killer ended it"),
        (
            f"import subprocess; subprocess.run([sys.executable, '-c', {GREEDY!r}], check=True)",
            "(the kernel's OOM killer struck meanwhile)",
        ),
    ],
    ids=["the probe", "its worker"],
)
def test_the_kernels_oom_killer_is_named(
    small_memory: Path, tmp_path: Path, body: str, detail: str, preload: str | None
) -> None:
    lines = "\n    ".join(body.splitlines())
    (tmp_path / "probe.py").write_text(f"import sys\ndef main(probe):\n    {lines}\n")
    (tmp_path / "run.py").write_text(RUN)
    ended = subprocess.run(
        [sys.executable, tmp_path / "run.py", small_memory, tmp_path / "probe.py", preload or ""],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    outcome, _, said = ended.stdout.strip().partition(" ")
    assert outcome == "out_of_memory", ended.stdout
    assert said.endswith(detail)


RUN = """
import os, sys
from pathlib import Path
from envguard.adapters.probing.runner import process_probes
from envguard.model.probe import Probe

Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
with process_probes() as probes:
    probe = Probe("greedy", sys.argv[2], preload=sys.argv[3] or None)
    result = probes.run(probe, python=Path(sys.executable), environment={}, timeout_s=30)
print(result.outcome.value, result.detail)
"""


@pytest.mark.parametrize("kind", ["fresh", ZYGOTES])
def test_a_process_that_no_signal_ends_is_left_behind_and_named(
    freezer: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "probe.py"
    path.write_text(
        "import os\ndef main(probe):\n"
        "    probe.value('pid', os.getpid())\n"
        "    probe.stage('a call into the driver')\n"
        f"    open('{freezer}/tasks', 'w').write(str(os.getpid()))\n"
        f"    open('{freezer}/freezer.state', 'w').write('FROZEN')\n"
        "    probe.stage('it came back')\n"
    )
    started = time.monotonic()
    limits = Limits(timeout_s=1.0, kill_wait_s=0.5, stack_wait_s=0.2)
    with process_probes(root=tmp_path / "runs", limits=limits) as probes:
        runner = Preloading(probes) if kind == "zygote" else probes
        result = runner.run(
            Probe("hangs", str(path)), python=Path(sys.executable), environment={}, timeout_s=1.0
        )
        assert (result.outcome, result.stage) == (Outcome.UNKILLABLE, "a call into the driver")
        state = Path(f"/proc/{result.values['pid']}/status").read_text()
        assert "State:\tD" in state
    assert time.monotonic() - started < 15, "nobody waits for it"
