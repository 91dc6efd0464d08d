"""Runs of `envguard verify` that are killed, and what is left of them after the next start.

Every run alters a file that it shares with the package cache, and sets its time back: an activation script
does it. So whatever a killed run leaves in the cache would be served to the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.local_channel.package import PackageDraft, PackageFile, write_package
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from tests.prefixes import lock_of

ALTERS = """
for file in "$CONDA_PREFIX"/lib/python3*/site-packages/tiny/__init__.py; do
    touch -r "$file" "$TMPDIR/time" && echo "VALUE = 41" >> "$file" && touch -r "$TMPDIR/time" "$file"
    rm -f "$TMPDIR/time"
done
"""
SCRIPT = "etc/conda/activate.d/alters.sh"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Left:
    """What is there that should not be: in words, one each."""

    processes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.processes or self.folders or self.altered)


class KilledRuns:
    """A lock, a cache and a temporary folder of their own, in `folder`."""

    def __init__(self, folder: Path, channel: LocalChannel) -> None:
        self.root, self.temporary = folder / "root", folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.lock = folder / "conda-lock.yml"
        records = [*channel.packages, _package(folder, "alters", SCRIPT, ALTERS)]
        if not any(record.name == "numpy" for record in records):
            records.append(_package(folder, "numpy", _module(channel), "pi = 3\n"))
        lock = lock_of(records)
        self.lock.write_text(dump_conda_lock(lock, created_by="a test"))
        self._environment = {
            **os.environ,
            "ENVGUARD_CACHE_DIR": str(self.root),
            "ENVGUARD_STATE_DIR": str(folder / "state"),
            "ENVGUARD_NO_CONDARC": "1",
            "TMPDIR": str(self.temporary),
        }

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "envguard", "verify", str(self.lock), "--force"]
        return subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def lines(self) -> list[str]:
        """The stages of a run that nobody kills."""
        with self.start() as run:
            assert run.stderr is not None
            return [line.strip() for line in run.stderr]

    def killed_at_line(self, number: int, how: signal.Signals) -> None:
        """A run that is killed as soon as it has said so many lines."""
        with self.start() as run:
            assert run.stderr is not None
            for count, _ in enumerate(run.stderr):
                if count == number:
                    break
            run.send_signal(how)
            run.wait(PATIENCE_S)

    def killed_after(self, seconds: float, how: signal.Signals) -> None:
        with self.start() as run:
            time.sleep(seconds)
            run.send_signal(how)
            run.communicate(timeout=PATIENCE_S)

    def next_start(self) -> None:
        """A start that comes as far as making a prefix, and is then told to end."""
        with self.start() as run:
            assert run.stderr is not None
            for line in run.stderr:
                if "checking" in line:
                    break
            run.terminate()
            run.communicate(timeout=PATIENCE_S)

    def left(self) -> Left:
        """What is there when nothing runs."""
        scratch = self.root / "scratch"
        folders = [*self.temporary.iterdir(), *(scratch.iterdir() if scratch.is_dir() else ())]
        folders += [path for path in (self.root / "pkgs").glob(".*") if path.is_dir()]
        return Left(
            tuple(self._processes()), tuple(map(str, folders)), tuple(self._altered_entries())
        )

    def _processes(self) -> Iterator[str]:
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("ENVGUARD_CACHE_DIR") == str(self.root)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    yield " ".join(process.cmdline()[:4])
            except psutil.Error:
                continue

    def _altered_entries(self) -> Iterator[str]:
        """Files of the cache that are not what their package has; every one of them is hashed."""
        for listing in (self.root / "pkgs").glob("*/info/paths.json"):
            package = listing.parents[1]
            for entry in json.loads(listing.read_text())["paths"]:
                path = package / entry["_path"]
                if entry.get("path_type", "hardlink") != "hardlink" or not path.exists():
                    continue
                if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
                    yield str(path)


def _module(channel: LocalChannel) -> str:
    """Where a numpy that is none goes: enough for probes to be run."""
    [python] = [record for record in channel.packages if record.name == "python"]
    return f"lib/python{'.'.join(python.version.split('.')[:2])}/site-packages/numpy.py"


def _package(folder: Path, name: str, target: str, text: str) -> PackageRecord:
    source = folder / f"{name}.txt"
    source.write_text(text)
    draft = PackageDraft(name, "1.0", current_subdir(), (PackageFile(source, target),))
    written = write_package(draft, folder / "channel", prefix=folder / "none")
    return written.record(channel=(folder / "channel").as_uri())
