"""What NVIDIA's libraries answered and what the kernel's files say, put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.adapters.machine import nvidia_child
from envguard.model.machine import Driver, DriverState, Gpu
from envguard.model.version import ComputeCapability, Dotted

_NVML_DRIVER_NOT_LOADED = 9
_NVML_LIBRARY_MISMATCH = 18

Answer = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Nvidia:
    """What was found; `driver` None = could not be asked, `notes` say why. `gpus` are NVIDIA's only."""

    driver: Driver | DriverState | None
    gpus: tuple[Gpu, ...] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KernelModule:
    """What the kernel says without any of NVIDIA's libraries: safe to read, never hangs."""

    version: Dotted | None = None
    gpus: tuple[Gpu, ...] | None = None
    devices: bool = False
    """Whether there are /dev/nvidia0 and the like."""


def understand(answers: Mapping[str, Answer | None], module: KernelModule) -> Nvidia:
    """What the child's answers and the kernel's files say together."""
    nvml, cuda, smi = (answers.get(source) for source in ("nvml", "cuda", "smi"))
    notes = tuple(_notes(nvml, cuda, smi))
    if nvml is not None and nvml["error"] is None:
        return _from_nvml(nvml, cuda, module, notes)
    if nvml is not None:
        notes += _why_nvml_failed(nvml, module)
        if nvml["code"] in (_NVML_DRIVER_NOT_LOADED, _NVML_LIBRARY_MISMATCH):
            return Nvidia(None, module.gpus, notes)
    if cuda is not None:
        return _from_cuda(cuda, module, notes)
    if smi is not None and smi["error"] is None:
        driver = Driver(_dotted(smi["version"]) or module.version, _dotted(smi["cuda"]))
        return Nvidia(driver, _gpus(smi), notes)
    if nvml is not None or smi is not None:
        return Nvidia(None, module.gpus, notes)
    return _from_kernel_alone(module, notes)


def _from_nvml(
    nvml: Answer, cuda: Answer | None, module: KernelModule, notes: tuple[str, ...]
) -> Nvidia:
    version = _dotted(nvml["version"])
    driver_cuda = _dotted(nvml["cuda"]) or (_dotted(cuda["cuda"]) if cuda else None)
    if driver_cuda is None:
        notes += (
            f"the driver's CUDA version is not known: {nvidia_child.CUDA} is missing or does not answer "
            "(in a container: NVIDIA_DRIVER_CAPABILITIES needs `compute`)",
        )
    if version and module.version and version != module.version:
        notes += (_mismatch(module.version, version),)
    gpus = _gpus(nvml)
    if gpus is None and cuda is not None:
        gpus = _gpus(cuda)
    return Nvidia(Driver(version or module.version, driver_cuda), gpus, notes)


def _from_cuda(cuda: Answer, module: KernelModule, notes: tuple[str, ...]) -> Nvidia:
    gpus = _gpus(cuda)
    if cuda["error"] is not None or (not gpus and module.version is None):
        if cuda["error"] is None:
            notes += (f"{nvidia_child.CUDA} is installed, but sees no GPU and no kernel module",)
        return Nvidia(None, gpus or module.gpus, notes)
    return Nvidia(Driver(module.version, _dotted(cuda["cuda"])), gpus, notes)


def _from_kernel_alone(module: KernelModule, notes: tuple[str, ...]) -> Nvidia:
    libraries = f"{nvidia_child.NVML} nor {nvidia_child.CUDA}"
    if module.version is not None:
        note = (
            f"the kernel module {module.version} is loaded, but neither {libraries} can be loaded "
            "(in a container: start it with the GPU, `--gpus all` or `--nv`)"
        )
        return Nvidia(Driver(module.version, None), module.gpus, (*notes, note))
    if module.devices:
        note = f"there are /dev/nvidia* devices, but neither {libraries} can be loaded"
        return Nvidia(None, None, (*notes, note))
    return Nvidia(DriverState.ABSENT, (), notes)


def _notes(*answers: Answer | None) -> list[str]:
    said: list[str] = []
    for found in answers:
        if found is None:
            continue
        notes = found["notes"]
        assert isinstance(notes, list)
        said += [str(note) for note in notes]
        if found["error"] is not None:
            said.append(str(found["error"]))
    return [" ".join(line.split()) for line in said]


def _why_nvml_failed(nvml: Answer, module: KernelModule) -> tuple[str, ...]:
    if nvml["code"] == _NVML_LIBRARY_MISMATCH:
        return (_mismatch(module.version, _library_version(nvml["library"])),)
    if nvml["code"] == _NVML_DRIVER_NOT_LOADED:
        return ("NVIDIA's libraries are installed, but the kernel module is not loaded",)
    return ()


def _mismatch(module: Dotted | None, library: Dotted | None) -> str:
    return (
        f"the kernel module is {module or 'of another version'}, the driver's libraries are "
        f"{library or 'of another version'}: CUDA fails with error 803 until the module is reloaded "
        "(reboot)"
    )


def _library_version(path: object) -> Dotted | None:
    match = re.search(r"\.so\.(\d+(?:\.\d+)+)$", str(path))
    return Dotted.parse(match[1]) if match else None


def _dotted(text: object) -> Dotted | None:
    try:
        return Dotted.parse(str(text))
    except ValueError:
        return None


def _gpus(found: Answer) -> tuple[Gpu, ...] | None:
    items = found["gpus"]
    return tuple(_gpu(item) for item in items) if isinstance(items, list) else None


def _gpu(item: Mapping[str, object]) -> Gpu:
    capability = item.get("compute_capability")
    parsed = ComputeCapability.parse(str(capability)) if capability else None
    memory, mig = item.get("memory_bytes"), item.get("mig")
    return Gpu(
        index=int(str(item["index"])),
        name=_text(item.get("name")),
        uuid=_text(item.get("uuid")),
        architecture=parsed.sm if parsed else None,
        compute_capability=parsed,
        memory_bytes=memory if isinstance(memory, int) else None,
        mig=mig if isinstance(mig, bool) else None,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None


def read_kernel_module(root: Path = Path("/")) -> KernelModule:
    """Read /proc/driver/nvidia; everything None where the module is not loaded."""
    folder = root / "proc/driver/nvidia"
    devices = any((root / "dev").glob("nvidia[0-9]*"))
    try:
        text = (folder / "version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return KernelModule(devices=devices)
    match = re.search(r"Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)", text)
    gpus = tuple(
        replace(_gpu_of_information(file), index=index)
        for index, file in enumerate(sorted((folder / "gpus").glob("*/information")))
    )
    return KernelModule(Dotted.parse(match[1]) if match else None, gpus or None, devices)


def _gpu_of_information(file: Path) -> Gpu:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Gpu(0)
    values = dict(re.findall(r"^([^:\n]+):[ \t]*(.+?)[ \t]*$", text, flags=re.MULTILINE))
    uuid = values.get("GPU UUID")
    return Gpu(0, name=values.get("Model"), uuid=None if uuid and "?" in uuid else uuid)
