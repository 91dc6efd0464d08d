"""What a lock's pip part names is installed: wheels by their hash, repositories at their commit, folders."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.prefixes.pip_sources import refuse_uninstallable
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.errors import UnavailableError
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import located, relative_to
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.prefixes import lock_of, wheel_record
from tests.wheels import make_project, make_repository, make_wheel


def pip_record(url: str, *, name: str = "mine", sha256: str | None = None) -> PackageRecord:
    return PackageRecord(name, "1.0", Manager.PIP, url=url, sha256=sha256)


def say(
    local_channel: LocalChannel, root: Path, records: Sequence[PackageRecord], code: str
) -> str:
    """What the python of a throwaway prefix with the channel's packages and `records` prints."""
    return say_of(lock_of([*local_channel.packages, *records]), root, code)


def say_of(lock: Lockfile, root: Path, code: str) -> str:
    prefixes = ThrowawayPrefixes(root=root)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        return subprocess.check_output([prefix.python, "-I", "-c", code], text=True).strip()


def test_a_repository_is_installed_at_its_commit(local_channel, tmp_path):
    project = make_project(tmp_path / "repo", "mine", "1.0")
    commit = make_repository(project)
    (project / "mine.py").write_text("VERSION = 'later'\n")
    make_repository(project)
    record = pip_record(f"git+{project.as_uri()}@{commit}")
    code = "import mine; print(mine.VERSION)"
    assert say(local_channel, tmp_path / "root", [record], code) == "1.0"


def test_a_folder_and_an_editable_one_are_installed(local_channel, tmp_path):
    copied = make_project(tmp_path / "copied", "mine", "1.0").as_uri()
    edited = make_project(tmp_path / "edited", "ours", "2.0")
    records = [
        pip_record(copied),
        pip_record(f"{edited.as_uri()}#editable=true", name="ours"),
    ]
    code = "import mine, ours; print(mine.VERSION, ours.__file__)"
    assert say(local_channel, tmp_path / "root", records, code) == f"1.0 {edited / 'ours.py'}"


def test_a_lock_and_its_wheels_move_together(local_channel, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    wheel = make_wheel(here / "wheels", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    record = wheel_record(wheel, name="pip-made", version="3.1")
    lock = relative_to(lock_of([*local_channel.packages, record]), here, within=(here,))
    text = dump_conda_lock(lock, created_by="test")
    assert "url: file:wheels/pip_made-3.1-py3-none-any.whl" in text

    here.rename(there)
    moved = located(parse_conda_lock(text, "conda-lock.yml"), there)
    packages = tuple(
        replace(locked, record=local)
        for locked, local in zip(
            (p for p in moved.packages if p.record.manager is Manager.CONDA),
            sorted(local_channel.packages, key=lambda r: r.name),
            strict=True,
        )
    )
    pip = tuple(p for p in moved.packages if p.record.manager is Manager.PIP)
    moved = replace(moved, packages=(*packages, *pip))
    assert say_of(moved, tmp_path / "root", "import pip_made; print(pip_made.VALUE)") == "7"


def test_a_source_archive_is_built_where_that_was_accepted_when_it_was_locked(
    local_channel, tmp_path
):
    project = make_project(tmp_path / "mine-1.0", "mine", "1.0")
    archive = tmp_path / "mine-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(project, "mine-1.0")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    record = pip_record(archive.as_uri(), sha256=sha256)
    lock = lock_of([*local_channel.packages, record])
    code = "import mine; print(mine.VERSION)"

    with pytest.raises(UnavailableError, match="which is no wheel"):
        say_of(lock, tmp_path / "root", code)
    accepted = replace(lock, request=replace(lock.request, allow=("build",)))
    assert say_of(accepted, tmp_path / "root", code) == "1.0"
    wrong = replace(record, sha256="0" * 64)
    lock = lock_of([*local_channel.packages, wrong])
    lock = replace(lock, request=replace(lock.request, allow=("build",)))
    with pytest.raises(UnavailableError, match=sha256):
        say_of(lock, tmp_path / "root", code)


@pytest.mark.parametrize(
    ("url", "told", "hint"),
    [
        ("git+https://index.example/x.git@c0ffee", "there is no git here", "install git"),
        ("file:///nowhere/src", "which is not there", "put it there"),
        (
            "https://${EG_TOKEN}@index.example/x-1.0-py3-none-any.whl",
            "with the variable EG_TOKEN",
            "export EG_TOKEN",
        ),
    ],
)
def test_what_is_missing_here_is_said_before_anything_is_fetched(tmp_path, url, told, hint):
    with pytest.raises(UnavailableError, match=told) as caught:
        refuse_uninstallable([pip_record(url)], build=False, environment={"PATH": str(tmp_path)})
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_conda_locks_own_parser_reads_a_repository_and_a_folder(tmp_path):
    from conda_lock.lockfile import parse_conda_lock_file

    git = "git+https://index.example/x.git@0123456789abcdef0123456789abcdef01234567"
    lock = lock_of([pip_record(git), pip_record("file:src#editable=true", name="ours")])
    path = tmp_path / "conda-lock.yml"
    path.write_text(dump_conda_lock(replace(lock, sources=("e.yml",)), created_by="test"))
    mine, ours = parse_conda_lock_file(path).package
    assert (mine.url, mine.source.url) == (git, git)
    assert (ours.url, ours.source.url) == ("file:src#editable=true",) * 2
    assert {mine.hash.sha256, mine.hash.md5, ours.hash.sha256} == {None}
    assert parse_conda_lock(path.read_text(), "l").records_for(current_subdir())[0].url == git
