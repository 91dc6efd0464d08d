"""The life of a throwaway prefix: where it is, what it runs with, what it alters, and that runs are many."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envguard.adapters.archives import ArchiveCache
from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.local_channel.package import PackageDraft, PackageFile, write_package
from envguard.adapters.prefixes.packed import PackedPrefixes
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.prefixes import Aftermath, Prefix
from envguard.ports.progress import SILENT, Progress
from tests.packs import pack_of
from tests.prefixes import lock_of, wheel_record
from tests.wheels import make_wheel

TINY = "import tiny; print(tiny.VALUE)"


class Said(Progress):
    """What a person was shown before it happened."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def package(folder: Path, name: str, files: dict[str, str]) -> PackageRecord:
    """A package of the given files; paths in the prefix to their text."""
    drafted = []
    for number, (target, text) in enumerate(files.items()):
        source = folder / f"{name}-{number}"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text)
        source.chmod(0o755)
        drafted.append(PackageFile(source, target))
    draft = PackageDraft(name, "1.0", current_subdir(), tuple(drafted))
    written = write_package(draft, folder / "channel", prefix=folder / "none")
    return written.record(channel=(folder / "channel").as_uri())


def run(
    root: Path,
    records: Sequence[PackageRecord],
    code: str = TINY,
    *,
    link_scripts: bool = False,
    variables: dict[str, str] | None = None,
    progress: Progress = SILENT,
) -> tuple[str, Aftermath]:
    """What `code` prints in a throwaway prefix, and what is known of the prefix afterwards."""
    prefixes = ThrowawayPrefixes(root=root, link_scripts=link_scripts)
    lock = lock_of(records, variables=variables)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=progress) as prefix:
        said = in_prefix(prefix, code)
    assert list((root / "scratch").iterdir()) == []
    return said, prefix.aftermath()


