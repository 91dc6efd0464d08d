"""What uv keeps of an old pip section, and what it leaves out as too new: an index on loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envguard.adapters.pip.resolver import UvPipResolver
from envguard.errors import UnsatisfiableError
from envguard.formats.cutoff_text import cutoff_of
from envguard.model.package import Manager, PackageRecord
from envguard.ports.pip import PipRequest
from tests.real_data import _Quiet, serving
from tests.wheels import make_wheel

NOW = datetime(2025, 9, 5, 12, tzinfo=UTC)
RELEASES = {
    "tool": {"1.0": "2025-01-10T12:00:00Z", "2.0": "2025-06-10T12:00:00Z"},
    "leaf": {"1.0": "2025-01-10T12:00:00Z", "1.1": "2025-06-10T12:00:00Z"},
}


class _Index(_Quiet):
    def guess_type(self, path: object) -> str:
        name = str(path)
        simple = "application/vnd.pypi.simple.v1+json"
        return simple if name.endswith("index.html") else "application/octet-stream"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    root = tmp_path / "index"
    for name, releases in RELEASES.items():
        files = []
        for version, uploaded in releases.items():
            needs = [f"leaf>={version[0]}.0,<3"] if name == "tool" and version == "1.0" else []
            wheel = make_wheel(
                root / "files", name, version, requires=needs or ["leaf"] * (name == "tool")
            )
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            files.append(
                {
                    "filename": wheel.name,
                    "url": f"../../files/{wheel.name}",
                    "hashes": {"sha256": digest},
                    "upload-time": uploaded,
                }
            )
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        (root / "simple" / name).mkdir(parents=True)
        (root / "simple" / name / "index.html").write_text(json.dumps(page))
    with serving(root, _Index) as url:
        yield f"{url}/simple/"


def locked(
    index: str,
    *,
    preferred: tuple[PackageRecord, ...] = (),
    said: str | None = None,
    **packages: str,
) -> dict[str, str]:
    pairs = [f"{name}={value}" for name, value in packages.items()]
    cutoff = cutoff_of(said, pairs, recorded=None, now=NOW)
    request = PipRequest(
        "linux-64", "3.12.11", (f"--index-url {index}", "tool"), preferred=preferred
    )
    [records] = UvPipResolver(pypi_names={}, cutoff=cutoff).resolve([request])
    return {record.name: record.version for record in records}


def old(name: str, version: str) -> PackageRecord:
    return PackageRecord(name, version, Manager.PIP)


@pytest.mark.parametrize(
    ("preferred", "tool", "leaf"),
    [
        pytest.param((), "2.0", "1.1", id="nothing is kept"),
        pytest.param((old("tool", "1.0"), old("leaf", "1.0")), "1.0", "1.0", id="all is kept"),
        pytest.param((old("leaf", "1.0"),), "2.0", "1.0", id="what is to be newer is not told"),
        pytest.param((old("tool", "0.9"),), "2.0", "1.1", id="what is no longer there gives way"),
        pytest.param((old("tool", "what"),), "2.0", "1.1", id="what is no version is not told"),
    ],
)
def test_old_versions_are_kept(
    index: str, preferred: tuple[PackageRecord, ...], tool: str, leaf: str
) -> None:
    assert locked(index, preferred=preferred) == {"tool": tool, "leaf": leaf}


@pytest.mark.parametrize(
    ("said", "packages", "tool", "leaf"),
    [
        pytest.param("2025-06-10", {}, "2.0", "1.1", id="the day itself counts"),
        pytest.param("2025-06-09", {}, "1.0", "1.0", id="a day too early"),
        pytest.param("90d", {}, "1.0", "1.0", id="an age"),
        pytest.param("2025-06-09", {"tool": "false"}, "2.0", "1.0", id="one without a limit"),
        pytest.param("2025-06-09", {"leaf": "2025-07-01"}, "1.0", "1.1", id="one with a later day"),
        pytest.param(None, {"leaf": "2025-02-01"}, "2.0", "1.0", id="one with an earlier day"),
    ],
)
def test_what_was_uploaded_later_is_left_out(
    index: str, said: str | None, packages: dict[str, str], tool: str, leaf: str
) -> None:
    assert locked(index, said=said, **packages) == {"tool": tool, "leaf": leaf}


def test_nothing_old_enough_is_no_solution(index: str) -> None:
    with pytest.raises(UnsatisfiableError, match="tool"):
        locked(index, said="2024-01-01")
