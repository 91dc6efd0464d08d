"""EG401: a CPU build where a GPU is wanted. EG501: is the C library new enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.checks.case import Case
from envguard.checks.torch_build import BuildKind
from envguard.checks.wording import gpu_phrase
from envguard.model.machine import DriverState
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.target import Target
from envguard.model.version import Dotted

_AT_LEAST = re.compile(r">=\s*(\d+(?:\.\d+)*)")
_WHEEL_TAG = re.compile(r"manylinux(_\d+_\d+|2014|2010|1)(?=_)")
_LEGACY_TAGS = {"2014": "2.17", "2010": "2.12", "1": "2.5"}  # PEP 599, 571, 513


def check_cpu_build(case: Case, asked: Target) -> Iterator[Finding]:
    """Yield one finding about PyTorch. `asked` is the target as the user or the machine gave it."""
    torch = case.torch
    if torch is None:
        yield Finding("EG401", Status.SKIPPED, "no PyTorch among the packages")
    elif torch.kind is BuildKind.CUDA:
        yield Finding("EG401", Status.PASS, f"{torch.label} is a CUDA build")
    elif torch.kind is BuildKind.UNKNOWN:
        title = f"whether {torch.label} is a CPU or a CUDA build is not known"
        yield Finding("EG401", Status.UNKNOWN, title, packages=(torch.record,))
    elif case.target.wants_gpu and case.machine.nvidia_gpus != ():
        yield Finding(
            "EG401",
            Status.FAIL,
            f"{torch.label} is a {torch.kind} build, and {case.target.name} has an NVIDIA GPU",
            packages=(torch.record,),
            have=gpu_phrase(case),
            need="a CUDA build",
            symptom="torch.cuda.is_available() is False, and no error",
            evidence=(torch.evidence,),
            fix=Fix("ask for one: pytorch=*=*cuda* (conda-forge), then envguard lock --for CARD"),
        )
    elif torch.kind is not BuildKind.CPU:
        title = f"{torch.label} is a {torch.kind} build: there are no rules for it yet"
        yield Finding("EG401", Status.UNKNOWN, title, packages=(torch.record,))
    elif _has_no_nvidia(asked):
        title = f"{torch.label} is a {torch.kind} build, for a machine without NVIDIA GPU"
        yield Finding("EG401", Status.PASS, title, packages=(torch.record,))
    else:
        title = f"{torch.label} is a {torch.kind} build, and whether there is a GPU is not known"
        yield Finding("EG401", Status.UNKNOWN, title, packages=(torch.record,))


def _has_no_nvidia(asked: Target) -> bool:
    machine = asked.machine
    hidden = machine.cuda_override == ""
    if hidden or machine.driver is DriverState.ABSENT or machine.subdir.startswith("osx-"):
        return True
    return machine.gpus is not None and not machine.nvidia_gpus


def check_glibc(case: Case) -> Iterator[Finding]:
    """Yield one finding: the highest glibc that any package asks for, against the machine's."""
    if not case.subdir.startswith("linux-"):
        yield Finding("EG501", Status.SKIPPED, f"no glibc on {case.subdir}")
        return
    needs = [(need, record) for record in case.records if (need := glibc_need(record)) is not None]
    if not needs:
        yield Finding("EG501", Status.SKIPPED, "no package names a glibc")
        return
    need, record = max(needs, key=lambda item: item[0])
    glibc = case.machine.glibc
    met = None if glibc is None else glibc >= need
    if met is False and "glibc" in case.machine.assumed:
        met = None
    if met:
        title = f"glibc {glibc} is new enough ({need} for {record.name})"
        yield Finding("EG501", Status.PASS, title, packages=(record,))
        return
    known = "is not known" if glibc is None else f"is taken to be {glibc} and was not seen"
    yield Finding(
        "EG501",
        Status.UNKNOWN if met is None else Status.FAIL,
        f"{record.label} needs glibc {need}"
        + (f", and the machine's {known}" if met is None else f", and there is {glibc}"),
        packages=(record,),
        have=f"glibc {glibc}" if glibc is not None else None,
        need=f"glibc >={need}",
        symptom=f'"version `GLIBC_{need}\' not found"',
        fix=Fix("name it: --for 'CARD,glibc=VERSION' (there: ldd --version)")
        if met is None
        else Fix(
            f"a system with glibc {need}, or older builds: envguard lock --for CARD,glibc={glibc}"
        ),
    )


def glibc_need(record: PackageRecord) -> Dotted | None:
    """The glibc that a record's depends or a wheel's tags ask for; None = it names none.

    A wheel with several tags runs where any of them holds.
    """
    found = [
        Dotted.parse(version)
        for depend in record.depends
        if depend.split(" ")[0] == "__glibc"
        for version in _AT_LEAST.findall(depend)  # a lock joins several specs into one
    ]
    if found:
        return max(found)
    tags = _WHEEL_TAG.findall((record.url or "").rpartition("/")[2])
    return min((_tag_glibc(tag) for tag in tags), default=None)


def _tag_glibc(tag: str) -> Dotted:
    text = _LEGACY_TAGS.get(tag) or tag.removeprefix("_").replace("_", ".")
    return Dotted.parse(text)
