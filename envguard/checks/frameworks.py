"""EG201 for what is not PyTorch: CUDA builds of other frameworks, of which no architectures are tabled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.checks.case import Case
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Fix, Status

_FRAMEWORKS = re.compile(
    r"jaxlib|jax-cuda\d+-plugin|tensorflow(?:-base|-gpu)?|cupy(?:-core|-cuda\S+)?|onnxruntime-gpu"
    r"|paddlepaddle-gpu"
)


def check_frameworks(case: Case) -> Iterator[Finding]:
    """Frameworks whose architectures nobody has tabled are unknown, not fine."""
    for record in case.records:
        if _FRAMEWORKS.fullmatch(record.name) and _is_cuda_build(record, case):
            yield Finding(
                "EG201",
                Status.UNKNOWN,
                f"which GPUs {record.label} has code for is not tabled",
                packages=(record,),
                fix=Fix("envguard verify on such a machine shows it"),
            )
            return


def _is_cuda_build(record: PackageRecord, case: Case) -> bool:
    """A wheel says so by its name, or finds CUDA in the runtime wheel beside it (TensorFlow)."""
    if "cuda" in f"{record.build}{record.name}" or record.name.endswith("-gpu"):
        return True
    return record.name == "tensorflow" and any(
        other.manager is record.manager is Manager.PIP
        and other.name.startswith("nvidia-cuda-runtime")
        for other in case.records
    )
