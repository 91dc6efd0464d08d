"""What loaded libraries say: the table of cases, on the rows of rules/tables/loaded_libraries.yaml."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.adapters import rules
from envguard.checks.loaded_libraries import loaded_findings, missing_glibcxx, system_note
from envguard.model.loaded import Loaded, LoadedLibrary, OwnCopy
from envguard.model.probe import Owner, OwnerKind
from envguard.model.report import Status

KNOWN = rules.load()
PREFIX, BASE = "/env", "/base/lib"
CONDA, WHEEL = Owner(OwnerKind.CONDA, "pkg 1.0"), Owner(OwnerKind.WHEEL, "pkg 1.0")
SYSTEM, DRIVER = Owner(OwnerKind.SYSTEM, "the system"), Owner(OwnerKind.DRIVER, "the NVIDIA driver")
OUTSIDE, MODULE = Owner(OwnerKind.OUTSIDE, "/opt/x"), Owner(OwnerKind.MODULE, "cudnn/9.1")


def lib(path: str, owner: Owner | None = WHEEL, **facts: str) -> LoadedLibrary:
    return LoadedLibrary(path, path.rpartition("/")[2], owner=owner, **facts)  # type: ignore[arg-type]


def loaded(*libraries: LoadedLibrary, own_glibcxx: str | None = None, own: str = "") -> Loaded:
    copies = {own: OwnCopy(f"/env/lib/{own}", CONDA)} if own else {}
    return Loaded(libraries, PREFIX, BASE, "/home/x/.local/lib/site", own_glibcxx, copies)


def answers(of: Loaded, *, all_passed: bool = False) -> dict[str, Status]:
    found = loaded_findings(of, KNOWN, all_passed=all_passed)
    told = {finding.rule: finding.status for finding in found}
    assert sorted(told) == ["EG730", "EG731", "EG732", "EG733"], "each question has its answer"
    return {rule: status for rule, status in told.items() if status is not Status.PASS}


@pytest.mark.parametrize(
    ("files", "status"),
    [
        pytest.param(["libgomp.so.1.0.0"], None, id="one runtime"),
        pytest.param(["libiomp5.so", "libomp.so"], Status.FAIL, id="Intel's and LLVM's"),
        pytest.param(["libgomp.so.1.0.0", "libiomp5.so"], Status.WARN, id="GNU's and Intel's"),
        pytest.param(["libgomp.so.1.0.0", "libomp.so"], Status.WARN, id="GNU's and LLVM's"),
        pytest.param(["libgomp.so.1.0.0", "libgomp-a34b3233.so.1.0.0"], Status.WARN, id="GNU's twice"),
        pytest.param(
            ["libgomp.so.1.0.0", "libgomp-a34b.so.1", "libomp.so", "libiomp5.so"],
            Status.FAIL,
            id="the worst of several is told",
        ),
        pytest.param(["libgomp-plugin-nvptx.so.1", "libgomp.so.1"], None, id="its own plug-in"),
        pytest.param(["libomptarget.so", "libomp.so"], None, id="another library of LLVM's"),
    ],
)  # fmt: skip
def test_openmp_runtimes(files: list[str], status: Status | None) -> None:
    told = answers(loaded(*(lib(f"/env/{n}/{file}") for n, file in enumerate(files))))
    assert told == ({} if status is None else {"EG730": status})


def test_a_clash_that_every_probe_survived_is_a_warning_that_says_so() -> None:
    both = loaded(lib("/env/a/libiomp5.so"), lib("/env/b/libomp.so"))
    assert answers(both, all_passed=True) == {"EG730": Status.WARN}
    finding = loaded_findings(both, KNOWN, all_passed=True)[0]
    assert "every probe passed" in finding.message


def test_a_clash_names_both_with_their_owners_and_who_loaded_them() -> None:
    first = lib("/env/a/libiomp5.so", Owner(OwnerKind.WHEEL, "intel-openmp 2024.0"), module="torch")
    second = lib("/env/b/libomp.so", Owner(OwnerKind.CONDA, "llvm-openmp 18.1"), module="faiss")
    finding = loaded_findings(loaded(first, second), KNOWN)[0]
    assert "libiomp5.so of intel-openmp 2024.0 (wheel), loaded by torch" in finding.message
    assert "libomp.so of llvm-openmp 18.1 (conda), loaded by faiss" in finding.message
    assert finding.sources


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(["libcudart.so.12", "libcudart.so.11.0"], True, id="two CUDA majors"),
        pytest.param(["libcudart-d0da41ae.so.11.0", "libcudart.so.12"], True, id="one in a wheel"),
        pytest.param(["libcublas.so.12", "libcublasLt.so.12"], False, id="cuBLAS and its Lt"),
        pytest.param(["libcudnn.so.9", "libcudnn_cnn.so.9"], False, id="cuDNN and its parts"),
        pytest.param(["libmkl_core.so.2", "libmkl_core.so.1"], True, id="MKL twice"),
    ],
)
def test_copies(files: list[str], found: bool) -> None:
    told = answers(loaded(*(lib(f"/env/{n}/{file}") for n, file in enumerate(files))))
    assert told == ({"EG731": Status.WARN} if found else {})


@pytest.mark.parametrize(
    ("library", "own", "found"),
    [
        pytest.param(lib("/env/lib/libx.so", CONDA), "", False, id="of a conda package"),
        pytest.param(lib("/env/lib/libx.so", OUTSIDE), "", False, id="in the prefix, nobody's"),
        pytest.param(lib("/base/lib/python3.12/x.so", OUTSIDE), "", False, id="of the python behind"),
        pytest.param(lib("/usr/lib/libcuda.so.1", DRIVER), "", False, id="the driver"),
        pytest.param(lib("/usr/lib/libc.so.6", SYSTEM), "libc.so.6", False, id="glibc"),
        pytest.param(lib("/opt/glibc/libm.so.6", OUTSIDE), "", False, id="glibc elsewhere"),
        pytest.param(lib("/usr/lib/libz.so.1", SYSTEM), "", False, id="the system's, no own copy"),
        pytest.param(lib("/usr/lib/libz.so.1", SYSTEM), "libz.so.1", True, id="before an own copy"),
        pytest.param(lib("/opt/x/libcudnn.so.9", OUTSIDE), "libcudnn.so.9", True, id="a folder"),
        pytest.param(lib("/opt/x/libother.so", OUTSIDE), "", True, id="a folder, no own copy"),
        pytest.param(lib("/apps/libcudnn.so.9", MODULE), "", True, id="a module"),
        pytest.param(lib("/opt/x/libx.so", None), "", False, id="owner not observed"),
    ],
)  # fmt: skip
def test_strangers(library: LoadedLibrary, own: str, found: bool) -> None:
    told = answers(loaded(library, own=own, own_glibcxx="3.4.30"))
    assert told == ({"EG732": Status.WARN} if found else {})


def test_libraries_of_one_site_are_one_finding() -> None:
    site = "/home/u/venv/lib/python3.12/site-packages"
    files = (f"{site}/numpy/_core/x.so", f"{site}/numpy.libs/y.so", "/opt/z/libz.so")
    libraries = loaded(*(lib(f, OUTSIDE) for f in files))
    found = loaded_findings(libraries, KNOWN, all_passed=True)
    titles = [f.title for f in found if f.rule == "EG732"]
    assert titles == [
        f"x.so, y.so: loaded from {site}, not from the environment",
        "libz.so: loaded from /opt/z, not from the environment",
    ]


def test_the_user_site_and_the_module_are_named() -> None:
    of_site = lib("/home/x/.local/lib/site/numpy/x.so", OUTSIDE)
    of_module = lib("/apps/cudnn/9.1/lib/libcudnn.so.9", MODULE)
    titles = [f.title for f in loaded_findings(loaded(of_site, of_module), KNOWN)[:2]]
    assert "the module cudnn/9.1" in titles[0]
    assert "the user site /home/x/.local/lib/site" in titles[1]


@pytest.mark.parametrize(
    ("has", "own", "found"),
    [
        pytest.param("3.4.30", "3.4.30", False, id="exactly as new"),
        pytest.param("3.4.29", "3.4.30", True, id="one older"),
        pytest.param("3.4.9", "3.4.30", True, id="numbers, not letters"),
        pytest.param("3.4.33", "3.4.30", False, id="newer"),
        pytest.param("3.4.9", None, False, id="no copy of its own"),
    ],
)
def test_libstdcxx(has: str, own: str | None, found: bool) -> None:
    library = lib("/usr/lib/libstdc++.so.6", SYSTEM, has_glibcxx=has)
    told = answers(loaded(library, own_glibcxx=own))
    assert told == ({"EG733": Status.WARN} if found else {})


def test_an_import_error_of_the_loader_names_both_sides() -> None:
    said = (
        "ImportError: /usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found "
        "(required by /env/lib/libtorch_python.so)"
    )
    library = lib("/usr/lib/libstdc++.so.6", SYSTEM, has_glibcxx="3.4.28")
    finding = missing_glibcxx(said, loaded(library))
    assert finding is not None
    assert finding.title == "libstdc++ of the system is older than libtorch_python.so wants"
    assert finding.status is Status.FAIL
    assert finding.have == "GLIBCXX up to 3.4.28   /usr/lib/libstdc++.so.6"
    assert missing_glibcxx(said, None) is not None
    assert missing_glibcxx("version `GLIBC_2.28' not found (required by x)", None) is None


def test_an_environment_of_wheels_says_what_of_the_system_it_runs_with() -> None:
    libraries = (
        lib("/usr/lib/libz.so.1", SYSTEM),
        lib("/usr/lib/libc.so.6", SYSTEM),
        lib("/env/x.so"),
    )
    note = system_note(loaded(*libraries))
    assert note == "libz.so.1 of the system: an environment of wheels brings none of its own"
    assert system_note(loaded(*libraries, own_glibcxx="3.4.30")) is None
    assert system_note(replace(loaded(*libraries), libraries=libraries[1:])) is None
