"""Asks NVIDIA's own libraries. Run as a process: drivers hang and crash while they initialise.

Writes JSON lines on the standard output that it was started with: `{"stage": "NVML"}` before each
source, and at last `{"result": {"nvml": ANSWER, "cuda": ANSWER, "smi": ANSWER}}`. An ANSWER is null where
that source is not installed or was not needed, else `{"error", "code", "library", "version", "cuda", "gpus",
"notes"}`, of which null means "not known". Imports nothing of envguard.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

# WSL2 mounts the driver's libraries here, and distributions do not always tell the loader:
# https://docs.nvidia.com/cuda/wsl-user-guide/
WSL_LIBRARIES = "/usr/lib/wsl/lib"
WINDOWS = sys.platform == "win32"
NVML = "nvml.dll" if WINDOWS else "libnvidia-ml.so.1"
CUDA = "nvcuda.dll" if WINDOWS else "libcuda.so.1"

# https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html
CUDA_NO_DEVICE = 100
COMPUTE_CAPABILITY_ATTRIBUTES = (75, 76)
PR_SET_PDEATHSIG = 1  # https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

Answer = dict[str, Any]


def answer(**known: Any) -> Answer:
    keys = ("error", "code", "library", "version", "cuda", "gpus")
    return {**dict.fromkeys(keys), "notes": [], **known}


def load(name: str) -> ctypes.CDLL | Answer | None:
    """The library; an answer that says why it could not be loaded; None where it is not installed."""
    broken: str | None = None
    for path in (name, f"{WSL_LIBRARIES}/{name}"):
        try:
            return ctypes.CDLL(path, mode=getattr(ctypes, "RTLD_GLOBAL", 0))
        except OSError as error:
            text = str(error)
            missing = text.startswith(path) and "No such file" in text
            if not missing and not WINDOWS:
                broken = broken or text
    return answer(error=broken) if broken else None


def mapped_path(name: str) -> str | None:
    """The file that a loaded library came from."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return None
    stem = name.partition(".so")[0] + ".so"
    lines = maps.read_text(encoding="utf-8", errors="replace").splitlines()
    paths = [line.split(None, 5)[-1].strip() for line in lines if stem in line]
    return paths[0] if paths else None


def cuda_text(number: int) -> str:
    """12080 is CUDA 12.8."""
    return f"{number // 1000}.{number % 1000 // 10}"


def ask_nvml() -> Answer | None:
    library = load(NVML)
    if library is None or isinstance(library, dict):
        return library
    path = mapped_path(NVML)
    try:
        import pynvml
    except ImportError as error:
        return answer(error=f"nvidia-ml-py: {error}", library=path)
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        code = int(getattr(error, "value", -1))
        return answer(error=f"{error} (NVML error {code})", code=code, library=path)
    return {**answer(library=path), **ask_initialised_nvml(pynvml)}


def ask_initialised_nvml(pynvml: Any) -> Answer:
    notes: list[str] = []
    get = nvml_getter(pynvml, notes)
    version = get("driver version", pynvml.nvmlSystemGetDriverVersion)
    cuda = get("CUDA version", pynvml.nvmlSystemGetCudaDriverVersion_v2)
    count = get("number of GPUs", pynvml.nvmlDeviceGetCount)
    return {
        "version": version,
        "cuda": cuda_text(cuda) if cuda else None,
        "gpus": None if count is None else [nvml_gpu(pynvml, i, get) for i in range(count)],
        "notes": notes,
    }


def nvml_getter(pynvml: Any, notes: list[str]) -> Any:
    """A call that gives None for what NVML cannot say, and a note for why where that is unusual."""

    def get(what: str, function: Any, *arguments: Any) -> Any:
        try:
            value = function(*arguments)
        except pynvml.NVMLError_NotSupported:
            return None
        except pynvml.NVMLError as error:
            notes.append(f"NVML: {what}: {error}")
            return None
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    return get


def nvml_gpu(pynvml: Any, index: int, get: Any) -> Answer:
    """One GPU; a GPU that cannot be asked (lost from the bus, say) has an index and nothing else."""
    handle = get(f"GPU {index}", pynvml.nvmlDeviceGetHandleByIndex, index)
    if handle is None:
        return {"index": index}
    capability = get(f"GPU {index}", pynvml.nvmlDeviceGetCudaComputeCapability, handle)
    memory = get(f"GPU {index}: memory", pynvml.nvmlDeviceGetMemoryInfo, handle)
    mig = get(f"GPU {index}: MIG", pynvml.nvmlDeviceGetMigMode, handle)
    return {
        "index": index,
        "name": get(f"GPU {index}: name", pynvml.nvmlDeviceGetName, handle),
        "uuid": get(f"GPU {index}: UUID", pynvml.nvmlDeviceGetUUID, handle),
        "compute_capability": capability and f"{capability[0]}.{capability[1]}",
        "memory_bytes": memory and int(memory.total),
        "mig": None if mig is None else bool(mig[0]),
    }


