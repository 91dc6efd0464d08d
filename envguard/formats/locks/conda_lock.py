"""conda-lock.yml, version 1, to Lockfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.locks import contract_json, lock_metadata, lock_sizes
from envguard.model.channel import channel_name
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials

SUPPORTED_VERSION = 1
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class ArchiveName:
    """What the URL of a conda package says: .../CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda."""

    channel_url: str
    subdir: str
    name: str
    version: str
    build: str

    @property
    def build_number(self) -> int | None:
        tail = self.build.rpartition("_")[2]
        return int(tail) if tail.isdigit() else None


def archive_name(url: str) -> ArchiveName | None:
    """Take the URL of a `.conda` or `.tar.bz2` apart; None where it is none."""
    url = without_credentials(url).partition("#")[0]
    base, _, escaped = url.rpartition("/")
    file = unquote(escaped)  # 1%21164.3095 is version 1!164.3095
    channel_url, _, subdir = base.rpartition("/")
    stem = file.removesuffix(".conda") if file.endswith(".conda") else file.removesuffix(".tar.bz2")
    name_version, _, build = stem.rpartition("-")
    name, _, version = name_version.rpartition("-")
    if stem == file or not (channel_url and name and version):
        return None
    return ArchiveName(channel_url, subdir, name, version, build)


def parse_conda_lock(text: str, path: str) -> Lockfile:
    """Read a conda-lock v1 file of any tool; raises InputError with all mistakes (at most 20)."""
    data = yaml_reader.load(text, path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: not a conda-lock file: a mapping with `version:` is expected")
    version = data.get("version")
    if version != SUPPORTED_VERSION:
        newer = isinstance(version, int) and version > SUPPORTED_VERSION
        raise InputError(
            f"{path}: version {version!r} of conda-lock's format; envguard reads version 1",
            hint="upgrade envguard" if newer else "write it with `envguard lock` or conda-lock",
        )
    reader = _Reader(text, path)
    lockfile = reader.lockfile(data)
    if reader.problems:
        raise InputError(f"{path}: damaged lock", problems=tuple(reader.problems[:_MOST_PROBLEMS]))
    return lockfile


@dataclass(slots=True)
class _Reader:
    text: str
    path: str
    problems: list[str] = field(default_factory=list)
    channel_names: Mapping[str, str] = field(default_factory=dict)

    def lockfile(self, data: Mapping[str, Any]) -> Lockfile:
        metadata = data.get("metadata")
        if not isinstance(metadata, dict):
            self.problems.append(f"{self.path}: metadata: a mapping is expected")
            metadata = {}
        custom = self.string_map(metadata.get("custom_metadata"), "metadata.custom_metadata")
        targets, request = None, None
        if lock_metadata.KEY in custom:
            targets, request = lock_metadata.parse_metadata(custom[lock_metadata.KEY], self.path)
        self.channel_names = request.channel_names if request is not None else {}
        packages = tuple(self.packages(data.get("package")))
        contract = None
        if contract_json.KEY in custom:
            contract = contract_json.parse_contract(custom[contract_json.KEY], packages)
        return Lockfile(
            platforms=tuple(self.strings(metadata.get("platforms"), "metadata.platforms")),
            channels=tuple(
                without_credentials(str(c.get("url", "")))
                for c in metadata.get("channels") or ()
                if isinstance(c, dict)
            ),
            packages=lock_sizes.with_sizes(packages, custom.get(lock_sizes.KEY)),
            sources=tuple(self.strings(metadata.get("sources"), "metadata.sources")),
            content_hash=self.string_map(metadata.get("content_hash"), "metadata.content_hash"),
            custom_metadata=custom,
            targets=targets,
            request=request,
            contract=contract,
        )

    def packages(self, items: object) -> list[LockedPackage]:
        if not isinstance(items, list):
            self.problems.append(f"{self.path}: package: a list is expected")
            return []
        found = (self.package(index, item) for index, item in enumerate(items))
        return [package for package in found if package is not None]

    def package(self, index: int, item: object) -> LockedPackage | None:
        if not isinstance(item, dict):
            self.problem(index, "", "a mapping is expected")
            return None
        before = len(self.problems)
        for key in ("name", "version", "manager", "platform", "url"):
            if not isinstance(item.get(key), str):
                self.problem(index, key, f"{item.get(key)!r} where a text is expected")
        hashes = self.string_map(_without_nulls(item.get("hash")), "hash", index)
        depends = self.string_map(item.get("dependencies"), "dependencies", index)
        if len(self.problems) == before and item["manager"] not in ("conda", "pip"):
            self.problem(index, "manager", f"{item['manager']!r} is neither conda nor pip")
        if len(self.problems) > before:
            return None
        record = _record(item, hashes, tuple(f"{k} {v}".strip() for k, v in depends.items()))
        if record is None:
            self.problem(index, "url", f"{without_credentials(item['url'])!r} is no conda package")
            return None
        return LockedPackage(
            record=self.named(record),
            platform=item["platform"],
            category=str(item.get("category") or "main"),
            optional=bool(item.get("optional", False)),
        )

    def named(self, record: PackageRecord) -> PackageRecord:
        """The record with the name of its channel that the lock itself gives to its place."""
        name = self.channel_names.get(record.channel_url or "")
        return record if name is None else replace(record, channel=name)

    def strings(self, value: object, key: str) -> list[str]:
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return list(value)
        self.problems.append(f"{self.path}: {key}: a list of texts is expected")
        return []

    def string_map(self, value: object, key: str, index: int | None = None) -> dict[str, str]:
        if value is None:
            return {}
        if isinstance(value, dict) and all(
            isinstance(k, str) and isinstance(v, str) for k, v in value.items()
        ):
            return dict(value)
        if index is None:
            self.problems.append(f"{self.path}: {key}: texts by name are expected")
        else:
            self.problem(index, key, "texts by name are expected")
        return {}

    def problem(self, index: int, key: str, what: str) -> None:
        where = f"package[{index}]" + (f".{key}" if key else "")
        self.problems.append(f"{self.path}:{self.line_of(index)}: {where}: {what}")

    def line_of(self, index: int) -> int:
        """The line of entry `index`: nodes are composed only when something is wrong."""
        root = yaml_reader.compose(self.text, self.path)
        for key, value in root.value if root is not None else ():
            if key.value == "package" and index < len(value.value):
                return int(value.value[index].start_mark.line) + 1
        return 1


def _without_nulls(hashes: object) -> object:
    """Older conda-locks write `sha256: null` where there is none."""
    if not isinstance(hashes, dict):
        return hashes
    return {kind: value for kind, value in hashes.items() if value is not None}


def _record(
    item: Mapping[str, Any], hashes: Mapping[str, str], depends: tuple[str, ...]
) -> PackageRecord | None:
    if item["manager"] == "pip":
        return PackageRecord(
            item["name"],
            item["version"],
            Manager.PIP,
            depends=depends,
            url=item["url"],
            sha256=hashes.get("sha256"),
            md5=hashes.get("md5"),
        )
    url = without_credentials(item["url"])
    archive = archive_name(url)
    if archive is None:
        return None
    return PackageRecord(
        item["name"],
        item["version"],
        Manager.CONDA,
        build=item.get("build") or archive.build,
        build_number=archive.build_number,
        channel=channel_name(archive.channel_url),
        subdir=archive.subdir,
        depends=depends,
        url=url,
        sha256=hashes.get("sha256"),
        md5=hashes.get("md5"),
    )
