"""What the driver's answers and the kernel's files mean together."""

from pathlib import Path

import pytest

from envguard.adapters.machine.nvidia_child import answer
from envguard.adapters.machine.nvidia_facts import KernelModule, read_kernel_module, understand
from envguard.model.machine import Driver, DriverState, Gpu
from envguard.model.version import ComputeCapability, Dotted

V570, V535 = Dotted.parse("570.124.06"), Dotted.parse("535.104.05")
CUDA = Dotted.parse("12.8")
A100 = {
    "index": 0,
    "name": "NVIDIA A100",
    "compute_capability": "8.0",
    "memory_bytes": 1,
    "mig": True,
}
GPU = Gpu(0, "NVIDIA A100", None, "nvidia", "sm_80", ComputeCapability(8, 0), 1, True)
LISTED = Gpu(0, "NVIDIA A100", "GPU-1")
NVML = answer(version="570.124.06", cuda="12.8", gpus=[A100])
NVML_WITHOUT_CUDA = answer(version="570.124.06", gpus=[A100])
NOT_LOADED = answer(error="Driver Not Loaded", code=9)
MISMATCH = answer(error="mismatch", code=18, library="/usr/lib/libnvidia-ml.so.570.124.06")
NO_PERMISSION = answer(error="Insufficient Permissions", code=4)
LIBCUDA = answer(cuda="12.8", gpus=[A100])
LIBCUDA_803 = answer(cuda="12.8", error="cuInit: CUDA error 803", code=803)
LIBCUDA_NO_GPU = answer(cuda="12.8", gpus=[])
MODULE = KernelModule(V570, (LISTED,), devices=True)
NO_MODULE = KernelModule()


@pytest.mark.parametrize(
    ("nvml", "cuda", "smi", "module", "driver", "gpus", "note"),
    [
        pytest.param(NVML, None, None, MODULE, Driver(V570, CUDA), (GPU,), None, id="NVML answers"),
        pytest.param(
            *(NVML, None, None, NO_MODULE, Driver(V570, CUDA), (GPU,), None),
            id="NVML answers where /proc is hidden (WSL2)",
        ),
        pytest.param(
            *(NVML, None, None, KernelModule(V535), Driver(V570, CUDA), (GPU,)),
            "kernel module is 535.104.05, the driver's libraries are 570.124.06",
            id="NVML answers, the kernel module is of another version",
        ),
        pytest.param(
            *(NVML_WITHOUT_CUDA, LIBCUDA, None, MODULE, Driver(V570, CUDA), (GPU,), None),
            id="NVML knows no CUDA version, libcuda does",
        ),
        pytest.param(
            *(NVML_WITHOUT_CUDA, None, None, MODULE, Driver(V570, None), (GPU,)),
            "CUDA version is not known",
            id="NVML without libcuda: the CUDA version is not observed",
        ),
        pytest.param(
            *(NOT_LOADED, LIBCUDA, None, NO_MODULE, None, None, "module is not loaded"),
            id="libraries without the kernel module are no driver and no absence",
        ),
        pytest.param(
            *(MISMATCH, LIBCUDA_803, None, KernelModule(V535, (LISTED,)), None, (LISTED,)),
            "kernel module is 535.104.05, the driver's libraries are 570.124.06",
            id="a version mismatch is no driver, but the kernel lists the GPU",
        ),
        pytest.param(
            *(NO_PERMISSION, LIBCUDA, None, MODULE, Driver(V570, CUDA), (GPU,)),
            "Insufficient Permissions",
            id="libcuda answers where NVML may not",
        ),
        pytest.param(
            *(NO_PERMISSION, LIBCUDA_803, None, MODULE, None, (LISTED,), "803"),
            id="both libraries fail",
        ),
        pytest.param(
            *(NO_PERMISSION, None, None, MODULE, None, (LISTED,), "Insufficient"),
            id="NVML fails and libcuda is missing",
        ),
        pytest.param(
            *(None, LIBCUDA, None, NO_MODULE, Driver(None, CUDA), (GPU,), None),
            id="libcuda alone, as on a Jetson",
        ),
        pytest.param(
            *(None, LIBCUDA_NO_GPU, None, MODULE, Driver(V570, CUDA), (), None),
            id="libcuda sees no GPU, the kernel module is loaded",
        ),
        pytest.param(
            *(None, LIBCUDA_NO_GPU, None, NO_MODULE, None, None, "sees no GPU"),
            id="libcuda sees no GPU and there is no kernel module",
        ),
        pytest.param(
            *(None, None, NVML, NO_MODULE, Driver(V570, CUDA), (GPU,), None),
            id="nvidia-smi alone",
        ),
        pytest.param(
            *(None, None, answer(error="nvidia-smi: failed"), NO_MODULE, None, None, "failed"),
            id="nvidia-smi fails",
        ),
        pytest.param(
            *(None, None, None, MODULE, Driver(V570, None), (LISTED,), "--gpus all"),
            id="a container that was started without the libraries",
        ),
        pytest.param(
            *(None, None, None, KernelModule(devices=True), None, None, "/dev/nvidia*"),
            id="device files alone are not an absence",
        ),
        pytest.param(
            *(None, None, None, NO_MODULE, DriverState.ABSENT, (), None),
            id="nothing anywhere: looked for and not there",
        ),
    ],
)
def test_what_the_sources_say_together(nvml, cuda, smi, module, driver, gpus, note) -> None:
    found = understand({"nvml": nvml, "cuda": cuda, "smi": smi}, module)

    assert (found.driver, found.gpus) == (driver, gpus)
    assert (note in " ".join(found.notes)) if note else found.notes == ()


@pytest.mark.parametrize(
    ("line", "version"),
    [
        pytest.param(
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023",
            V535,
            id="closed module",
        ),
        pytest.param(
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build",
            V570,
            id="open module",
        ),
        pytest.param("something else altogether", None, id="a line that nobody knows"),
    ],
)
def test_the_kernel_module_tells_its_version(tmp_path: Path, line: str, version: Dotted) -> None:
    folder = tmp_path / "proc/driver/nvidia"
    folder.mkdir(parents=True)
    (folder / "version").write_text(f"{line}\nGCC version:  gcc version 12.2.0\n")

    assert read_kernel_module(tmp_path).version == version


def test_the_kernel_module_lists_its_gpus(tmp_path: Path) -> None:
    gpu = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    gpu.mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/version").write_text(
        "NVRM version: Kernel Module  535.104.05\n"
    )
    (gpu / "information").write_text(
        "Model: \t\t NVIDIA A100\nIRQ:   \t\t 183\nGPU UUID: \t GPU-1\nBus Type: \t PCIe\n"
    )
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidia0").touch()

    assert read_kernel_module(tmp_path) == KernelModule(V535, (LISTED,), devices=True)


def test_without_the_kernel_module_nothing_is_known(tmp_path: Path) -> None:
    assert read_kernel_module(tmp_path) == KernelModule(None, None, devices=False)