def in_prefix(prefix: Prefix, code: str) -> str:
    environment = {**os.environ, **prefix.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [prefix.python, "-c", code]
    return subprocess.check_output(command, text=True, env=environment).strip()


WRITES = """
import os, tiny
before = os.stat(tiny.__file__)
with open(tiny.__file__, 'r+') as stream:
    text = stream.read().replace('42', '41')
    stream.seek(0); stream.write(text)
os.utime(tiny.__file__, ns=(before.st_atime_ns, before.st_mtime_ns))
"""
REPLACES = """
import os, tiny
os.unlink(tiny.__file__)
open(tiny.__file__, 'w').write('VALUE = 41')
"""


@pytest.mark.parametrize(
    ("code", "dropped"),
    [
        pytest.param(TINY, False, id="reads"),
        pytest.param("import os, tiny; os.utime(tiny.__file__)", False, id="touches"),
        pytest.param("import os, tiny; os.link(tiny.__file__, 'other')", False, id="links"),
        pytest.param(REPLACES, False, id="puts another file in its place"),
        pytest.param(WRITES.rpartition("os.utime")[0], True, id="writes into a file of the cache"),
        pytest.param(WRITES, True, id="and sets its time back"),
    ],
)
def test_what_a_program_alters_is_never_served_again(
    local_channel: LocalChannel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    dropped: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    _, after = run(tmp_path / "root", local_channel.packages, code)
    cached = list((tmp_path / "root" / "pkgs").glob("tiny-*/site-packages/tiny/__init__.py"))
    assert cached == [] if dropped else len(cached) == 1
    told = [note for note in after.notes if "wrote into its own packages: tiny-1.2" in note]
    assert len(told) == int(dropped)
    assert run(tmp_path / "root", local_channel.packages)[0] == "42"


def test_a_wheel_that_a_program_alters_is_dropped_from_the_cache_of_uv(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_LINK_MODE", "hardlink")
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 42\n"})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    _, after = run(tmp_path / "root", records, WRITES.replace("tiny", "pip_made"))
    assert any("pip_made" in note for note in after.notes)
    said, _ = run(tmp_path / "root", records, "import pip_made; print(pip_made.VALUE)")
    assert said == "42"


KILLED = f"""
import os, signal, subprocess, sys
from pathlib import Path
import pickle
from envguard.adapters.archives import ArchiveCache
from envguard.adapters.prefixes.packed import PackedPrefixes
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
lock = pickle.loads(Path(sys.argv[2]).read_bytes())
with ThrowawayPrefixes(root=Path(sys.argv[1])).throwaway(
    lock, current_subdir(), keep=False, progress=SILENT
) as prefix:
    subprocess.check_call([prefix.python, "-B", "-c", {WRITES!r}])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_altered_is_not_served_either(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    import pickle

    root = tmp_path / "root"
    (tmp_path / "lock").write_bytes(pickle.dumps(lock_of(local_channel.packages)))
    command = [sys.executable, "-c", KILLED, str(root), str(tmp_path / "lock")]
    assert subprocess.run(command, check=False).returncode == -9
    [module] = (root / "pkgs").glob("tiny-*/site-packages/tiny/__init__.py")
    assert "41" in module.read_text(), "the cache was altered, with its time set back"
    assert run(root, local_channel.packages)[0] == "42"


def test_what_cannot_be_dropped_is_said_and_loses_no_report(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_LINK_MODE", "hardlink")
    wheel = make_wheel(tmp_path / "w", "pip-made", "3.1", {"pip_made.py": "VALUE = 42\n"})
    records = [*local_channel.packages, wheel_record(wheel, name="pip-made", version="3.1")]
    prefixes = ThrowawayPrefixes(root=tmp_path / "root")
    with prefixes.throwaway(
        lock_of(records), current_subdir(), keep=False, progress=SILENT
    ) as prefix:
        in_prefix(prefix, WRITES.replace("tiny", "pip_made"))
        monkeypatch.setenv("UV_CONCURRENT_BUILDS", "which uv does not take")
    assert not prefix.path.exists()
    [note] = [note for note in prefix.aftermath().notes if "pip_made" in note]
    assert "could not be dropped from the cache" in note
    assert "uv cache clean pip_made" in note


def test_what_a_killed_run_altered_is_not_served_after_a_pack_was_made(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    """Whoever prunes the folder first looks after its files."""
    import pickle

    root = tmp_path / "root"
    (tmp_path / "lock").write_bytes(pickle.dumps(lock_of(local_channel.packages)))
    command = [sys.executable, "-c", KILLED, str(root), str(tmp_path / "lock")]
    assert subprocess.run(command, check=False).returncode == -9
    ArchiveCache(root).fetch((), SILENT)
    pack_of(local_channel, tmp_path / "x.pack")
    packed = PackedPrefixes(tmp_path / "x.pack", root=root)
    lock = lock_of(local_channel.packages)
    with packed.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        assert in_prefix(prefix, TINY) == "42"


def test_runs_at_the_same_time_do_not_disturb_each_other(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    def work(number: int) -> str:
        prefixes = ThrowawayPrefixes(root=tmp_path)
        lock = lock_of(local_channel.packages)
        with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
            return in_prefix(prefix, WRITES if number == 0 else TINY)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(work, range(8)))
    # one that was linked while the first one wrote may have seen it; none made afterwards does
    assert set(said[1:]) <= {"42", "41"}
    assert list((tmp_path / "scratch").iterdir()) == []
    assert run(tmp_path, local_channel.packages)[0] == "42"


class TestActivation:
    """As `conda activate` would: variables, then scripts by name, in one shell."""

    def scripts(self, folder: Path, **scripts: str) -> PackageRecord:
        return package(
            folder, "active", {f"etc/conda/activate.d/{n}.sh": text for n, text in scripts.items()}
        )

    def test_scripts_run_by_name_after_the_variables(
        self, local_channel: LocalChannel, tmp_path: Path
    ) -> None:
        record = self.scripts(
            tmp_path,
            b="export TOLD=$TOLD-b-$LOCAL",
            a="LOCAL=seen; echo noise; export TOLD=$SAID-a-$(basename $CONDA_PREFIX)",
        )
        said, after = run(
            tmp_path / "root",
            [*local_channel.packages, record],
            "import os; print(os.environ['TOLD'])",
            variables={"SAID": "first"},
        )
        assert said == "first-a-prefix-b-seen"
        assert not any("activation" in note for note in after.notes)

    @pytest.mark.parametrize(
        ("script", "words"),
        [
            pytest.param("exit 3", "ended the shell with status 3", id="ends the shell"),
            pytest.param("kill -9 $$", "ended the shell with status -9", id="kills it"),
        ],
    )
    def test_a_script_that_ends_the_shell_is_said_and_stops_nothing(
        self, local_channel: LocalChannel, tmp_path: Path, script: str, words: str
    ) -> None:
        record = self.scripts(tmp_path, a="export TOLD=1", b=script)
        said, after = run(tmp_path / "root", [*local_channel.packages, record])
        assert said == "42"
        assert [note for note in after.notes if words in note and "a.sh, b.sh" in note]

    def test_a_script_that_fails_on_the_way_is_as_harmless_as_in_a_shell(
        self, local_channel: LocalChannel, tmp_path: Path
    ) -> None:
        record = self.scripts(tmp_path, a="false; nonsense 2>/dev/null; export TOLD=on")
        said, _ = run(
            tmp_path / "root",
            [*local_channel.packages, record],
            "import os; print(os.environ['TOLD'])",
        )
        assert said == "on"

    def test_a_script_that_hangs_is_given_up_and_leaves_no_process(self, tmp_path: Path) -> None:
        from envguard.adapters.prefixes.activation import activated
        from envguard.adapters.probing.tagged import tagged_processes

        folder = tmp_path / "etc" / "conda" / "activate.d"
        folder.mkdir(parents=True)
        (folder / "a.sh").write_text("setsid sleep 600 & sleep 600")
        tag = f"{tmp_path.name}/activation/"
        made = activated(tmp_path, {"A": "1"}, tag=tag, deadline_s=0.5)
        assert made.variables == {"A": "1"}
        assert "did not end within 0.5 s" in (made.problem or "")
        assert tagged_processes(tag) == ()


@pytest.mark.parametrize("allowed", [False, True], ids=["off", "asked for"])
def test_link_scripts_run_only_when_asked_for_and_are_always_told(
    local_channel: LocalChannel, tmp_path: Path, allowed: bool
) -> None:
    script = f"#!/bin/sh\ntouch {tmp_path}/was-run\n"
    record = package(tmp_path, "nosy", {"bin/.nosy-post-link.sh": script})
    _, after = run(tmp_path / "root", [*local_channel.packages, record], link_scripts=allowed)
    assert (tmp_path / "was-run").exists() is allowed
    words = "nosy ran" if allowed else "nosy did not run; verify --allow link-scripts runs them"
    assert [note for note in after.notes if f"link scripts of {words}" in note]


def test_place_and_room_are_said_before_it_starts_and_the_disk_afterwards(
    local_channel: LocalChannel, tmp_path: Path
) -> None:
    said = Said()
    _, after = run(tmp_path, local_channel.packages, progress=said)
    [line] = said.lines
    assert line.startswith(
        f"throwaway environment in {tmp_path}/scratch (beside the package cache: hard links), "
    )
    assert line.endswith(" MB free")
    made = after.throwaway
    assert made is not None
    assert (made.packages, made.how) == (3, "hard links")
    sizes = sum(f.stat().st_size for f in (tmp_path / "pkgs").rglob("*") if f.is_file())
    assert made.disk_bytes is not None
    assert 0 < made.disk_bytes < sizes / 2


def test_another_place_that_the_user_names_is_taken_and_left_clean(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVGUARD_SCRATCH_DIR", str(tmp_path / "fast"))
    (tmp_path / "root" / "scratch").mkdir(parents=True)
    said, after = run(tmp_path / "root", local_channel.packages)
    assert said == "42"
    assert after.throwaway is not None
    assert after.throwaway.place == str(tmp_path / "fast")
    assert list((tmp_path / "fast").iterdir()) == []


def test_of_a_place_for_all_nothing_of_ours_stays(
    local_channel: LocalChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "scratch-of-the-node"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("ENVGUARD_SCRATCH_DIR", str(shared))
    (tmp_path / "root" / "scratch").mkdir(parents=True)
    said, after = run(tmp_path / "root", local_channel.packages)
    assert said == "42"
    assert after.throwaway is not None
    assert after.throwaway.place == str(shared / f"envguard-{os.getuid()}-prefixes")
    assert list(shared.iterdir()) == []
