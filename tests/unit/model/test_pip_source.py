"""What the URL of a pip record names, and where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import PipSource, located, pip_source, relative_to
from envguard.model.secrets import without_credentials


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://index.example/x-1.0-py3-none-any.whl#sha256=00", PipSource.WHEEL),
        ("file:wheels/x-1.0-py3-none-any.whl", PipSource.WHEEL),
        ("https://index.example/x-1.0.tar.gz", PipSource.ARCHIVE),
        ("https://index.example/download?x", PipSource.ARCHIVE),
        ("git+https://index.example/x.git@c0ffee#subdirectory=p", PipSource.REPOSITORY),
        ("git+ssh://git@index.example/x.git@c0ffee", PipSource.REPOSITORY),
        ("file:src#editable=true", PipSource.FOLDER),
        ("file:.", PipSource.FOLDER),
        ("file:///srv/x-1.0.zip", PipSource.ARCHIVE),
    ],
)
def test_what_a_url_names(url, source):
    assert pip_source(url) is source


def lock(url: str) -> Lockfile:
    record = PackageRecord("x", "1.0", Manager.PIP, url=url)
    return Lockfile(platforms=("linux-64",), packages=(LockedPackage(record, "linux-64"),))


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("file:///srv/project/wheels/a%20b.whl", "file:wheels/a%20b.whl"),
        ("file:///srv/project#editable=true", "file:.#editable=true"),
        ("file:///srv/shared/src", "file:../shared/src"),
        ("file:///srv/wheels/x.whl", "file:///srv/wheels/x.whl"),
        ("https://index.example/x.whl", "https://index.example/x.whl"),
    ],
)
def test_what_is_beside_the_lock_is_written_relative_to_it_and_found_again(url, written):
    here = Path("/srv/project")
    moved = relative_to(lock(url), here, within=(here, Path("/srv/shared")))
    assert moved.packages[0].record.url == written
    assert located(moved, here) == lock(url)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://${TOKEN}@index.example/x", "https://${TOKEN}@index.example/x"),
        ("https://me:${TOKEN}@index.example/x", "https://me:${TOKEN}@index.example/x"),
        ("https://${USER}:${TOKEN}@index.example/x", "https://${USER}:${TOKEN}@index.example/x"),
        ("https://me:hunter2@index.example/x", "https://index.example/x"),
        ("https://ghp_s3cr3t@index.example/x", "https://index.example/x"),
        ("https://gh1s3cr3t:${EMPTY}@index.example/x", "https://index.example/x"),
        ("https://${USER}:hunter2@index.example/x", "https://index.example/x"),
        ("git+ssh://git@index.example/x.git", "git+ssh://git@index.example/x.git"),
        ("git+ssh://git:hunter2@index.example/x.git", "git+ssh://git@index.example/x.git"),
        ("git+file:///srv/x@c0ffee", "git+file:///srv/x@c0ffee"),
    ],
)
def test_a_variable_is_no_secret_and_a_value_is(url, written):
    assert without_credentials(url) == written
