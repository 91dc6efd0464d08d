"""conda-lock.yml: read from any tool, written the same way every time, read by conda-lock itself."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from envguard.errors import InputError
from envguard.formats.locks.conda_lock import archive_name, parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import LockedPackage, LockedTarget, Lockfile, LockRequest
from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

NUMPY = PackageRecord(
    name="numpy",
    version="2.3.1",
    build="py312h6cf2f7f_0",
    build_number=0,
    channel="conda-forge",
    subdir="linux-64",
    depends=("libblas * *mkl", "libblas >=3.8", "python >=3.12,<3.13.0a0"),
    url="https://conda.anaconda.org/conda-forge/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda",
    sha256="ab" * 32,
    md5="cd" * 16,
)
EINOPS = PackageRecord(
    name="einops",
    version="0.8.0",
    manager=Manager.PIP,
    subdir="linux-64",
    url="https://index.example/einops-0.8.0-py3-none-any.whl",
    sha256="ef" * 32,
)
MACHINE = Machine(
    subdir="linux-64",
    glibc=Dotted.parse("2.28"),
    driver=Driver(Dotted.parse("570.124.06"), Dotted.parse("12.8")),
    gpus=(Gpu(0, name="A100", compute_capability=ComputeCapability(8, 0)),),
    assumed=frozenset({"glibc"}),
)
LOCK = Lockfile(
    platforms=("linux-64",),
    channels=("conda-forge",),
    packages=(LockedPackage(NUMPY, "linux-64"), LockedPackage(EINOPS, "linux-64")),
    sources=("environment.yml",),
    targets=(LockedTarget(Target("a100", MACHINE), ("__cuda=12.8=0",), Dotted.parse("12.9")),),
    request=LockRequest(
        "train",
        {"linux-64": ("numpy",)},
        {"linux-64": ("einops",)},
        {"A": "b"},
        ("conda-forge", "nodefaults"),
    ),
)


def test_what_was_written_is_read_back():
    text = dump_conda_lock(LOCK, created_by="envguard")
    read = parse_conda_lock(text, "conda-lock.yml")

    assert read.targets == LOCK.targets
    assert read.request == LOCK.request
    assert [p.record.url for p in read.packages] == [NUMPY.url, EINOPS.url]
    assert read.packages[0].record.build == "py312h6cf2f7f_0"
    assert read.packages[0].record.channel == "conda-forge"
    assert dump_conda_lock(read, created_by="envguard") == text


def test_several_specs_of_one_name_become_one():
    entry = yaml.safe_load(dump_conda_lock(LOCK, created_by="envguard"))["package"][0]
    assert entry["dependencies"]["libblas"] == ">=3.8 *mkl"


def test_the_order_of_records_does_not_change_the_bytes():
    turned = replace(LOCK, packages=LOCK.packages[::-1])
    assert dump_conda_lock(turned, created_by="e") == dump_conda_lock(LOCK, created_by="e")


def test_conda_locks_own_parser_reads_it(tmp_path):
    from conda_lock.lockfile import parse_conda_lock_file

    path = tmp_path / "conda-lock.yml"
    path.write_text(dump_conda_lock(LOCK, created_by="envguard"), "utf-8")
    content = parse_conda_lock_file(path)
    assert {package.name for package in content.package} == {"numpy", "einops"}


def test_every_platform_has_a_content_hash_as_micromamba_wants_it():
    metadata = yaml.safe_load(dump_conda_lock(LOCK, created_by="envguard"))["metadata"]
    assert set(metadata["content_hash"]) == set(LOCK.platforms)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in metadata["content_hash"].values())


def test_the_content_hash_of_another_tool_stays():
    theirs = replace(LOCK, content_hash=dict.fromkeys(LOCK.platforms, "0" * 64))
    metadata = yaml.safe_load(dump_conda_lock(theirs, created_by="envguard"))["metadata"]
    assert set(metadata["content_hash"].values()) == {"0" * 64}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://conda.anaconda.org/conda-forge/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda",
            ("https://conda.anaconda.org/conda-forge", "linux-64", "numpy", "2.3.1", 0),
        ),
        (
            "https://u:p@index.example/t/TOKEN/ch/noarch/a-b.c-2024a-pyh_7.tar.bz2#md5",
            ("https://index.example/ch", "noarch", "a-b.c", "2024a", 7),
        ),
        (
            "https://conda.anaconda.org/conda-forge/linux-64/x264-1%21164.3095-h166bdaf_2.tar.bz2",
            ("https://conda.anaconda.org/conda-forge", "linux-64", "x264", "1!164.3095", 2),
        ),
        ("https://index.example/einops-0.8.0-py3-none-any.whl", None),
        ("numpy-1-0.conda", None),
    ],
)
def test_a_url_says_what_the_package_is(url, expected):
    found = archive_name(url)
    assert expected == (
        found and (found.channel_url, found.subdir, found.name, found.version, found.build_number)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("- a\n", "not a conda-lock file", id="a list"),
        pytest.param("version: 2\n", "version 2 of conda-lock's format", id="a newer format"),
        pytest.param("name: x\n", "version None of conda-lock's format", id="an environment.yml"),
    ],
)
def test_what_is_no_lock_of_version_1_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_conda_lock(text, "conda-lock.yml")


def test_damaged_entries_are_all_named_with_their_lines():
    text = dump_conda_lock(LOCK, created_by="envguard")
    text = text.replace("manager: conda", "manager: gem").replace("version: 0.8.0", "version: 0.8")
    with pytest.raises(InputError) as caught:
        parse_conda_lock(text, "l.yml")
    assert [p.partition(": ")[2] for p in caught.value.problems] == [
        "package[0].manager: 'gem' is neither conda nor pip",
        "package[1].version: 0.8 where a text is expected",
    ]
    assert all(p.startswith("l.yml:") for p in caught.value.problems)


def test_metadata_of_a_newer_envguard_is_refused_by_name():
    text = dump_conda_lock(LOCK, created_by="e").replace(
        '"schema_version":1', '"schema_version":9', 1
    )
    with pytest.raises(InputError, match="schema_version 9"):
        parse_conda_lock(text, "l.yml")


def test_a_hash_that_is_null_is_a_hash_that_is_not_there():
    text = dump_conda_lock(LOCK, created_by="e").replace(f"sha256: {'ab' * 32}", "sha256: null")
    assert parse_conda_lock(text, "l.yml").packages[0].record.sha256 is None


def test_the_keys_of_older_conda_locks_are_read():
    """conda-lock 1.0 wrote `optional` and `category` always, md5 without sha256, and pip without a hash."""
    lock = parse_conda_lock(
        """version: 1
metadata: {content_hash: {}, channels: [], platforms: [linux-64], sources: []}
package:
- {name: a, version: '1', manager: conda, platform: linux-64, dependencies: {}, category: dev, optional: true,
   url: 'https://conda.anaconda.org/conda-forge/noarch/a-1-0.tar.bz2', hash: {md5: cd}}
- {name: b, version: '1', manager: pip, platform: linux-64, dependencies: {}, category: main, optional: false,
   url: 'https://index.example/b-1-py3-none-any.whl', hash: {}, source: {type: url, url: 'https://index.example/b'}}
- {name: c, version: '1', manager: conda, platform: linux-64, url: 'https://index.example/ch/noarch/c-1-0.conda'}
""",
        "conda-lock.yml",
    )
    a, b, c = lock.packages
    assert (a.is_extra, a.record.md5, a.record.sha256) == (True, "cd", None)
    assert (b.is_extra, b.record.sha256, c.is_extra, c.record.md5) == (False, None, False, None)
    assert [record.name for record in lock.records_for("linux-64")] == ["b", "c"]
