"""The text of `python -m torch.utils.collect_env`, which maintainers ask for: packages and the machine."""

from __future__ import annotations

import re

from envguard.model.channel import channel_name
from envguard.model.listing import Listing
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.version import Dotted

_MARKS = ("PyTorch version:", "CUDA used to build PyTorch:")
_CARD = re.compile(
    r"^\s*(?:GPU models and configuration: *)?GPU (\d+): (.+?)(?: \(UUID: [^)]*\))?\s*$",
    re.MULTILINE,
)
_PIP = re.compile(r"^\s*\[pip3?\]\s+(\S+?)(?:==|\s+)(\S+)\s*$", re.MULTILINE)
_CONDA = re.compile(r"^\s*\[conda\]\s+(\S+)\s+(\S+)\s+(\S+)(?:\s+(\S+))?\s*$", re.MULTILINE)


def is_collect_env(text: str) -> bool:
    """Whether the two lines that every version of it prints are there."""
    return all(mark in text for mark in _MARKS)


def parse_collect_env(text: str) -> Listing:
    """Packages that the text names (it leaves most out) and what it says of the machine."""
    records = {record.name: record for record in _records(text)}
    torch = _value(text, "PyTorch version")
    if torch and torch != "N/A" and not {"torch", "pytorch"} & set(records):
        records["torch"] = PackageRecord("torch", torch, Manager.PIP)
    subdir = _subdir(text)
    machines = (_machine(text, subdir),) if subdir is not None else ()
    return Listing(
        "collect-env",
        {subdir: tuple(records.values())},
        complete=False,
        machines=machines,
        observed=True,
    )


def _records(text: str) -> list[PackageRecord]:
    pip = [PackageRecord(name, version, Manager.PIP) for name, version in _PIP.findall(text)]
    conda = [
        PackageRecord(name, version, Manager.PIP)
        if channel in ("pypi", "<pip>") or build == "pypi_0"
        else PackageRecord(
            name, version, build=build, channel=channel_name(channel) if channel else "defaults"
        )
        for name, version, build, channel in _CONDA.findall(text)
    ]
    listed_by_conda = {r.name for r in conda} | ({"torch"} if _has(conda, "pytorch") else set())
    return [record for record in pip if record.name not in listed_by_conda] + conda


def _has(records: list[PackageRecord], name: str) -> bool:
    return any(r.name == name and r.manager is Manager.CONDA for r in records)


def _machine(text: str, subdir: str) -> Machine:
    version = _dotted(_value(text, "Nvidia driver version"))
    cards = tuple(
        Gpu(int(index), name=name) for index, name in _CARD.findall(text) if name != "N/A"
    )
    said = _value(text, "GPU models and configuration")
    none = said is not None and said.startswith(("No CUDA", "No GPU"))
    driver: Driver | DriverState | None = Driver(version) if version is not None else None
    if none and version is None:
        driver = DriverState.ABSENT
    return Machine(
        subdir,
        glibc=_dotted((_value(text, "Libc version") or "").removeprefix("glibc-")),
        driver=driver,
        gpus=cards or (() if none else None),
    )


def _subdir(text: str) -> str | None:
    platform = (_value(text, "Python platform") or "").lower()
    system = (_value(text, "OS") or "").lower()
    if "windows" in platform or "windows" in system:
        return "win-64"
    if "macos" in platform or "darwin" in platform or "macos" in system:
        return "osx-arm64" if "arm64" in platform else "osx-64"
    if "linux" in platform:
        return "linux-aarch64" if "aarch64" in platform else "linux-64"
    return None


def _value(text: str, key: str) -> str | None:
    match = re.search(rf"^\s*{re.escape(key)}:[ \t]*(.*)$", text, re.MULTILINE)
    return match[1].strip() or None if match else None


def _dotted(text: str | None) -> Dotted | None:
    try:
        return Dotted.parse(text) if text else None
    except ValueError:
        return None
