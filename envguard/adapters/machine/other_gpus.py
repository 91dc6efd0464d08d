"""GPUs that are not NVIDIA's, and NVIDIA's without a driver, as the kernel lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from envguard.model.machine import Gpu

# https://pci-ids.ucw.cz/ ; the other vendors of display controllers make no GPUs that compute
_VENDORS = {"0x1002": "amd", "0x8086": "intel", "0x10de": "nvidia"}
# display controllers (03) and processing accelerators (12): https://pci-ids.ucw.cz/read/PD
_CLASSES = ("0x03", "0x12")


def list_other_gpus(root: Path = Path("/")) -> tuple[Gpu, ...]:
    """AMD's and Intel's GPUs; numbered by vendor. Best effort: what sysfs hides is not seen."""
    amd = tuple(_amd_compute_gpus(root))
    seen = pci_vendors(root)
    if not amd:
        amd = tuple(Gpu(index, vendor="amd") for index in range(seen.count("amd")))
    return amd + tuple(Gpu(index, vendor="intel") for index in range(seen.count("intel")))


def pci_vendors(root: Path = Path("/")) -> tuple[str, ...]:
    """`amd`, `intel` or `nvidia` for every GPU on the PCI bus."""
    vendors = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor = _VENDORS.get(_read(device / "vendor"))
        if vendor is not None and _read(device / "class").startswith(_CLASSES):
            vendors.append(vendor)
    return tuple(vendors)


def _amd_compute_gpus(root: Path) -> Iterator[Gpu]:
    """What AMD's compute driver lists; nodes without a GFX version are CPUs.

    `gfx_target_version` 90402 is gfx942, 100300 gfx1030:
    https://docs.kernel.org/gpu/amdgpu/driver-misc.html
    """
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("*/properties")
    index = 0
    for file in sorted(nodes, key=lambda path: path.parent.name.zfill(4)):
        match = re.search(r"^gfx_target_version (\d+)$", _read(file), flags=re.MULTILINE)
        version = int(match[1]) if match else 0
        if version:
            major, minor, step = version // 10000, version // 100 % 100, version % 100
            yield Gpu(index, vendor="amd", architecture=f"gfx{major}{minor:x}{step:x}")
            index += 1


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