def ask_cuda() -> Answer | None:
    library = load(CUDA)
    if library is None or isinstance(library, dict):
        return library
    path = mapped_path(CUDA)
    number = ctypes.c_int(0)
    code = library.cuDriverGetVersion(ctypes.byref(number))
    cuda = cuda_text(number.value) if code == 0 and number.value > 0 else None
    code = library.cuInit(0)
    if code == CUDA_NO_DEVICE:
        return answer(library=path, cuda=cuda, gpus=[])
    if code != 0:
        error = f"cuInit: {cuda_error(library, code)} (CUDA error {code})"
        return answer(error=error, code=code, library=path, cuda=cuda)
    count = ctypes.c_int(0)
    if (code := library.cuDeviceGetCount(ctypes.byref(count))) != 0:
        return answer(error=f"cuDeviceGetCount: CUDA error {code}", library=path, cuda=cuda)
    return answer(
        library=path, cuda=cuda, gpus=[cuda_gpu(library, index) for index in range(count.value)]
    )


def cuda_error(library: ctypes.CDLL, code: int) -> str:
    text = ctypes.c_char_p()
    if not hasattr(library, "cuGetErrorString"):
        return "failed"
    library.cuGetErrorString(code, ctypes.byref(text))
    return (text.value or b"failed").decode(errors="replace")


def cuda_gpu(library: ctypes.CDLL, index: int) -> Answer:
    gpu: Answer = {"index": index}
    device = ctypes.c_int(0)
    if library.cuDeviceGet(ctypes.byref(device), index) != 0:
        return gpu
    name = ctypes.create_string_buffer(128)
    if library.cuDeviceGetName(name, len(name), device) == 0:
        gpu["name"] = name.value.decode(errors="replace")
    uuid = (ctypes.c_ubyte * 16)()
    if hasattr(library, "cuDeviceGetUuid") and library.cuDeviceGetUuid(uuid, device) == 0:
        text = bytes(uuid).hex()
        parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
        gpu["uuid"] = "GPU-" + "-".join(parts)
    memory = ctypes.c_size_t(0)
    if library.cuDeviceTotalMem_v2(ctypes.byref(memory), device) == 0:
        gpu["memory_bytes"] = memory.value
    numbers = []
    for attribute in COMPUTE_CAPABILITY_ATTRIBUTES:
        number = ctypes.c_int(0)
        if library.cuDeviceGetAttribute(ctypes.byref(number), attribute, device) == 0:
            numbers.append(str(number.value))
    if len(numbers) == 2:
        gpu["compute_capability"] = ".".join(numbers)
    return gpu


SMI_FIELDS = ("index", "uuid", "name", "compute_cap", "memory.total", "driver_version")


def ask_smi() -> Answer | None:
    """`nvidia-smi`, the last resort: a second of waiting, and text to take apart."""
    program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=WSL_LIBRARIES)
    if program is None:
        return None
    query = [f"--query-gpu={','.join(SMI_FIELDS)}", "--format=csv,noheader,nounits"]
    listed = subprocess.run([program, *query], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        said = (listed.stdout + listed.stderr).strip().splitlines()
        return answer(
            error=f"nvidia-smi: {said[0] if said else listed.returncode}", library=program
        )
    banner = subprocess.run([program], capture_output=True, text=True, check=False).stdout
    # from driver 610 on it may say "CUDA UMD Version"
    cuda = re.search(r"CUDA (?:UMD )?Version:\s*(\d+\.\d+)", banner)
    rows = [
        [value.strip() for value in line.split(",")]
        for line in listed.stdout.splitlines()
        if line.count(",") == len(SMI_FIELDS) - 1
    ]
    return answer(
        library=program,
        version=rows[0][5] if rows else None,
        cuda=cuda[1] if cuda else None,
        gpus=[smi_gpu(row) for row in rows],
    )


def smi_gpu(row: list[str]) -> Answer:
    index, uuid, name, capability, megabytes, _ = row
    return {
        "index": int(index),
        "uuid": uuid,
        "name": name,
        "compute_capability": capability if re.fullmatch(r"\d+\.\d+", capability) else None,
        "memory_bytes": int(megabytes) * 2**20 if megabytes.isdigit() else None,
    }


def main() -> None:
    lines = private_stdout()

    def say(line: Answer) -> None:
        lines.write(json.dumps(line) + "\n")
        lines.flush()

    say({"stage": "NVML"})
    nvml = ask_nvml()
    cuda = smi = None
    if nvml is None or nvml["error"] or nvml["cuda"] is None or nvml["gpus"] is None:
        say({"stage": CUDA})
        cuda = ask_cuda()
    if nvml is None and cuda is None:
        say({"stage": "nvidia-smi"})
        smi = ask_smi()
    say({"result": {"nvml": nvml, "cuda": cuda, "smi": smi}})
    os._exit(0)  # a driver that hangs or crashes on its way out has answered all the same


def private_stdout() -> TextIO:
    """The standard output, for us alone: what libraries print there goes to stderr from now on."""
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "w", encoding="utf-8")


def die_quietly() -> None:
    """No core dump of a crash, and no survivor where the parent is killed."""
    if WINDOWS:
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    die_quietly()
    main()
