"""A machine in a folder, as the kernel's files tell of it, and stamps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from envguard import stamp_check, stamp_file

LOCK = "a" * 64
A, B, C = (f"GPU-{letter * 8}-0000-0000-0000-000000000000" for letter in "abc")


def machine_in(
    root: Path,
    *,
    driver: str | None = "570.124.06",
    gpus: Sequence[str] = (A, B),
    nodes: bool = True,
    pci: bool = False,
    machine_id: str = "0" * 32,
) -> Path:
    """`/` of a machine; `nodes`: whether it has /dev/nvidia0, `pci`: an NVIDIA GPU is on the bus."""
    _write(root / "etc/machine-id", machine_id + "\n")
    _write(
        root / "proc/cpuinfo", "vendor_id\t: GenuineIntel\nmodel\t: 143\nflags\t: sse4_2 avx2\n\n"
    )
    (root / "dev").mkdir(exist_ok=True)
    if driver is not None:
        version = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}  Thu Feb 1\n"
        _write(root / "proc/driver/nvidia/version", version)
        for number, uuid in enumerate(gpus):
            text = f"Model: \t\t NVIDIA H100\nIRQ:   \t\t 5\nGPU UUID: \t {uuid}\n"
            _write(root / f"proc/driver/nvidia/gpus/0000:{number:02x}:00.0/information", text)
            if nodes:
                _write(root / f"dev/nvidia{number}", "")
    if pci:
        _write(root / "sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
        _write(root / "sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n")
    return root


def stamp_of(root: Path, environment: Mapping[str, str], **more: object) -> dict[str, object]:
    """A stamp of a run that passed on that machine; `more` replaces keys, before it is sealed."""
    host = stamp_file.facts_of_host(environment, str(root))
    seen = stamp_check.nvidia(environment, str(root))
    gpus = seen.get("gpus", [])
    assert isinstance(gpus, list)
    where = [str(gpu["uuid"]) for gpu in gpus] or [stamp_file.CPU]
    stamp: dict[str, object] = {
        "schema_version": 1,
        "lock": LOCK,
        "tier": "ran",
        "verdict": "pass",
        "date": "2026-11-20T10:00:00Z",
        "envguard": "0.1.0",
        "rules_date": "2026-11-01",
        "ran": {"import": [stamp_file.CPU], "matmul": where},
        **host,
        **{key: value for key, value in seen.items() if key != "doubt"},
        **more,
    }
    return {**stamp, "seal": stamp_file.seal_of(stamp)}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
