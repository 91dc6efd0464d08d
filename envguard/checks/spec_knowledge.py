"""What the tables know of a spec: which builds of PyTorch it can mean."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envguard.checks.torch_build import cuda_of_digits
from envguard.model.channel import channel_name
from envguard.model.conda import MatchSpec, record_matches, version_matches
from envguard.model.explanation import TabledBuild
from envguard.model.knowledge import Knowledge, TorchBuilds
from envguard.model.package import Manager, PackageRecord
from envguard.model.version import Dotted

TORCH_NAMES = ("pytorch", "libtorch", "pytorch-gpu", "torch")
_CUDA = re.compile(r"cu(?:da)?_?(?:(\d+\.\d+)|(\d{2,3})(?!\d))")
_ONE_VERSION = re.compile(r"={0,2}\s*(\d+(?:\.\d+)+)(?:\.\*)?(?:\+[\w.]+)?\Z")


def spec_cuda(spec: MatchSpec) -> Dotted | None:
    """The CUDA that a build or a local version names: `*_cu118`, `cuda11.8*`, `2.8.0+cu129`; None = none."""
    for text in (spec.build or "", (spec.version or "").partition("+")[2]):
        if match := _CUDA.search(text):
            return Dotted.parse(match[1]) if match[1] else cuda_of_digits(match[2])
    return None


def tabled_builds(
    spec: MatchSpec, subdirs: Iterable[str], knowledge: Knowledge
) -> tuple[TabledBuild, ...] | None:
    """The rows for the one version that the spec names, else for its CUDA, in the table's order.

    None = the spec is not about PyTorch, or names neither one version nor a CUDA.
    """
    wanted, cuda, subdirs = _version(spec), spec_cuda(spec), set(subdirs)
    if spec.name not in TORCH_NAMES or (wanted is None and cuda is None):
        return None
    return tuple(
        TabledBuild(
            channel=row.channel,
            subdir=row.subdir,
            torch=row.torch,
            cuda=tuple(map(str, row.cuda)),
            source=row.origin.source,
            fits=cuda is None or cuda in row.cuda,
        )
        for row in knowledge.torch_builds
        if row.subdir in subdirs and row.channel in _channels(spec) and _concerns(row, wanted, cuda)
    )


def _concerns(row: TorchBuilds, wanted: str | None, cuda: Dotted | None) -> bool:
    if wanted is not None:
        return version_matches(wanted, row.torch)
    return cuda is not None and cuda in row.cuda


def _version(spec: MatchSpec) -> str | None:
    match = _ONE_VERSION.match(spec.version or "")
    return match[1] if match else None


def _channels(spec: MatchSpec) -> tuple[str, ...]:
    if spec.name == "torch":
        return ("wheel",)
    return (channel_name(spec.channel),) if spec.channel else ("conda-forge", "pytorch")


def differences(spec: MatchSpec, record: PackageRecord) -> tuple[str, ...]:
    """What of a record of the same name does not fit: its channel, version or build; empty = it matches."""
    found = []
    if spec.channel and record.channel and channel_name(spec.channel) != record.channel:
        found.append(f"channel {record.channel}, not {channel_name(spec.channel)}")
    if spec.version and not _fits(record.version, spec.version):
        found.append(f"version {record.version}, not {spec.version}")
    if spec.build and record.manager is Manager.PIP:
        found.append("a pip package, and the spec names a conda build")
    elif spec.build and not record_matches(f"{spec.name}[build='{spec.build}']", record):
        found.append(f"build {record.build}, not {spec.build}")
    return tuple(found)


def _fits(version: str, wanted: str) -> bool:
    """A version that conda cannot read, as pip packages may have, fits nothing."""
    try:
        return version_matches(version, wanted)
    except ValueError:
        return False
