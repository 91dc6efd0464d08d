"""What conda provides, as wheels with a name and a version only: uv takes them as given."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envguard.model.package import PackageRecord


@dataclass(frozen=True, slots=True)
class Provided:
    """A Python distribution of a conda record. `headers`: what its metadata says of extras, where known."""

    name: str
    version: str
    record: PackageRecord
    headers: tuple[str, ...] = ()


def provided_distributions(
    records: Sequence[PackageRecord], names: Mapping[str, str], package_cache: Path | None
) -> tuple[Provided, ...]:
    """The distributions of conda records: from their dist-info where the package is unpacked in a cache.

    Elsewhere by name: `names` (conda's to PyPI's), else the name is the same.
    """
    found: dict[str, Provided] = {}
    for record in records:
        on_disk = list(_in_cache(record, package_cache)) if package_cache else []
        for provided in on_disk or _by_name(record, names):
            found.setdefault(provided.name, provided)
    return tuple(found.values())


def write_stubs(provided: Sequence[Provided], folder: Path) -> dict[str, Path]:
    """One wheel a distribution in `folder`, by name."""
    folder.mkdir()
    return {one.name: _write_stub(folder, one) for one in provided}


def _by_name(record: PackageRecord, names: Mapping[str, str]) -> Iterator[Provided]:
    if not any(spec.split(" ")[0] == "python" for spec in record.depends):
        return
    try:
        version = str(Version(record.version))
    except InvalidVersion:
        return
    yield Provided(canonicalize_name(names.get(record.name, record.name)), version, record)


def _in_cache(record: PackageRecord, package_cache: Path) -> Iterator[Provided]:
    unpacked = package_cache / f"{record.name}-{record.version}-{record.build}"
    for pattern in ("site-packages", "lib/python*/site-packages", "Lib/site-packages"):
        for metadata in sorted(unpacked.glob(f"{pattern}/*.dist-info/METADATA")):
            headers = HeaderParser().parsestr(metadata.read_text("utf-8", "replace"))
            name, version = headers.get("Name"), headers.get("Version")
            if not (name and version):
                continue
            extras = [
                f"Provides-Extra: {extra}" for extra in headers.get_all("Provides-Extra") or ()
            ]
            requires = headers.get_all("Requires-Dist") or ()
            extras += [f"Requires-Dist: {one}" for one in requires if "extra ==" in one]
            yield Provided(canonicalize_name(name), version, record, tuple(extras))


def _write_stub(folder: Path, provided: Provided) -> Path:
    stem = f"{provided.name.replace('-', '_')}-{provided.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    info = f"{stem}.dist-info"
    headers = ["Metadata-Version: 2.1", f"Name: {provided.name}", f"Version: {provided.version}"]
    metadata = "\n".join([*headers, *provided.headers]) + "\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path
