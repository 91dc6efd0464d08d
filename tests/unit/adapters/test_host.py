"""The machine apart from its driver."""

from pathlib import Path

import pytest

from envguard.adapters.machine.host import (
    X86_64_LEVELS,
    archspec_of,
    cpu_flags_of,
    observe_host,
    relevant_variables,
)
from envguard.errors import InputError
from envguard.model.version import Dotted

V2 = frozenset(X86_64_LEVELS["x86_64_v2"])
V3 = V2 | X86_64_LEVELS["x86_64_v3"]
V4 = V3 | X86_64_LEVELS["x86_64_v4"]


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        pytest.param("x86_64", V4, "x86_64_v4", id="all of v4"),
        pytest.param("x86_64", V4 - {"avx512vl"}, "x86_64_v3", id="one flag short of v4"),
        pytest.param("x86_64", V4 - {"movbe"}, "x86_64_v2", id="v4's flags without one of v3's"),
        pytest.param("x86_64", V2, "x86_64_v2", id="all of v2"),
        pytest.param("AMD64", V2 - {"popcnt"}, "x86_64", id="one flag short of v2"),
        pytest.param("x86_64", frozenset(), "x86_64", id="no flags at all"),
        pytest.param("x86_64", None, None, id="flags not observed"),
        pytest.param("aarch64", frozenset({"sve"}), "aarch64", id="Arm"),
        pytest.param("ppc64le", None, "ppc64le", id="POWER"),
    ],
)
def test_microarchitecture_level(machine, flags, expected) -> None:
    assert archspec_of(machine, flags) == expected


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        pytest.param("flags\t\t: sse avx\n", {"sse", "avx"}, id="one CPU"),
        pytest.param("flags : sse avx\n\nflags : sse\n", {"sse"}, id="what every CPU has"),
        pytest.param("Features\t: fp asimd\n", {"fp", "asimd"}, id="Arm's word for them"),
        pytest.param("processor : 0\n", None, id="none named"),
        pytest.param("", None, id="no /proc"),
    ],
)
def test_cpu_flags(cpuinfo: str, expected: set[str] | None) -> None:
    assert cpu_flags_of(cpuinfo) == expected


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *((name, True) for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "CUDA_HOME")),
        *((name, True) for name in ("PYTHONNOUSERSITE", "OMP_NUM_THREADS", "KMP_AFFINITY")),
        *((name, True) for name in ("MKL_THREADING_LAYER", "CONDA_PREFIX", "CONDA_OVERRIDE_CUDA")),
        *(
            (name, True)
            for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "VIRTUAL_ENV")
        ),
        *((name, True) for name in ("LOADEDMODULES", "HIP_VISIBLE_DEVICES", "SLURM_JOB_GPUS")),
        *((name, False) for name in ("HOME", "AWS_SECRET_ACCESS_KEY", "PIP_INDEX_URL", "HF_TOKEN")),
        *(
            (name, False)
            for name in ("NVIDIA_API_KEY", "TORCH_HUB_TOKEN", "CONDA_TOKEN", "MY_OMP_X")
        ),
    ],
)
def test_variables_that_matter_are_kept_and_credentials_are_not(name: str, kept: bool) -> None:
    assert (name in relevant_variables({name: "x"})) is kept


def test_a_value_with_credentials_is_left_out() -> None:
    assert relevant_variables({"PYTORCH_INDEX": "https://me:secret@index.example/simple"}) == {}


def test_conda_override_glibc_is_obeyed() -> None:
    assert observe_host({"CONDA_OVERRIDE_GLIBC": "2.17"}).glibc == Dotted.parse("2.17")


def test_an_empty_conda_override_glibc_means_none() -> None:
    assert observe_host({"CONDA_OVERRIDE_GLIBC": ""}).glibc is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), (" ", ""), (" 8.6 ", "8.6"), ("sm_86", "8.6")],
    ids=["empty", "blank", "with blanks", "as sm_"],
)
def test_an_override_of_the_architecture_is_a_compute_capability(text: str, expected: str) -> None:
    assert observe_host({"CONDA_OVERRIDE_CUDA_ARCH": text}).cuda_arch_override == expected


def test_an_override_that_is_no_capability_is_the_users_mistake() -> None:
    with pytest.raises(InputError, match=r"CONDA_OVERRIDE_CUDA_ARCH: '8' is not a compute cap"):
        observe_host({"CONDA_OVERRIDE_CUDA_ARCH": "8"})


def test_a_variable_that_is_no_utf_8_can_be_printed() -> None:
    path = relevant_variables({"LD_LIBRARY_PATH": "/a\udcff"})["LD_LIBRARY_PATH"]
    assert path == "/a\\udcff"


def test_an_override_that_is_no_version_is_the_users_mistake() -> None:
    with pytest.raises(InputError, match=r"CONDA_OVERRIDE_GLIBC: 'new' is not a version"):
        observe_host({"CONDA_OVERRIDE_GLIBC": "new"})


@pytest.mark.parametrize(
    ("kernel", "dxg", "expected"),
    [
        pytest.param("Linux version 5.15.153.1-microsoft-standard-WSL2", True, "wsl2", id="WSL2"),
        pytest.param("Linux version 4.4.0-19041-Microsoft", False, None, id="WSL1 has no GPU"),
        pytest.param("Linux version 6.8.0-45-generic", False, None, id="plain Linux"),
    ],
)
def test_wsl2_is_told_apart(tmp_path: Path, kernel: str, dxg: bool, expected: str | None) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "proc/version").write_text(kernel)
    if dxg:
        (tmp_path / "dev/dxg").touch()

    assert observe_host({}, root=tmp_path).platform == expected


def test_what_is_hidden_is_not_observed(tmp_path: Path) -> None:
    host = observe_host({}, root=tmp_path)

    assert (host.cpu_flags, host.archspec if host.subdir.endswith("-64") else None) == (None, None)
    assert (host.container, host.memory_limit_bytes, host.shm_bytes) == (None, None, None)
