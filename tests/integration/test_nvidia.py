"""The real detection against the fake driver: what it sees, and how it survives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from envguard.adapters.machine.here import HereMachine
from envguard.adapters.machine.nvidia import Nvidia, detect_nvidia
from envguard.model.machine import Driver, DriverState
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from envguard.model.virtual import virtual_packages
from tests.fake_driver import A100, T4, FakeDriver, with_fake

NVML, LIBCUDA = "libnvidia-ml.so.1", "libcuda.so.1"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fake driver is a Linux one")


def detect(fake_driver: FakeDriver, *, timeout_s: float = 10.0, **said: object) -> Nvidia:
    environment = with_fake(fake_driver.environment(**said), os.environ)  # type: ignore[arg-type]
    return detect_nvidia(environment, timeout_s=timeout_s)


def children() -> set[int]:
    """The detecting children of this process; zombies would count, too."""
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "nvidia_child" in " ".join(child.cmdline() if child.is_running() else [])
    }


@pytest.mark.parametrize(
    "libraries",
    [
        pytest.param((NVML, LIBCUDA), id="through NVML"),
        pytest.param((NVML,), id="through NVML where libcuda is missing"),
        pytest.param((LIBCUDA,), id="through libcuda where NVML is missing"),
    ],
)
def test_driver_and_gpus_are_seen(fake_driver: FakeDriver, libraries: tuple[str, ...]) -> None:
    found = detect(fake_driver, gpus=[A100, T4], libraries=libraries)

    assert isinstance(found.driver, Driver)
    assert found.driver.cuda == Dotted.parse("12.8")
    assert found.gpus is not None
    assert [(gpu.index, gpu.name, gpu.architecture) for gpu in found.gpus] == [
        (0, "NVIDIA A100-SXM4-80GB", "sm_80"),
        (1, "Tesla T4", "sm_75"),
    ]
    assert found.gpus[1].compute_capability == ComputeCapability(7, 5)
    assert {gpu.memory_bytes for gpu in found.gpus} == {80 * 2**30}
    assert all(gpu.uuid and gpu.uuid.startswith("GPU-0000") for gpu in found.gpus)


def test_nvml_tells_the_driver_version_and_mig(fake_driver: FakeDriver) -> None:
    found = detect(fake_driver, driver="535.104.05", gpus=[A100, T4])

    assert isinstance(found.driver, Driver)
    assert str(found.driver.version) == "535.104.05"
    assert [gpu.mig for gpu in found.gpus or ()] == [False, None]


def test_a_driver_without_gpus_is_a_driver(fake_driver: FakeDriver) -> None:
    found = detect(fake_driver, gpus=[])

    assert isinstance(found.driver, Driver)
    assert found.gpus == ()


def test_hidden_gpus_are_observed_all_the_same(fake_driver: FakeDriver) -> None:
    environment = fake_driver.environment(libraries=(LIBCUDA,)) | {"CUDA_VISIBLE_DEVICES": ""}

    assert len(detect_nvidia(os.environ | environment).gpus or ()) == 1


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        pytest.param("nvml_crash", "NVML crashed with SIGSEGV", id="crash in NVML"),
        pytest.param("nvml_exit", "NVML ended the process", id="NVML ends the process"),
        pytest.param("nvml_init:9", "kernel module is not loaded", id="module not loaded"),
        pytest.param("nvml_init:18", "error 803 until the module is reloaded", id="mismatch"),
        pytest.param("nvml_init:999,cuda_crash", "libcuda.so.1 crashed", id="crash in libcuda"),
        pytest.param("nvml_init:999,cuda_init:803", "CUDA error 803", id="both fail"),
    ],
)
def test_a_driver_that_fails_is_not_observed_and_said_so(
    fake_driver: FakeDriver, fault: str, note: str
) -> None:
    found = detect(fake_driver, fault=fault)

    assert found.driver is None
    assert note in " ".join(found.notes)


def test_libcuda_answers_where_nvml_fails(fake_driver: FakeDriver) -> None:
    found = detect(fake_driver, fault="nvml_init:999")

    assert found.driver == Driver(None, Dotted.parse("12.8"))
    assert len(found.gpus or ()) == 1
    assert "NVML error 999" in found.notes[0]


def test_what_a_driver_prints_is_not_taken_for_an_answer(fake_driver: FakeDriver) -> None:
    assert detect(fake_driver, fault="nvml_garbage") == detect(fake_driver)


@pytest.mark.parametrize(
    ("fault", "stage"),
    [
        pytest.param("nvml_hang", "NVML", id="NVML"),
        pytest.param("nvml_init:4,cuda_hang", "libcuda.so.1", id="libcuda"),
    ],
)
def test_a_hanging_driver_is_left_after_the_time_limit(
    fake_driver: FakeDriver, fault: str, stage: str
) -> None:
    started = time.monotonic()
    found = detect(fake_driver, fault=fault, timeout_s=0.5)

    assert time.monotonic() - started < 5
    assert found.driver is None
    assert found.notes[0] == f"{stage} did not answer within 0.5 s"
    assert children() == set()


def test_a_library_that_is_no_library_is_not_an_absence(
    tmp_path: Path,
) -> None:
    (tmp_path / NVML).touch()

    found = detect_nvidia(os.environ | {"LD_LIBRARY_PATH": str(tmp_path)})
    assert found.driver is None
    assert "file too short" in found.notes[0]


NVIDIA_SMI = """#!/bin/sh
case "$1" in
--query-gpu=*) echo "0, GPU-1, NVIDIA A100-SXM4-80GB, 8.0, 81920, 610.43.02" ;;
*) echo "| NVIDIA-SMI 610.43.02   Driver Version: 610.43.02   CUDA UMD Version: 13.3 |" ;;
esac
"""


def test_nvidia_smi_is_the_last_resort(tmp_path: Path) -> None:
    found = detect_nvidia(_with_nvidia_smi(tmp_path, NVIDIA_SMI))

    assert found.driver == Driver(Dotted.parse("610.43.02"), Dotted.parse("13.3"))
    assert [(gpu.name, gpu.memory_bytes) for gpu in found.gpus or ()] == [
        ("NVIDIA A100-SXM4-80GB", 80 * 2**30)
    ]


def test_an_nvidia_smi_that_fails_is_not_an_absence(tmp_path: Path) -> None:
    found = detect_nvidia(_with_nvidia_smi(tmp_path, "#!/bin/sh\necho has failed; exit 9\n"))

    assert (found.driver, found.notes) == (None, ("nvidia-smi: has failed",))


def test_a_hanging_nvidia_smi_is_ended_with_its_parent(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 60\n"
    found = detect_nvidia(_with_nvidia_smi(tmp_path, script), timeout_s=1)

    assert found.notes == ("nvidia-smi did not answer within 1 s",)
    pid = int(pid_file.read_text())
    assert not psutil.pid_exists(pid) or _ends(psutil.Process(pid))


def _with_nvidia_smi(folder: Path, script: str) -> dict[str, str]:
    if detect_nvidia(dict(os.environ)).driver is not DriverState.ABSENT:
        pytest.skip("this machine has an NVIDIA driver, which is asked before nvidia-smi")
    program = folder / "nvidia-smi"
    program.write_text(script)
    program.chmod(0o755)
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}


ASKING = """
import os, psutil
from envguard.adapters.machine.nvidia import detect_nvidia
try:
    detect_nvidia(dict(os.environ), timeout_s=60)
