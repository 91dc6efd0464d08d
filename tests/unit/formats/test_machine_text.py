"""How a machine is printed."""

import pytest

from envguard.formats.machine_text import bytes_text, machine_text
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.version import ComputeCapability, Dotted

GIB = 2**30


def test_a_machine_with_everything() -> None:
    machine = Machine(
        "linux-64",
        glibc=Dotted.parse("2.36"),
        archspec="x86_64_v3",
        driver=Driver(Dotted.parse("572.70"), Dotted.parse("12.8")),
        gpus=(
            Gpu(0, "NVIDIA A100", None, "nvidia", "sm_80", ComputeCapability(8, 0), 80 * GIB, True),
            Gpu(0, vendor="amd", architecture="gfx942"),
        ),
        platform="wsl2",
        container="docker",
        memory_limit_bytes=16 * GIB,
        shm_bytes=64 * 2**20,
        environment={"OMP_NUM_THREADS": "4", "LD_LIBRARY_PATH": "/opt/lib"},
        notes=("one", "two"),
    )

    assert machine_text(machine) == (
        "machine    linux-64, wsl2, glibc 2.36, x86_64_v3\n"
        "driver     572.70 (CUDA 12.8)\n"
        "gpu 0      NVIDIA A100, compute 8.0, 80.0 GiB, MIG on\n"
        "gpu 0      amd GPU, name not observed, gfx942\n"
        "container  docker\n"
        "memory     limited to 16.0 GiB\n"
        "/dev/shm   64 MiB\n"
        "variables  LD_LIBRARY_PATH=/opt/lib\n"
        "           OMP_NUM_THREADS=4\n"
        "notes      one\n"
        "           two\n"
    )


@pytest.mark.parametrize(
    ("machine", "line"),
    [
        pytest.param(
            Machine("linux-64", driver=DriverState.ABSENT),
            "driver     none found (looked for libnvidia-ml.so.1, libcuda.so.1, nvidia-smi, "
            "/proc/driver/nvidia)",
            id="absent says where it was looked for",
        ),
        pytest.param(
            Machine("osx-arm64", driver=DriverState.ABSENT), "driver     none found", id="macOS"
        ),
        pytest.param(Machine("linux-64"), "driver     not observed", id="not observed"),
        pytest.param(
            Machine("linux-64", notes=("NVML hangs",)),
            "driver     not observed, see notes",
            id="not observed, for a reason",
        ),
        pytest.param(
            Machine("linux-64", driver=Driver(Dotted.parse("570"), None)),
            "driver     570 (CUDA not observed)",
            id="CUDA not observed",
        ),
        pytest.param(
            Machine("linux-64", driver=Driver(None, Dotted.parse("12.4"))),
            "driver     version not observed (CUDA 12.4)",
            id="version not observed",
        ),
        pytest.param(
            Machine("linux-64", cuda_override="11.8"),
            "driver     not observed; CONDA_OVERRIDE_CUDA says 11.8",
            id="an override is shown",
        ),
        pytest.param(
            Machine("linux-64", cuda_override=""),
            "driver     not observed; CONDA_OVERRIDE_CUDA says none",
            id="an empty override is shown",
        ),
        pytest.param(Machine("linux-64"), "gpu        not observed", id="GPUs not observed"),
        pytest.param(Machine("linux-64", gpus=()), "gpu        none found", id="no GPU"),
        pytest.param(
            Machine("linux-64", gpus=(Gpu(1, "NVIDIA X"),)),
            "gpu 1      NVIDIA X, compute capability not observed",
            id="a GPU that could not be asked",
        ),
        pytest.param(
            Machine("linux-64"),
            "machine    linux-64, glibc not observed, CPU not observed",
            id="host not observed",
        ),
    ],
)
def test_a_line(machine: Machine, line: str) -> None:
    assert line in machine_text(machine).splitlines()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(2**30 - 1, "1024 MiB", id="just below a GiB"),
        pytest.param(2**30, "1.0 GiB", id="a GiB"),
        pytest.param(64 * 2**20, "64 MiB", id="Docker's /dev/shm"),
    ],
)
def test_bytes(number: int, text: str) -> None:
    assert bytes_text(number) == text
