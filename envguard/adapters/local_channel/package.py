"""A .conda package out of files of a prefix, and the repodata.json of a folder of them."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from envguard.model.package import PackageRecord

PLACEHOLDER = "/opt/envguard_placeholder_" + "p" * 60
"""Stands for the prefix in packed text files; fixed, so that the same files give the same package."""
_TIME = 1_577_836_800  # 2020-01-01: the same files give the same bytes
_LEVEL = 1  # level 19 takes forty times as long and saves a third


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file. `source` is where it is, `target` its path in the package; `content` replaces it."""

    source: Path
    target: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class PackageDraft:
    """A package to be written. `entry_points` makes it a noarch python package."""

    name: str
    version: str
    subdir: str
    files: tuple[PackageFile, ...]
    depends: tuple[str, ...] = ()
    build_prefix: str = ""
    entry_points: tuple[str, ...] | None = None

    @property
    def noarch(self) -> bool:
        return self.entry_points is not None


@dataclass(frozen=True, slots=True)
class WrittenPackage:
    """A package file and what repodata.json says of it."""

    path: Path
    draft: PackageDraft
    entry: Mapping[str, object] = field(hash=False)

    def record(self, *, channel: str) -> PackageRecord:
        """The package as a lock records it; `channel` is the channel's URL."""
        return PackageRecord(
            name=self.draft.name,
            version=self.draft.version,
            build=str(self.entry["build"]),
            build_number=0,
            channel=channel,
            subdir=self.draft.subdir,
            depends=self.draft.depends,
            url=f"{channel}/{self.draft.subdir}/{self.path.name}",
            sha256=str(self.entry["sha256"]),
            md5=str(self.entry["md5"]),
            size_bytes=self.path.stat().st_size,
        )


@dataclass(frozen=True, slots=True)
class _Member:
    target: str
    data: bytes
    mode: int
    link: str | None
    has_placeholder: bool

    def path_entry(self) -> dict[str, object]:
        entry: dict[str, object] = {
            "_path": self.target,
            "path_type": "softlink" if self.link is not None else "hardlink",
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "size_in_bytes": len(self.data),
        }
        if self.has_placeholder:
            entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
        return entry


def write_package(draft: PackageDraft, folder: Path, *, prefix: Path) -> WrittenPackage:
    """Write `draft` as a .conda into `folder`/SUBDIR. Text that names `prefix` becomes relocatable."""
    from conda_package_streaming.create import conda_builder

    members = [_member(file, prefix) for file in draft.files]
    digest = hashlib.sha256()
    for member in members:
        digest.update(f"{member.target}\0{member.mode:o}\0{member.link}\0".encode() + member.data)
    build = f"{draft.build_prefix}h{digest.hexdigest()[:7]}_0"
    index = _index(draft, build)
    stem = f"{draft.name}-{draft.version}-{build}"
    target = folder / draft.subdir
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{stem}.conda"
    path.unlink(missing_ok=True)
    with conda_builder(stem, target, compression_level=_LEVEL, compression_threads=0) as archive:
        for member in members:
            _add(archive, member)
        for name, text in _metadata(draft, index, members).items():
            _add(archive, _Member(f"info/{name}", text.encode(), 0o644, None, False))
    _forget_time(path)
    return WrittenPackage(path, draft, {**index, **hashes_of(path)})


def _forget_time(path: Path) -> None:
    """Date the first entry of the archive, metadata.json, 1980-01-01 as the others are."""
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
    date = struct.pack("<HH", 0, (1 << 5) | 1)
    with path.open("r+b") as stream:
        for header, offset in ((0, 10), (directory, 12)):
            stream.seek(header + offset)
            stream.write(date)


def hashes_of(path: Path) -> dict[str, object]:
    """md5, sha256 and size of a file, as repodata.json names them."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    return {"sha256": sha256, "md5": md5, "size": path.stat().st_size}


def write_repodata(folder: Path, subdir: str, packages: Iterable[WrittenPackage]) -> None:
    """Write `folder`/`subdir`/repodata.json; a channel needs one for noarch too, even an empty one."""
    repodata = {
        "info": {"subdir": subdir},
        "packages": {},
        "packages.conda": {package.path.name: package.entry for package in packages},
        "repodata_version": 1,
    }
    (folder / subdir).mkdir(parents=True, exist_ok=True)
    (folder / subdir / "repodata.json").write_text(json.dumps(repodata, indent=1, sort_keys=True))


def _member(file: PackageFile, prefix: Path) -> _Member:
    mode = stat.S_IMODE(file.source.lstat().st_mode) if file.content is None else 0o644
    if file.content is None and file.source.is_symlink():
        return _Member(file.target, b"", mode, str(file.source.readlink()), False)
    data = file.source.read_bytes() if file.content is None else file.content
    old = str(prefix).encode()
    named = old in data and b"\0" not in data
    if named:
        data = data.replace(old, PLACEHOLDER.encode())
    return _Member(file.target, data, 0o755 if mode & 0o100 else 0o644, None, named)


def _index(draft: PackageDraft, build: str) -> dict[str, object]:
    index: dict[str, object] = {
        "name": draft.name,
        "version": draft.version,
        "build": build,
        "build_number": 0,
        "depends": list(draft.depends),
        "subdir": draft.subdir,
    }
    if draft.noarch:
        return index | {"noarch": "python"}
    os_name, _, arch = draft.subdir.partition("-")
    return index | {"platform": os_name, "arch": {"64": "x86_64"}.get(arch, arch)}


def _metadata(
    draft: PackageDraft, index: Mapping[str, object], members: Sequence[_Member]
) -> dict[str, str]:
    paths = {"paths": [member.path_entry() for member in members], "paths_version": 1}
    texts = {
        "index.json": json.dumps(index, sort_keys=True),
        "paths.json": json.dumps(paths),
        "files": "".join(f"{member.target}\n" for member in members),
    }
    if draft.entry_points is not None:
        noarch = {"type": "python", "entry_points": list(draft.entry_points)}
        texts["link.json"] = json.dumps({"noarch": noarch, "package_metadata_version": 1})
    return texts


def _add(archive: tarfile.TarFile, member: _Member) -> None:
    info = tarfile.TarInfo(str(PurePosixPath(member.target)))
    info.mtime, info.mode, info.size = _TIME, member.mode, len(member.data)
    if member.link is not None:
        info.type, info.linkname, info.size = tarfile.SYMTYPE, member.link, 0
    archive.addfile(info, io.BytesIO(member.data))