except KeyboardInterrupt:
    print("interrupted,", len(psutil.Process().children()), "children")
"""


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        pytest.param(signal.SIGINT, "interrupted, 0 children\n", id="Ctrl-C"),
        pytest.param(signal.SIGKILL, "", id="killed without a chance to clean up"),
    ],
)
def test_no_child_outlives_its_parent(
    fake_driver: FakeDriver, ending: signal.Signals, said: str
) -> None:
    environment = with_fake(fake_driver.environment(fault="nvml_hang"), os.environ)

    with subprocess.Popen(
        [sys.executable, "-c", ASKING], env=environment, stdout=subprocess.PIPE, text=True
    ) as asking:
        child = _wait_for(lambda: psutil.Process(asking.pid).children())[0]
        asking.send_signal(ending)
        output, _ = asking.communicate(timeout=10)
    assert output == said
    assert _ends(child)


def _ends(process: psutil.Process, *, within_s: float = 5) -> bool:
    """Whether the process is gone, or dead and only not collected yet by its new parent."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def _wait_for(get: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 10
    while not (found := get()):
        assert time.monotonic() < deadline, "the child was never started"
        time.sleep(0.02)
    time.sleep(0.3)  # until it hangs in the driver
    return found


OF_RATTLER = """
from rattler import VirtualPackage
print(*sorted(str(package.into_generic()) for package in VirtualPackage.detect()), sep="\\n")
"""


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"gpus": [A100]}, id="one GPU"),
        pytest.param({"gpus": [A100, T4], "cuda": "13.1", "driver": "590.48.01"}, id="two GPUs"),
        pytest.param({"libraries": (LIBCUDA,)}, id="libcuda alone"),
        pytest.param({"fault": "nvml_init:999"}, id="NVML fails"),
    ],
)
def test_rattlers_own_detection_agrees_on_cuda(fake_driver: FakeDriver, said) -> None:
    environment = with_fake(fake_driver.environment(**said), os.environ)
    theirs = subprocess.run(
        [sys.executable, "-c", OF_RATTLER],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout.splitlines()

    here = Target("here", HereMachine(environment=environment).observe())
    ours = [str(package) for package in virtual_packages(here, {})]
    assert [p for p in ours if "cuda" in p] == [p for p in theirs if "cuda" in p]
    assert [p for p in ours if "archspec" in p or "glibc" in p] == [
        p for p in theirs if "archspec" in p or "glibc" in p
    ]


def test_a_machine_without_any_of_it_has_no_driver() -> None:
    here = detect_nvidia(dict(os.environ))

    if here.driver is not DriverState.ABSENT:
        pytest.skip("this machine has an NVIDIA driver")
    assert here == Nvidia(DriverState.ABSENT, ())
