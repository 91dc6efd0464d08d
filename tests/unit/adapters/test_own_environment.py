"""The user's own environment: what probes get of it, who set what, and user sites with a part left out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.adapters.probing import setting_script
from envguard.adapters.probing.own_environment import OwnEnvironmentHere
from envguard.adapters.probing.tagged import tagged_processes
from envguard.model.culprit import Entry, EntryKind, Setter, SetterKind, UserSite
from envguard.ports.prefixes import Prefix

FOLDER = Entry(EntryKind.LIBRARY_PATH, "/sw/kernels/lib")
VARIABLE = Entry(EntryKind.VARIABLE, "broken", "KMP_AFFINITY")
SEARCH = {"PATH": os.environ["PATH"]}


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    (tmp_path / "p" / setting_script.SCRIPTS).mkdir(parents=True)
    return Prefix(tmp_path / "p", Path(sys.executable), {"FROM_PREFIX": "1"})


def script(prefix: Prefix, name: str, text: str) -> Path:
    path = prefix.path / setting_script.SCRIPTS / name
    path.write_text(text)
    return path


def setter(
    entry: Entry, prefix: Prefix, folder: Path, environ: Mapping[str, str] = SEARCH
) -> Setter | None:
    return OwnEnvironmentHere(folder, environ).setter_of(entry, prefix)


def test_the_variables_of_the_prefix_go_over_the_users(prefix: Prefix, tmp_path: Path) -> None:
    environ = {"FROM_PREFIX": "0", "PYTHONPATH": "/work", "PYTHONHOME": "/other", "X": "1"}
    around = OwnEnvironmentHere(tmp_path, environ).observe(prefix)
    assert around.variables == {"FROM_PREFIX": "1", "PYTHONPATH": "/work", "X": "1"}


@pytest.mark.parametrize(("file", "found"), [("libcuda.so.1", True), ("libcudart.so.12", False)])
def test_the_folder_of_the_driver_is_known(
    prefix: Prefix, tmp_path: Path, file: str, found: bool
) -> None:
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / file).write_text("")
    environ = {"LD_LIBRARY_PATH": f"{tmp_path / 'driver'}::/nowhere"}
    around = OwnEnvironmentHere(tmp_path, environ).observe(prefix)
    assert around.driver_folders == ({str(tmp_path / "driver")} if found else frozenset())


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        pytest.param(FOLDER, 'prepend-path LD_LIBRARY_PATH /sw/kernels/lib\n', True, id="Tcl, path"),
        pytest.param(FOLDER, 'prepend_path("LD_LIBRARY_PATH","/sw/kernels/lib/")', True, id="Lua, path"),
        pytest.param(FOLDER, "prepend-path LD_LIBRARY_PATH /sw/kernels/lib64\n", False, id="longer"),
        pytest.param(FOLDER, "prepend-path X /sw/kernels/lib/more\n", False, id="below it"),
        pytest.param(VARIABLE, "setenv KMP_AFFINITY broken\n", True, id="Tcl, variable"),
        pytest.param(VARIABLE, 'setenv("KMP_AFFINITY", "broken")\n', True, id="Lua, variable"),
        pytest.param(VARIABLE, "setenv KMP_AFFINITY_X broken\n", False, id="another variable"),
    ],
)  # fmt: skip
def test_a_module_is_known_by_its_file(
    prefix: Prefix, tmp_path: Path, entry: Entry, text: str, found: bool
) -> None:
    (tmp_path / "file").write_text(text)
    environ = {
        **SEARCH,
        "LOADEDMODULES": "gcc:kernels",
        "_LMFILES_": f"/no/gcc:{tmp_path / 'file'}",
    }
    told = setter(entry, prefix, tmp_path, environ)
    assert told == (Setter(SetterKind.MODULE, "kernels") if found else None)


def test_lists_of_modules_that_do_not_fit_say_nothing(prefix: Prefix, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("setenv KMP_AFFINITY broken\n")
    environ = {**SEARCH, "LOADEDMODULES": "a:b", "_LMFILES_": str(tmp_path / "file")}
    assert setter(VARIABLE, prefix, tmp_path, environ) is None


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        pytest.param(VARIABLE, "export KMP_AFFINITY=broken\n", True, id="a variable"),
        pytest.param(VARIABLE, "KMP_AFFINITY=broken\n", False, id="not exported"),
        pytest.param(VARIABLE, "export KMP_AFFINITY=other\n", False, id="another value"),
        pytest.param(VARIABLE, "echo KMP_AFFINITY=broken\n", False, id="what it prints"),
        pytest.param(VARIABLE, "export KMP_AFFINITY=broken; exit 3\n", False, id="ends the shell"),
        pytest.param(
            FOLDER,
            "export LD_LIBRARY_PATH=/sw/kernels/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n",
            True,
            id="a folder",
        ),
        pytest.param(
            FOLDER, "export LD_LIBRARY_PATH=/sw/kernels/lib64\n", False, id="another folder"
        ),
    ],
)
def test_an_activation_script_is_known_by_what_it_sets(
    prefix: Prefix, tmp_path: Path, entry: Entry, text: str, found: bool
) -> None:
    script(prefix, "a.sh", "export SOMETHING=else\n")
    path = script(prefix, "b.sh", text)
    told = setter(entry, prefix, tmp_path)
    assert told == (Setter(SetterKind.ACTIVATION, str(path)) if found else None)


def test_the_package_of_an_activation_script_is_named(prefix: Prefix, tmp_path: Path) -> None:
    path = script(prefix, "b.sh", "export KMP_AFFINITY=broken\n")
    record = {"name": "kernels", "version": "2.1", "files": [f"{setting_script.SCRIPTS}/b.sh"]}
    (prefix.path / "conda-meta").mkdir()
    (prefix.path / "conda-meta" / "kernels.json").write_text(json.dumps(record))
    told = setter(VARIABLE, prefix, tmp_path)
    assert told == Setter(SetterKind.ACTIVATION, str(path), "kernels 2.1")


def test_a_script_that_hangs_is_ended_with_all_it_started(
    prefix: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_script, "DEADLINE_S", 0.3)
    script(prefix, "b.sh", "export KMP_AFFINITY=broken\nsetsid sleep 600 &\nsleep 600\n")
    assert setter(VARIABLE, prefix, tmp_path) is None
    assert tagged_processes(f"{tmp_path.name}/") == ()


def test_a_variable_of_the_prefix_is_its_own(prefix: Prefix, tmp_path: Path) -> None:
    own = Entry(EntryKind.VARIABLE, "1", "FROM_PREFIX")
    assert setter(own, prefix, tmp_path) == Setter(SetterKind.PREFIX, "FROM_PREFIX")
    other = Entry(EntryKind.VARIABLE, "2", "FROM_PREFIX")
    assert setter(other, prefix, tmp_path) is None


def make_site(base: Path) -> Path:
    folder = base / "lib" / "python3.12" / "site-packages"
    (folder / "numpy-1.26.4.dist-info").mkdir(parents=True)
    (folder / "numpy").mkdir()
    (folder / "loose.py").write_text("")
    record = "numpy/__init__.py,,\n../../../bin/f2py,,\nnumpy-1.26.4.dist-info/RECORD,,\n"
    (folder / "numpy-1.26.4.dist-info" / "RECORD").write_text(record)
    return folder


def test_a_user_site_is_read_by_its_records(tmp_path: Path) -> None:
    folder = make_site(tmp_path)
    site = OwnEnvironmentHere(tmp_path).user_site(str(tmp_path), str(folder))
    assert site.distributions == {
        "numpy 1.26.4": ("numpy", "numpy-1.26.4.dist-info"),
        "loose.py": ("loose.py",),
    }
    nowhere = OwnEnvironmentHere(tmp_path).user_site("/no", "/no/site")
    assert nowhere == UserSite("/no", "/no/site")


def test_a_user_base_without_a_distribution_has_the_rest_and_is_gone_afterwards(
    tmp_path: Path,
) -> None:
    folder = make_site(tmp_path / "home")
    (tmp_path / "run").mkdir()
    own = OwnEnvironmentHere(tmp_path / "run")
    site = own.user_site(str(tmp_path / "home"), str(folder))
    with own.user_base_without(site, frozenset({"numpy 1.26.4"})) as base:
        there = base / "lib" / "python3.12" / "site-packages"
        assert [path.name for path in there.iterdir()] == ["loose.py"]
    assert list((tmp_path / "run").iterdir()) == []
    assert (folder / "numpy").is_dir(), "what is linked to stays"
