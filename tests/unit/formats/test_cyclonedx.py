"""The bill of materials is valid by CycloneDX's own schema, and names what is locked."""

from __future__ import annotations

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.renders import render
from envguard.formats.renders.cyclonedx import package_url
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import RenderKind
from tests.real_data import DATA, real_data

NUMPY = PackageRecord(
    "numpy",
    "1!2.3.1",
    build="py312_0",
    channel="conda-forge",
    subdir="linux-64",
    depends=("python >=3.12", "libblas"),
    url="https://u:secret@conda.anaconda.org/conda-forge/linux-64/numpy-1!2.3.1-py312_0.conda",
    sha256="ab" * 32,
    md5="cd" * 16,
)
PYTHON = PackageRecord("python", "3.12.11", build="h0_0", channel="pkgs/main", subdir="linux-64")
GIT = PackageRecord(
    "a_b", "1.0", Manager.PIP, url="git+https://index.example/a.git@0123", depends=("einops>=1",)
)
EINOPS = PackageRecord("einops", "1.0+cu118", Manager.PIP)


URLS = 4
"""Of how many components the addresses are validated: the validator takes 0.3 s for each."""


def bill_of(lock: Lockfile, subdir: str) -> dict[str, object]:
    [rendered] = render(lock, RenderKind.CYCLONEDX, platforms=(subdir,))
    bill = json.loads(rendered.text)
    shown = [
        row if place < URLS else {k: v for k, v in row.items() if k != "externalReferences"}
        for place, row in enumerate(bill["components"])
    ]
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    error = validator.validate_str(json.dumps({**bill, "components": shown}))
    assert error is None, str(error)[:500]
    return bill


@pytest.mark.parametrize("path", sorted((DATA / "corpus" / "locks").glob("*.yml"))[:6] or [None])
def test_real_locks_are_valid(path):
    real_data("corpus")
    lock = parse_conda_lock(path.read_text(), path.name)
    bill = bill_of(lock, lock.platforms[0])
    assert len(bill["components"]) == len(lock.records_for(lock.platforms[0]))


def test_who_needs_whom():
    records = (NUMPY, PYTHON, GIT, EINOPS)
    lock = Lockfile(("linux-64",), packages=tuple(LockedPackage(r, "linux-64") for r in records))
    bill = bill_of(lock, "linux-64")
    assert "secret" not in json.dumps(bill)
    needs = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    numpy, python, git, einops = map(package_url, records)
    assert needs == {
        "environment/linux-64": sorted([numpy, git]),
        numpy: [python],
        python: [],
        git: [einops],
        einops: [],
    }


@pytest.mark.parametrize("record", [NUMPY, PYTHON, GIT, EINOPS], ids=lambda record: record.name)
def test_a_package_url_is_read_as_what_was_meant(record):
    purl = PackageURL.from_string(package_url(record))
    assert purl.type == ("pypi" if record.manager is Manager.PIP else "conda")
    assert purl.version == record.version
    assert purl.qualifiers.get("build") == record.build
    assert purl.qualifiers.get("channel") == record.channel
