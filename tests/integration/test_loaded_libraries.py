"""The probe of loaded libraries on compiled ones: names, versions of symbols, owners, and who loaded them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envguard.adapters.prefixes.library_owners import with_owners
from envguard.adapters.probing.runner import process_probes
from envguard.formats.tables.loaded_values import parse_loaded
from envguard.model.loaded import Loaded, LoadedLibrary
from envguard.model.probe import Outcome, OwnerKind, Probe
from tests.culprits import (
    NoCompiler,
    compiled,
    conda_package,
    framework,
    make_prefix,
    site_of,
)
from tests.integration.test_probe_processes import interpreters

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="loaded libraries are read from /proc"
)


def look(prefix: Path, *modules: str, environment: dict[str, str] | None = None) -> Loaded:
    probe = Probe("loaded", "loaded.py", {"modules": list(modules), "device": "cpu"})
    with process_probes(root=prefix.parent / "runs") as runner:
        result = runner.run(
            probe, python=prefix / "bin" / "python", environment=environment or {}, timeout_s=60
        )
    assert result.outcome is Outcome.PASSED, result
    return with_owners(parse_loaded([result.values]), prefix, environment or {})


def named(loaded: Loaded, name: str) -> LoadedLibrary:
    (library,) = [library for library in loaded.libraries if library.name == name]
    return library


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = make_prefix(tmp_path / "prefix")
    versions = tmp_path / "versions.map"
    versions.write_text("GLIBCXX_3.4.9 { start_kernels; };\nGLIBCXX_3.4.30 { } GLIBCXX_3.4.9;\n")
    try:
        own = compiled(
            prefix / "lib" / "libstdc++.so.6", "GOOD", f"-Wl,--version-script={versions}"
        )
    except NoCompiler as missing:
        pytest.skip(str(missing))
    conda_package(prefix, "libstdcxx", "15.1", ["lib/libstdc++.so.6"])
    core = site_of(prefix) / "cupy" / "_core.so"
    compiled(core, "USES", str(own), "-Wl,--enable-new-dtags,-rpath,$ORIGIN/../../..")
    framework(prefix, "cupy", core, "use_kernels")
    return prefix


def test_names_versions_owners_and_who_loaded_it(prefix: Path) -> None:
    loaded = look(prefix, "cupy")
    core, own = named(loaded, "_core.so"), named(loaded, "libstdc++.so.6")
    assert core.needed[0] == "libstdc++.so.6"
    assert (core.wants_glibcxx, own.has_glibcxx) == ("3.4.9", "3.4.30")
    assert loaded.own_glibcxx == "3.4.30"
    assert core.module == own.module == "cupy"
    assert core.owner is not None
    assert own.owner is not None
    assert (core.owner.kind, core.owner.name) == (OwnerKind.WHEEL, "cupy 1.0")
    assert (own.owner.kind, own.owner.name) == (OwnerKind.CONDA, "libstdcxx 15.1")
    assert named(loaded, "libc.so.6").owner is not None
    assert loaded.own == {}


def test_a_foreign_one_has_the_own_copy_beside_it(prefix: Path, tmp_path: Path) -> None:
    versions = tmp_path / "older.map"
    versions.write_text("GLIBCXX_3.4.9 { start_kernels; };\n")
    option = f"-Wl,--version-script={versions}"
    foreign = compiled(tmp_path / "opt" / "libstdc++.so.6", "GOOD", option)
    loaded = look(prefix, "cupy", environment={"LD_LIBRARY_PATH": str(foreign.parent)})
    library = named(loaded, "libstdc++.so.6")
    assert (library.path, library.has_glibcxx) == (str(foreign), "3.4.9")
    assert library.owner is not None
    assert library.owner.kind is OwnerKind.OUTSIDE
    assert loaded.own["libstdc++.so.6"].path == str(prefix / "lib" / "libstdc++.so.6")


@pytest.mark.parametrize("minor", ["3.8", "3.9", "3.10", "3.12", "3.13", "3.14"])
def test_it_runs_on_old_and_new_pythons(minor: str, tmp_path: Path) -> None:
    python = interpreters().get(minor)
    if python is None:
        pytest.skip(f"no python{minor} here")
    probe = Probe("loaded", "loaded.py", {"modules": ["json", "ctypes"], "device": "cpu"})
    with process_probes(root=tmp_path / "runs") as runner:
        result = runner.run(probe, python=python, environment={}, timeout_s=60)
    assert result.outcome is Outcome.PASSED, result
    names = [library.name for library in parse_loaded([result.values]).libraries]
    assert any(name.startswith("libffi") for name in names), names


def test_what_is_no_library_is_left_out() -> None:
    values = {
        "library 1": "no JSON",
        "library 2": "[]",
        "library 3": '{"path": "/a/libx.so"}',
        "x": 1,
    }
    assert parse_loaded([values]).libraries == (LoadedLibrary("/a/libx.so"),)
    assert parse_loaded([]).libraries == ()
