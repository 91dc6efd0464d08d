"""A pylock.toml of uv's to records: one file a package, the best for the target."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from envguard.adapters.pip.wheel_tags import supported_tags
from envguard.errors import InputError, UnsatisfiableError
from envguard.model.package import Manager, PackageRecord
from envguard.model.pip_source import EDITABLE
from envguard.ports.pip import PipRequest

UNKNOWN_VERSION = "0+unknown"
"""Of a source whose version only a build tells; versioneer writes it so."""


@dataclass(frozen=True, slots=True)
class Pylock:
    """What uv wrote in `folder`; `stubs` are there, too. `hashes` are those that lines allow, by name."""

    folder: Path
    request: PipRequest
    hashes: Mapping[str, frozenset[str]]

    def records(self, text: str) -> Iterator[PackageRecord]:
        """Everything but the stubs. URLs are as uv wrote them: they may hold credentials."""
        tags = supported_tags(self.request.subdir, self.request.python_version, self.request.glibc)
        for package in tomllib.loads(text).get("packages", ()):
            if not self._is_stub(package.get("archive", {})):
                yield self._source(package) or self._file(package, tags)

    def _source(self, package: Mapping[str, Any]) -> PackageRecord | None:
        """A repository at its commit or a folder: nothing that has a hash."""
        if vcs := package.get("vcs"):
            if vcs["type"] != "git":
                raise InputError(
                    f"pip: {package['name']}: a {vcs['type']} repository cannot be locked",
                    hint="git repositories are; or name a released version",
                )
            url = f"git+{vcs['url']}@{vcs['commit-id']}"
            url += f"#subdirectory={vcs['subdirectory']}" if vcs.get("subdirectory") else ""
            return self._record(package, url, str(package.get("version") or UNKNOWN_VERSION))
        if folder := package.get("directory"):
            url = self._url(folder) + (f"#{EDITABLE}" if folder.get("editable") else "")
            return self._record(package, url, _static_version(Path(unquote(urlsplit(url).path))))
        return None

    def _file(self, package: Mapping[str, Any], tags: Sequence[Tag]) -> PackageRecord:
        name = canonicalize_name(package["name"])
        wheels = [w for w in package.get("wheels", ()) if self._allowed(name, w)]
        artefact = package.get("archive") or _best_wheel(wheels, tags)
        if artefact is None and self.request.build:
            artefact = package.get("sdist")
        if artefact is None or not self._allowed(name, artefact):
            raise self._nothing(package)
        url = self._url(artefact)
        version = str(package.get("version") or _version_in(url))
        return self._record(package, url, version, artefact)

    def _record(
        self,
        package: Mapping[str, Any],
        url: str,
        version: str,
        file: Mapping[str, Any] | None = None,
    ) -> PackageRecord:
        file = file or {}
        return PackageRecord(
            name=package["name"],
            version=version,
            manager=Manager.PIP,
            subdir=self.request.subdir,
            url=url,
            sha256=file.get("hashes", {}).get("sha256"),
            size_bytes=file.get("size"),
        )

    def _allowed(self, name: str, file: Mapping[str, Any]) -> bool:
        allowed = self.hashes.get(name)
        return allowed is None or file.get("hashes", {}).get("sha256") in allowed

    def _nothing(self, package: Mapping[str, Any]) -> UnsatisfiableError:
        told = f"pip: {package['name']} {package.get('version', '')}".rstrip()
        place = f"{self.request.subdir}, python {self.request.python_version}"
        if canonicalize_name(package["name"]) in self.hashes:
            return UnsatisfiableError(
                f"{told} has no wheel for {place} with a sha256 that its line allows",
                hint="add the --hash of the wheel for this platform, or leave the hashes out: the "
                "lock has them",
            )
        return UnsatisfiableError(
            f"{told} has no wheel for {place}",
            hint="take it from a conda channel, or pin a version that has one",
        )

    def _is_stub(self, source: Mapping[str, Any]) -> bool:
        return bool(source) and self._url(source).startswith((self.folder / "stubs").as_uri() + "/")

    def _url(self, artefact: Mapping[str, Any]) -> str:
        """Where it is; a path in a pylock.toml is relative to that file."""
        if url := artefact.get("url"):
            return str(url)
        return Path(os.path.normpath(self.folder / str(artefact["path"]))).as_uri()


def _static_version(folder: Path) -> str:
    """The version that a pyproject.toml states; `UNKNOWN_VERSION` where a build would have to tell."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        return str(project["version"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return UNKNOWN_VERSION


def _best_wheel(
    wheels: Sequence[Mapping[str, Any]], tags: Sequence[Tag]
) -> Mapping[str, Any] | None:
    ranks = {tag: rank for rank, tag in enumerate(tags)}
    best: tuple[int, Mapping[str, Any]] | None = None
    for wheel in wheels:
        file = str(wheel.get("name") or wheel.get("url") or wheel.get("path")).rpartition("/")[2]
        try:
            fits = [ranks[tag] for tag in parse_wheel_filename(_unquoted(file))[3] if tag in ranks]
        except InvalidWheelFilename:
            continue
        if fits and (best is None or min(fits) < best[0]):
            best = (min(fits), wheel)
    return best[1] if best else None


def _unquoted(file: str) -> str:
    return file.partition("#")[0].replace("%2B", "+").replace("%2b", "+")


def _version_in(url: str) -> str:
    file = _unquoted(url.rpartition("/")[2])
    return str(parse_wheel_filename(file)[1]) if file.endswith(".whl") else UNKNOWN_VERSION
