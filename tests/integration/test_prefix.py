"""Throwaway prefixes from real packages: what is checked, what is refused, what is left behind."""

from __future__ import annotations

import hashlib
import os
import pickle
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.local_channel.package import PackageDraft, PackageFile, write_package
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes, refuse_noexec
from envguard.adapters.user_folders import cache_root
from envguard.errors import UnavailableError
from envguard.model.package import Manager, PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT, Progress
from tests.prefix_server import serve
from tests.prefixes import lock_of, wheel_record
from tests.wheels import make_wheel

CANONICAL = "https://conda.anaconda.org/local"


class Noted(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def advance(self, done: int, total: int) -> None:
        self.steps.append((done, total))


def say(prefixes: ThrowawayPrefixes, records: Sequence[PackageRecord], code: str) -> str:
    """What the python of a throwaway prefix with `records` prints."""
    lock = lock_of(records)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        return subprocess.check_output([prefix.python, "-I", "-c", code], text=True).strip()


def refusal(prefixes: ThrowawayPrefixes, records: Sequence[PackageRecord]) -> UnavailableError:
    """Why no prefix could be made."""
    lock = lock_of(records)
    with (
        pytest.raises(UnavailableError) as caught,
        prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT),
    ):
        pass
    assert caught.value.hint, "every refusal says what to do next"
    return caught.value


def altered(channel: LocalChannel, name: str, **changes: object) -> list[PackageRecord]:
    """The channel's records with one of them changed."""
    return [
        replace(record, **changes) if record.name == name else record  # type: ignore[arg-type]
        for record in channel.packages
    ]


def moved(channel: LocalChannel, url: str) -> list[PackageRecord]:
    """The records as if the channel were at `url`."""
    return [
        replace(record, channel=url, url=f"{url}/{record.subdir}/{channel.path_of(record).name}")
        for record in channel.packages
    ]


