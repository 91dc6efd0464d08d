"""The machine apart from its NVIDIA driver: C library, CPU, container, limits, variables."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from envguard.adapters.machine.containers import container_of, memory_limit_bytes
from envguard.adapters.machine.mounts import parse_mountinfo
from envguard.errors import InputError
from envguard.model.machine import Machine
from envguard.model.subdir import current_subdir
from envguard.model.version import ComputeCapability, Dotted

# The flags that each level adds, in the words of /proc/cpuinfo (pni is SSE3, abm is LZCNT):
# https://gitlab.com/x86-psABIs/x86-64-ABI/-/blob/master/x86-64-ABI/low-level-sys-info.tex
X86_64_LEVELS = {
    "x86_64_v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "x86_64_v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    "x86_64_v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}

# What decides which libraries, devices and threads a program gets. Nothing here is a secret; values
# that look like a URL with credentials are left out all the same.
_VARIABLES = re.compile(
    r"LD_(LIBRARY_PATH|PRELOAD|AUDIT|BIND_NOW)|DYLD_LIBRARY_PATH|LIBRARY_PATH"
    r"|PYTHON(PATH|HOME|NOUSERSITE|USERBASE|SAFEPATH)"
    r"|CONDA_(PREFIX|DEFAULT_ENV|OVERRIDE_[A-Z_]+)|VIRTUAL_ENV"
    r"|CUDA_[A-Z0-9_]+|CUDNN_[A-Z_]+|CUBLAS_[A-Z_]+|NVIDIA_[A-Z_]+|NCCL_[A-Z0-9_]+"
    r"|(ROCR|HIP|ZE|GPU)_[A-Z_]*(DEVICES|AFFINITY_MASK|ORDINAL)"
    r"|(OMP|KMP|GOMP|MKL|OPENBLAS|NUMEXPR)_[A-Z0-9_]+"
    r"|(PYTORCH|TORCH)_[A-Z0-9_]+|TF_(GPU|CUDNN|XLA|FORCE_GPU|ENABLE)_[A-Z0-9_]+|XLA_FLAGS|TRITON_[A-Z0-9_]+"
    r"|LOADEDMODULES|SLURM_(JOB_GPUS|STEP_GPUS|GPUS_ON_NODE)|MALLOC_[A-Z_]+"
)
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_SECRET_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|API_KEY")


def observe_host(environment: Mapping[str, str], *, root: Path = Path("/")) -> Machine:
    """Everything but driver and GPUs; what cannot be read is None. Quick, and starts no process.

    Raises InputError for a CONDA_OVERRIDE_ that is no version.
    """
    cgroup = _read(root / "proc/self/cgroup")
    mounts = parse_mountinfo(_read(root / "proc/self/mountinfo"))
    flags = cpu_flags_of(_read(root / "proc/cpuinfo"))
    override = _override("GLIBC", environment, Dotted.parse)
    return Machine(
        subdir=current_subdir(),
        glibc=_glibc() if override is None else Dotted.parse(override) if override else None,
        archspec=archspec_of(platform.machine(), flags),
        cpu_flags=flags,
        osx=_osx(),
        platform="wsl2" if _is_wsl2(root) else None,
        container=container_of(cgroup=cgroup, mounts=mounts, environment=environment, root=root),
        memory_limit_bytes=memory_limit_bytes(cgroup=cgroup, mounts=mounts, root=root),
        shm_bytes=_size_bytes(root / "dev/shm"),
        environment=relevant_variables(environment),
        cuda_override=_override("CUDA", environment, Dotted.parse),
        cuda_arch_override=_override("CUDA_ARCH", environment, ComputeCapability.parse),
    )


def relevant_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that decide what a program loads and sees; never a credential."""
    return {
        name: _sound(value)
        for name, value in sorted(environment.items())
        if _VARIABLES.fullmatch(name)
        and not _SECRET_NAMES.search(name)
        and not _CREDENTIALS.search(value)
    }


def _sound(text: str) -> str:
    """Bytes that are no UTF-8 as `\\udcff`: what cannot be printed cannot be captured either."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _override(
    name: str, environment: Mapping[str, str], parse: Callable[[str], object]
) -> str | None:
    """The value of CONDA_OVERRIDE_`name`; empty = absent on purpose, None = not overridden."""
    text = environment.get(f"CONDA_OVERRIDE_{name}")
    if text is None or not text.strip():
        return None if text is None else ""
    try:
        return str(parse(text))
    except ValueError as error:
        raise InputError(
            f"CONDA_OVERRIDE_{name}: {error}", hint=f"unset CONDA_OVERRIDE_{name}"
        ) from error


def cpu_flags_of(cpuinfo: str) -> frozenset[str] | None:
    """The flags that every CPU has; None where /proc/cpuinfo names none."""
    lines = re.findall(r"^(?:flags|Features)\s*:\s*(.*)$", cpuinfo, flags=re.MULTILINE)
    if not lines:
        return None
    return frozenset.intersection(*(frozenset(line.split()) for line in set(lines)))


def archspec_of(machine: str, flags: frozenset[str] | None) -> str | None:
    """The microarchitecture level in archspec's words; None = not observed."""
    machine = machine.lower()
    if machine not in ("x86_64", "amd64"):
        apple = sys.platform == "darwin" and machine == "arm64"
        return "m1" if apple else machine.replace("arm64", "aarch64") or None
    if flags is None:
        return None
    level = "x86_64"
    for name, needed in X86_64_LEVELS.items():
        if not needed <= flags:
            break
        level = name
    return level


def _glibc() -> Dotted | None:
    """None on anything but glibc (musl, macOS, Windows)."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        return None
    return Dotted.parse(version) if name == "glibc" else None


def _osx() -> Dotted | None:
    release = platform.mac_ver()[0] if sys.platform == "darwin" else ""
    return Dotted.parse(".".join(release.split(".")[:2])) if release else None


def _is_wsl2(root: Path) -> bool:
    kernel = _read(root / "proc/version").lower()
    return "microsoft" in kernel and (root / "dev/dxg").exists()


def _size_bytes(folder: Path) -> int | None:
    try:
        status = os.statvfs(folder)
    except (AttributeError, OSError):
        return None
    return status.f_blocks * status.f_frsize


def _read(file: Path) -> str:
    """The text, empty where the file is not there (macOS, Windows, a hidden /proc)."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
