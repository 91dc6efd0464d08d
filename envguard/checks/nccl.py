"""EG220: the NCCL wheel beside PyTorch's, against the one that it pins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case
from envguard.checks.packages import evaluate
from envguard.checks.torch_build import TorchBuild
from envguard.model.conda import version_matches
from envguard.model.framework import TorchNccl
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status
from envguard.model.version import Dotted

_ID = "EG220"
_NCCL = re.compile(r"nvidia-nccl-cu\d+")
_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def check_nccl(case: Case) -> Iterator[Finding]:
    """Yield one finding where both wheels are there and the table knows what PyTorch pins.

    A rule that explains it says more: where it holds, nothing is added.
    """
    torch = case.torch
    record = next((r for r in case.records if _NCCL.fullmatch(r.name)), None)
    if torch is None or record is None or record.manager is not Manager.PIP:
        return
    row, found = _row(case, torch), _NUMBERS.match(record.version)
    if row is None or found is None or _explained(case):
        return
    yield _against(torch, record, row, Dotted.parse(found[0]))


def _against(torch: TorchBuild, record: PackageRecord, row: TorchNccl, found: Dotted) -> Finding:
    passed = Finding(
        _ID,
        Status.PASS,
        f"{record.label} is not older than the one of {torch.label}",
        packages=(torch.record, record),
        sources=(row.origin.source,),
    )
    if found >= row.nccl:
        return passed
    return replace(
        passed,
        status=Status.WARN,
        title=f"{record.label} is older than the NCCL that {torch.label} was built with",
        message="it may lack a function that PyTorch calls",
        have=record.label,
        need=f"{record.name} >={row.nccl}",
        symptom='"undefined symbol: nccl..." at import torch',
        fix=Fix(f"{record.name}=={row.nccl}, the one that torch pins"),
    )


def _row(case: Case, torch: TorchBuild) -> TorchNccl | None:
    """The table is about the wheels on PyPI; those of other indexes pin others."""
    if not torch.default:
        return None
    for row in case.knowledge.torch_nccl:
        if case.subdir in row.subdirs and version_matches(torch.version, row.torch):
            return row
    return None


def _explained(case: Case) -> bool:
    return any(
        _ID in rule.explains and evaluate(rule.when, case) is True for rule in case.knowledge.rules
    )
