"""Renders records.yaml as a channel that solvers read: repodata.json for each subdir."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import yaml

SUBDIRS = ("linux-64", "linux-aarch64", "osx-arm64", "win-64", "noarch")


def write_channel(directory: Path) -> Path:
    """Write the channel below `directory` and return it."""
    records = yaml.safe_load(Path(__file__).with_name("records.yaml").read_text("utf-8"))
    for subdir in SUBDIRS:
        packages = {
            file: entry for file, entry in map(_entry, records) if entry["subdir"] == subdir
        }
        folder = directory / subdir
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "repodata.json").write_text(
            json.dumps({"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages})
        )
    return directory


def _entry(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    stem = f"{record['name']}-{record['version']}-{record['build']}"
    subdir = record.get("subdir", "linux-64")
    entry = {
        "name": record["name"],
        "version": record["version"],
        "build": record["build"],
        "build_number": record.get("number", 0),
        "subdir": subdir,
        "depends": record["depends"],
        "constrains": record.get("constrains", []),
        "md5": hashlib.md5(stem.encode()).hexdigest(),
        "sha256": hashlib.sha256(stem.encode()).hexdigest(),
        "size": 1000 + len(stem),
    }
    if "date" in record:
        day = datetime.combine(record["date"], time(12), tzinfo=UTC)
        entry["timestamp"] = int(day.timestamp() * 1000)
    if subdir == "noarch":
        entry["noarch"] = "python" if record["build"].startswith("py") else "generic"
    return f"{stem}.conda", entry
