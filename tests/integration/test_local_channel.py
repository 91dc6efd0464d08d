"""A channel from nothing but the running interpreter and a wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envguard.adapters.local_channel.build import LocalChannel, build_channel
from envguard.adapters.local_channel.distribution import conda_spec
from envguard.adapters.local_channel.elf import RUNPATH, point_runpath_to_lib
from envguard.adapters.local_channel.package import hashes_of
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.errors import UnavailableError
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.prefixes import lock_of
from tests.wheels import make_wheel

NOWHERE = {
    "UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple",
    "UV_HTTP_RETRIES": "0",
    "HOME": "/nonexistent",
}


def test_repodata_names_every_package_with_its_hashes(local_channel: LocalChannel) -> None:
    for record in local_channel.packages:
        path = local_channel.path_of(record)
        repodata = json.loads((path.parent / "repodata.json").read_text())
        entry = repodata["packages.conda"][path.name]
        assert {key: entry[key] for key in ("sha256", "md5", "size")} == hashes_of(path)
        assert (entry["name"], entry["version"]) == (record.name, record.version)


def test_pure_python_becomes_noarch_and_the_interpreter_native(local_channel: LocalChannel) -> None:
    subdirs = {record.name: record.subdir for record in local_channel.packages}
    assert subdirs == {"python": current_subdir(), "pip": "noarch", "tiny": "noarch"}


def test_the_same_files_give_the_same_bytes(local_channel: LocalChannel, tmp_path: Path) -> None:
    wheel = local_channel.directory.parent / "wheels" / "tiny-1.2-py3-none-any.whl"
    again = build_channel(tmp_path / "again", [str(wheel)])
    assert {r.sha256 for r in again.packages} == {r.sha256 for r in local_channel.packages}


def test_a_channel_can_be_built_over_itself(tmp_path: Path) -> None:
    first = build_channel(tmp_path, [])
    assert build_channel(tmp_path, []) == first


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no system python here")
def test_the_system_python_can_be_packed(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "tiny", "1.2", {"tiny.py": "VALUE = 42\n"})
    channel = build_channel(tmp_path / "channel", [str(wheel)], python=Path("/usr/bin/python3"))
    assert say(channel, tmp_path, "import tiny; print(tiny.VALUE)") == "42"


def test_a_python_of_a_virtual_environment_gives_its_base(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    channel = build_channel(tmp_path / "channel", [], python=venv / "bin" / "python")
    code = "import sys; print(sys.prefix == sys.base_prefix, sys.version_info[:2])"
    assert say(channel, tmp_path, code) == f"True {sys.version_info[:2]}"


def test_dependencies_become_matchspecs_where_their_markers_hold(tmp_path: Path) -> None:
    requires = [
        "tiny-dep >=1,<3",
        'never-here; sys_platform == "win32"',
        'only-extra; extra == "gpu"',
    ]
    dep = make_wheel(tmp_path / "wheels", "tiny-dep", "2.0", {"tiny_dep.py": ""})
    top = make_wheel(tmp_path / "wheels", "top", "1.0", {"top.py": ""}, requires=requires)
    channel = build_channel(tmp_path / "channel", [str(dep), str(top)])
    record = next(record for record in channel.packages if record.name == "top")
    assert record.depends == ("python", "tiny-dep <3,>=1")


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        pytest.param("", "x", id="none"),
        pytest.param(">=1.2,<2", "x <2,>=1.2", id="range"),
        pytest.param("==1.2.*", "x 1.2.*", id="prefix match"),
        pytest.param("!=1.2.*", "x !=1.2.*", id="excluded prefix"),
        pytest.param("===1.2", "x ==1.2", id="arbitrary equality"),
        pytest.param("~=1.4", "x ~=1.4", id="compatible"),
    ],
)
def test_a_specifier_becomes_a_matchspec(specifier: str, expected: str) -> None:
    assert conda_spec("x", specifier) == expected


def test_an_index_that_does_not_answer_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        UnavailableError, match="no-such-thing could not be fetched from PyPI: Failed to fetch"
    ) as caught:
        build_channel(tmp_path / "channel", ["no-such-thing"], environment=NOWHERE)
    assert caught.value.hint is not None
    assert not (tmp_path / "channel").exists()


def test_the_temporary_directory_of_the_user_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    channel = build_channel(tmp_path / "channel", [])
    assert say(channel, tmp_path, "print(1)") == "1"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"could not be made in .*: Not a directory"):
        build_channel(tmp_path / "file" / "channel", [])


def test_torch_is_refused_when_no_cpu_build_can_be_had(tmp_path: Path) -> None:
    environment = {**NOWHERE, "HTTPS_PROXY": "http://127.0.0.1:1"}
    environment["UV_CACHE_DIR"] = str(tmp_path / "cache")
    with pytest.raises(UnavailableError, match="no CPU build of torch") as caught:
        build_channel(tmp_path / "channel", [], torch=True, environment=environment)
    assert len(caught.value.problems) == 1
    assert "--torch-backend cpu" in caught.value.problems[0]


@pytest.mark.skipif(not Path("/usr/bin/cc").exists(), reason="no C compiler here")
@pytest.mark.parametrize(
    ("runpath", "patched"),
    [
        pytest.param("$ORIGIN/../lib", True, id="exactly as long"),
        pytest.param("/opt/python-3.11/lib", True, id="longer"),
        pytest.param("/opt/p/libs", False, id="too short"),
        pytest.param(None, False, id="none"),
    ],
)
def test_a_runpath_is_replaced_where_it_fits(
    tmp_path: Path, runpath: str | None, patched: bool
) -> None:
    (tmp_path / "main.c").write_text("int main(void) { return 7; }\n")
    program = tmp_path / "program"
    flags = [f"-Wl,-rpath,{runpath}"] if runpath else []
    subprocess.run(["cc", str(tmp_path / "main.c"), "-o", str(program), *flags], check=True)
    assert point_runpath_to_lib(program) is patched
    assert (RUNPATH in program.read_bytes()) is patched
    assert subprocess.run([str(program)], check=False).returncode == 7


def test_a_file_that_is_no_elf_is_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert point_runpath_to_lib(script) is False
    assert script.read_text() == "#!/bin/sh\n"


def say(channel: LocalChannel, root: Path, code: str) -> str:
    """What a python installed from `channel` prints."""
    prefixes = ThrowawayPrefixes(root=root / "cache")
    lock = lock_of(channel.packages)
    with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as prefix:
        said = subprocess.check_output([prefix.python, "-I", "-c", code], text=True)
    shutil.rmtree(root / "cache")
    return said.strip()