def test_packages_are_importable_and_commands_run(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    prefixes = ThrowawayPrefixes(root=tmp_path)
    noted = Noted()
    lock = lock_of(local_channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=noted) as prefix:
        said = subprocess.check_output([prefix.path / "bin" / "tiny"], text=True)
        assert said == "tiny 42\n"
    assert noted.steps[-1] == (3, 3)
    assert noted.stages == [
        "checking 3 packages, all of them here",
        "installing 3 packages into a throwaway prefix",
    ]


def test_files_are_hard_linked_from_the_cache(local_channel: LocalChannel, tmp_path: Path) -> None:
    prefixes = ThrowawayPrefixes(root=tmp_path)
    lock = lock_of(local_channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        [module] = prefix.path.glob("lib/python*/site-packages/tiny/__init__.py")
        [cached] = (tmp_path / "pkgs").glob("tiny-*/site-packages/tiny/__init__.py")
        assert module.samefile(cached)


def test_nothing_of_the_packer_remains_in_the_prefix(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    code = (
        "import sysconfig; print(sysconfig.get_config_var('LIBDIR').startswith('/usr') or "
        "sysconfig.get_config_var('LIBDIR') == sysconfig.get_config_var('prefix') + '/lib')"
    )
    assert say(ThrowawayPrefixes(root=tmp_path), local_channel.packages, code) == "True"


def test_the_pip_part_is_installed_with_its_hash(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    prefixes = ThrowawayPrefixes(root=tmp_path / "root")
    assert say(prefixes, records, "import pip_made; print(pip_made.VALUE)") == "7"


def test_a_wheel_that_changed_is_refused(local_channel: LocalChannel, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 7\n"})
    record = wheel_record(wheel, name="pip-made", version="3.1")
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 8\n"})
    error = refusal(ThrowawayPrefixes(root=tmp_path / "root"), [*local_channel.packages, record])
    assert "pip packages of the lock could not be installed" in error.message
    assert str(record.sha256) in error.message
    assert list((tmp_path / "root" / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"sha256": None}, "1 package(s) of the lock cannot be checked", id="no sha256"
        ),
        pytest.param(
            {"url": "https://index.example/pip-made-3.1.tar.gz"}, "which is no wheel", id="an sdist"
        ),
    ],
)
def test_pip_records_that_cannot_be_proven_are_refused(
    local_channel: LocalChannel, tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": ""})
    record = replace(wheel_record(wheel, name="pip-made", version="3.1"), **changes)  # type: ignore[arg-type]
    error = refusal(ThrowawayPrefixes(root=tmp_path / "root"), [*local_channel.packages, record])
    assert message in error.message


class TestHashes:
    """Every package is what was locked, wherever it comes from, and whatever is in the cache."""

    WRONG_SHA256 = "0" * 64
    WRONG_MD5 = "0" * 32

    @pytest.fixture(params=["file", "http", "http, warm cache"])
    def place(
        self, request: pytest.FixtureRequest, local_channel: LocalChannel, tmp_path: Path
    ) -> Iterator[tuple[ThrowawayPrefixes, list[PackageRecord]]]:
        """(factory, records): the same packages from a folder, a server, a server with a cache."""
        prefixes = ThrowawayPrefixes(root=tmp_path)
        if request.param == "file":
            yield prefixes, list(local_channel.packages)
            return
        if "warm" in request.param:
            say(prefixes, local_channel.packages, "pass")
        with serve(local_channel.directory) as url:
            yield prefixes, moved(local_channel, url)

    def change(
        self, records: list[PackageRecord], *, sha256: str | None, md5: str | None
    ) -> list[PackageRecord]:
        return [
            replace(record, sha256=sha256, md5=md5) if record.name == "tiny" else record
            for record in records
        ]

    def test_the_right_sha256_passes(
        self, place: tuple[ThrowawayPrefixes, list[PackageRecord]]
    ) -> None:
        prefixes, records = place
        assert say(prefixes, records, "import tiny; print(tiny.VALUE)") == "42"

    def test_a_wrong_sha256_is_refused_by_name(
        self, place: tuple[ThrowawayPrefixes, list[PackageRecord]], local_channel: LocalChannel
    ) -> None:
        prefixes, records = place
        tiny = next(record for record in local_channel.packages if record.name == "tiny")
        changed = self.change(records, sha256=self.WRONG_SHA256, md5=tiny.md5)
        error = refusal(prefixes, changed)
        assert "tiny" in error.message
        assert f"expected {self.WRONG_SHA256}, got {tiny.sha256}" in error.message

    def test_the_right_md5_alone_passes(
        self, place: tuple[ThrowawayPrefixes, list[PackageRecord]], local_channel: LocalChannel
    ) -> None:
        prefixes, records = place
        tiny = next(record for record in local_channel.packages if record.name == "tiny")
        changed = self.change(records, sha256=None, md5=tiny.md5)
        assert say(prefixes, changed, "import tiny; print(tiny.VALUE)") == "42"

    def test_a_wrong_md5_alone_is_refused(
        self, place: tuple[ThrowawayPrefixes, list[PackageRecord]]
    ) -> None:
        prefixes, records = place
        error = refusal(prefixes, self.change(records, sha256=None, md5=self.WRONG_MD5))
        assert "tiny" in error.message
        assert f"md5 expected {self.WRONG_MD5}, got" in error.message

    def test_neither_is_refused(self, place: tuple[ThrowawayPrefixes, list[PackageRecord]]) -> None:
        prefixes, records = place
        error = refusal(prefixes, self.change(records, sha256=None, md5=None))
        assert [line.split()[0] for line in error.problems] == ["tiny"]


def test_a_file_that_was_altered_is_refused_although_a_good_copy_is_cached(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    prefixes = ThrowawayPrefixes(root=tmp_path / "root")
    say(prefixes, local_channel.packages, "pass")
    tiny = next(record for record in local_channel.packages if record.name == "tiny")
    copy = tmp_path / local_channel.path_of(tiny).name
    copy.write_bytes(local_channel.path_of(tiny).read_bytes() + b"x")
    error = refusal(prefixes, altered(local_channel, "tiny", url=copy.as_uri()))
    assert hashlib.sha256(copy.read_bytes()).hexdigest() in error.message


def test_a_file_that_is_missing_is_named(local_channel: LocalChannel, tmp_path: Path) -> None:
    url = (tmp_path / "gone.conda").as_uri()
    error = refusal(ThrowawayPrefixes(root=tmp_path), altered(local_channel, "tiny", url=url))
    assert "tiny" in error.message
    assert "gone.conda could not be read: No such file or directory" in error.message


@pytest.mark.parametrize(
    ("base", "said"),
    [
        pytest.param("{server}/nothing", "404", id="not on the server"),
        pytest.param("http://127.0.0.1:1/x", "127.0.0.1:1", id="nobody listens"),
        pytest.param("http://me:secret@127.0.0.1:1/t/tk-1/x", "127.0.0.1:1/x", id="credentials"),
    ],
)
def test_a_channel_that_does_not_answer_is_named(
    local_channel: LocalChannel, tmp_path: Path, base: str, said: str
) -> None:
    with serve(local_channel.directory) as server:
        records = moved(local_channel, base.format(server=server))
        error = refusal(ThrowawayPrefixes(root=tmp_path), records)
    assert said in error.message
    assert "secret" not in error.message
    assert "tk-1" not in error.message


@pytest.mark.parametrize("hashed", [pytest.param(True, id="sha256"), pytest.param(False, id="md5")])
def test_a_stalled_download_is_given_up(
    local_channel: LocalChannel, tmp_path: Path, hashed: bool
) -> None:
    with serve(local_channel.directory, stalling=True) as url:
        records = moved(local_channel, url)
        if not hashed:
            records = [replace(record, sha256=None) for record in records]
        before = time.monotonic()
        error = refusal(ThrowawayPrefixes(root=tmp_path, stall_s=0.8), records)
    assert time.monotonic() - before < 5
    assert "stood still for 0.8 s" in error.message or "ConnectionError" in error.message
    assert list((tmp_path / "scratch").iterdir()) == []
    assert psutil.Process().children() == []


def test_a_mirror_serves_the_canonical_channel(local_channel: LocalChannel, tmp_path: Path) -> None:
    records = moved(local_channel, CANONICAL)
    with serve(local_channel.directory) as url:
        over_http = ThrowawayPrefixes(root=tmp_path / "a", mirrors={CANONICAL: url})
        assert say(over_http, records, "import tiny; print(tiny.VALUE)") == "42"
    from_disk = ThrowawayPrefixes(root=tmp_path / "b", mirrors={CANONICAL: local_channel.url})
    assert say(from_disk, records, "import tiny; print(tiny.VALUE)") == "42"


def test_a_mirror_that_serves_something_else_is_refused(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    records = [
        replace(record, sha256="0" * 64) if record.name == "tiny" else record
        for record in moved(local_channel, CANONICAL)
    ]
    prefixes = ThrowawayPrefixes(root=tmp_path, mirrors={CANONICAL: local_channel.url})
    assert "not the file that was locked" in refusal(prefixes, records).message


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.unlink(), id="a file is missing"),
        pytest.param(lambda file: file.write_text("VALUE = 41\n"), id="a file was written to"),
        pytest.param(lambda file: file.write_text(""), id="a file is empty"),
    ],
)
def test_an_unpacked_package_that_was_altered_in_the_cache_is_unpacked_again(
    local_channel: LocalChannel, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    prefixes = ThrowawayPrefixes(root=tmp_path)
    say(prefixes, local_channel.packages, "pass")
    [module] = (tmp_path / "pkgs").glob("tiny-*/site-packages/tiny/__init__.py")
    damage(module)
    assert say(prefixes, local_channel.packages, "import tiny; print(tiny.VALUE)") == "42"


def test_a_cache_that_is_only_read_is_not_unpacked_again(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    prefixes = ThrowawayPrefixes(root=tmp_path)
    say(prefixes, local_channel.packages, "pass")
    [module] = (tmp_path / "pkgs").glob("tiny-*/site-packages/tiny/__init__.py")
    inode = module.stat().st_ino
    os.utime(module)  # touched, and still what was locked
    say(prefixes, local_channel.packages, "pass")
    assert module.stat().st_ino == inode


def test_offline_takes_the_cache_and_nothing_else(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    with serve(local_channel.directory) as url:
        records = moved(local_channel, url)
        cold = ThrowawayPrefixes(root=tmp_path, offline=True)
        error = refusal(cold, records)
        assert "--offline is on" in error.message
        assert any("tiny-1.2" in problem for problem in error.problems)
        say(ThrowawayPrefixes(root=tmp_path), records, "pass")
    assert say(cold, records, "import tiny; print(tiny.VALUE)") == "42"


def test_offline_does_not_take_a_cached_package_of_another_hash(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    with serve(local_channel.directory) as url:
        records = moved(local_channel, url)
        say(ThrowawayPrefixes(root=tmp_path), records, "pass")
        changed = [replace(r, sha256="0" * 64) if r.name == "tiny" else r for r in records]
        error = refusal(ThrowawayPrefixes(root=tmp_path, offline=True), changed)
    assert "tiny" in " ".join((error.message, *error.problems))


def test_too_little_room_is_said_with_numbers(local_channel: LocalChannel, tmp_path: Path) -> None:
    records = altered(local_channel, "tiny", size_bytes=10**18)
    error = refusal(ThrowawayPrefixes(root=tmp_path), records)
    assert "MB free; the packages take 1,000,000,000,0" in error.message


def test_a_file_system_that_starts_no_programs_is_said(tmp_path: Path) -> None:
    refuse_noexec(tmp_path)
    noexec = Path("/proc")
    if not noexec.is_dir() or not os.statvfs(noexec).f_flag & os.ST_NOEXEC:
        pytest.skip("/proc is not mounted noexec here")
    with pytest.raises(UnavailableError, match="starts no programs") as caught:
        refuse_noexec(noexec)
    assert "ENVGUARD_CACHE_DIR" in (caught.value.hint or "")


def test_a_cache_that_is_no_folder_is_said(local_channel: LocalChannel, tmp_path: Path) -> None:
    (tmp_path / "pkgs").write_text("in the way")
    error = refusal(ThrowawayPrefixes(root=tmp_path), local_channel.packages)
    assert "cannot be written to" in error.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_place_is_said(local_channel: LocalChannel, tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    error = refusal(ThrowawayPrefixes(root=tmp_path / "cache"), local_channel.packages)
    tmp_path.chmod(stat.S_IRWXU)
    assert "cannot be written to: Permission denied" in error.message


def test_modules_where_the_user_stands_are_not_imported(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "envguard.py", "asyncio.py"):
        (tmp_path / name).write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    prefixes = ThrowawayPrefixes(root=tmp_path / "root")
    assert say(prefixes, local_channel.packages, "import tiny; print(tiny.VALUE)") == "42"


def test_the_reader_tells_conda_from_pip_in_a_real_prefix(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": ""})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    with ThrowawayPrefixes(root=tmp_path / "root").throwaway(
        lock_of(records), current_subdir(), keep=False, progress=SILENT
    ) as prefix:
        installed = PrefixReaderOnDisk().read(prefix.path)
    assert installed.problems == ()
    assert {(r.name, r.version, r.build) for r in installed.records} == {
        (r.name, r.version, r.build) for r in records
    }
    assert installed.python == prefix.python
    conda = {r.name: r for r in installed.records if r.manager is Manager.CONDA}
    assert {r.name: r.url for r in local_channel.packages} == {n: r.url for n, r in conda.items()}
    assert installed.pip_origins == {"pip-made": wheel.as_uri()}


def test_link_scripts_of_packages_do_not_run(local_channel: LocalChannel, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    script.chmod(0o755)
    files = (PackageFile(script, "bin/.nosy-post-link.sh"),)
    draft = PackageDraft("nosy", "1.0", current_subdir(), files)
    written = write_package(draft, tmp_path / "channel", prefix=tmp_path / "none")
    record = written.record(channel=(tmp_path / "channel").as_uri())
    say(ThrowawayPrefixes(root=tmp_path / "root"), [*local_channel.packages, record], "pass")
    assert not (tmp_path / "was-run").exists()


def test_what_a_killed_install_left_in_the_cache_is_removed(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    left = tmp_path / "pkgs" / ".tiny-1.2-abc123"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    say(ThrowawayPrefixes(root=tmp_path), local_channel.packages, "pass")
    assert not left.exists()


def test_the_cache_is_where_the_user_says() -> None:
    assert cache_root({"ENVGUARD_CACHE_DIR": "/scratch/eg"}) == Path("/scratch/eg")
    assert cache_root({}).name == "envguard"


CHILD = """
import pickle, sys, time
from pathlib import Path
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
lock = pickle.loads(Path(sys.argv[2]).read_bytes())
print("started", flush=True)
with ThrowawayPrefixes(root=Path(sys.argv[1])).throwaway(
    lock, current_subdir(), keep=False, progress=SILENT
) as prefix:
    print("made", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGKILL, id="kill -9"),
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGINT, id="ctrl-c"),
    ],
)
def test_killed_at_any_time_nothing_stays(
    local_channel: LocalChannel, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "lock").write_bytes(pickle.dumps(lock_of(local_channel.packages)))
    root = tmp_path / "root"
    chance = random.Random(number)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(root), str(tmp_path / "lock")],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.7))
        helpers = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(number)
        child.wait(timeout=10)
        child.stdout.close()
        assert psutil.wait_procs(helpers, timeout=5)[1] == [], "the worker ends with us"
        if number is not signal.SIGKILL:
            assert list((root / "scratch").iterdir()) == []
    # the next start finds no prefix of the dead, and a cache that works
    assert say(ThrowawayPrefixes(root=root), local_channel.packages, "import tiny; print(1)") == "1"
    assert list((root / "scratch").iterdir()) == []


def test_a_download_ends_with_the_process_that_wanted_it(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    with serve(local_channel.directory, stalling=True) as url:
        (tmp_path / "lock").write_bytes(pickle.dumps(lock_of(moved(local_channel, url))))
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "root"), str(tmp_path / "lock")],
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + 10
        while not (helpers := psutil.Process(child.pid).children()) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(1)  # until the worker waits for the server
        child.kill()
        child.wait()
        assert len(helpers) == 1
        assert psutil.wait_procs(helpers, timeout=3)[1] == []
