"""A machine as `envguard machine` prints it: what was seen, and what could not be."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.model.machine import Driver, DriverState, Gpu, Machine

LOOKED_FOR = "libnvidia-ml.so.1, libcuda.so.1, nvidia-smi, /proc/driver/nvidia"
_NOT_OBSERVED = "not observed"
_WIDTH = 11


def machine_text(machine: Machine) -> str:
    """One line a fact, the notes last."""
    lines = [f"{label:<{_WIDTH}}{value}".rstrip() for label, value in _lines(machine)]
    return "\n".join(lines) + "\n"


def _lines(machine: Machine) -> Iterator[tuple[str, str]]:
    yield "machine", _host(machine)
    yield "driver", _driver(machine)
    if machine.gpus is None:
        yield "gpu", _NOT_OBSERVED
    elif not machine.gpus:
        yield "gpu", "none found"
    for gpu in machine.gpus or ():
        yield f"gpu {gpu.index}", _gpu(gpu)
    yield "container", machine.container or "none seen"
    yield "memory", _limit(machine.memory_limit_bytes)
    shm = machine.shm_bytes
    yield "/dev/shm", _NOT_OBSERVED if shm is None else bytes_text(shm)
    for number, (name, value) in enumerate(sorted((machine.environment or {}).items())):
        yield "" if number else "variables", f"{name}={value}"
    for number, note in enumerate(machine.notes):
        yield "" if number else "notes", note


def _host(machine: Machine) -> str:
    parts = [machine.subdir]
    if machine.platform:
        parts.append(machine.platform)
    if machine.glibc is not None:
        parts.append(f"glibc {machine.glibc}")
    elif machine.subdir.startswith("linux-"):
        parts.append(f"glibc {_NOT_OBSERVED}")
    if machine.osx is not None:
        parts.append(f"macOS {machine.osx}")
    parts.append(machine.archspec or f"CPU {_NOT_OBSERVED}")
    return ", ".join(parts)


def _driver(machine: Machine) -> str:
    override = machine.cuda_override
    said = "" if override is None else f"; CONDA_OVERRIDE_CUDA says {override or 'none'}"
    match machine.driver:
        case Driver(version=version, cuda=cuda):
            known = f"CUDA {cuda}" if cuda is not None else f"CUDA {_NOT_OBSERVED}"
            return f"{version or f'version {_NOT_OBSERVED}'} ({known}){said}"
        case DriverState.ABSENT:
            where = "" if machine.subdir.startswith("osx-") else f" (looked for {LOOKED_FOR})"
            return f"none found{where}{said}"
        case DriverState.ANY:
            return f"any that runs the card{said}"
        case None:
            return (
                f"{_NOT_OBSERVED}, see notes{said}" if machine.notes else f"{_NOT_OBSERVED}{said}"
            )


def _gpu(gpu: Gpu) -> str:
    parts = [gpu.name or f"{gpu.vendor} GPU, name {_NOT_OBSERVED}"]
    if gpu.compute_capability is not None:
        parts.append(f"compute {gpu.compute_capability}")
    elif gpu.architecture is not None:
        parts.append(gpu.architecture)
    elif gpu.vendor == "nvidia":
        parts.append(f"compute capability {_NOT_OBSERVED}")
    if gpu.memory_bytes is not None:
        parts.append(bytes_text(gpu.memory_bytes))
    if gpu.mig:
        parts.append("MIG on")
    return ", ".join(parts)


def _limit(limit_bytes: int | None) -> str:
    return "no limit seen" if limit_bytes is None else f"limited to {bytes_text(limit_bytes)}"


def bytes_text(number: int) -> str:
    """`64 MiB`, `80.0 GiB`."""
    if number < 2**30:
        return f"{number / 2**20:.0f} MiB"
    return f"{number / 2**30:.1f} GiB"
