"""Locking a pip section with uv, beside packages that conda has already chosen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from envguard.adapters.pip.failure import failure
from envguard.adapters.pip.uv_processes import UvProcesses
from envguard.adapters.pip.wheel_tags import supported_tags, uv_platform
from envguard.adapters.scratch import scratch_folder
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials
from envguard.ports import PipRequest

UV_TIMEOUT_S = 600.0


class UvPipResolver:
    """Resolves from metadata alone; nothing is built, because a build would run a stranger's code.

    `pypi_names` maps conda names to PyPI names where they differ.
    """

    def __init__(
        self,
        *,
        pypi_names: Mapping[str, str],
        offline: bool = False,
        timeout_s: float = UV_TIMEOUT_S,
    ) -> None:
        self._pypi_names = pypi_names
        self._offline = offline
        self._timeout_s = timeout_s

    def resolve(self, requests: Sequence[PipRequest]) -> tuple[tuple[PackageRecord, ...], ...]:
        """One wheel a package, with its URL and hash; nothing of what conda provides."""
        uv = UvProcesses()
        with (
            scratch_folder(Path(tempfile.gettempdir())) as folder,
            ThreadPoolExecutor(max_workers=max(1, len(requests))) as pool,
        ):
            scratches = [folder.resolve() / str(number) for number in range(len(requests))]
            try:
                return tuple(pool.map(partial(self._resolve, uv), requests, scratches))
            except BaseException:  # ^C, or one failed: nobody waits for the others
                uv.stop()
                raise

    def _resolve(
        self, uv: UvProcesses, request: PipRequest, scratch: Path
    ) -> tuple[PackageRecord, ...]:
        scratch.mkdir()
        stubs = self._write_stubs(request.provided, scratch / "stubs")
        (scratch / "provided.txt").write_text("\n".join(stubs) + "\n", "utf-8")
        lock = scratch / "pylock.toml"
        self._run_uv(request, scratch, lock, uv)
        return tuple(self._records(tomllib.loads(lock.read_text("utf-8")), request, scratch))

    def _run_uv(self, request: PipRequest, scratch: Path, lock: Path, uv: UvProcesses) -> None:
        arguments = [
            *("pip", "compile", "--quiet", "--no-progress", "--no-header"),
            *("--format", "pylock.toml", "--generate-hashes", "--no-build", "--upgrade"),
            *("--python", sys.executable, "--python-version", request.python_version),
            *("--python-platform", uv_platform(request.subdir, request.glibc)),
            *("--constraints", str(scratch / "provided.txt")),
            *(["--offline"] if self._offline else []),
            # read from stdin, so that `-r FILE` and `./WHEEL` mean what is beside environment.yml
            *("--output-file", str(lock), "-"),
        ]
        try:
            status, stderr = uv.run(
                arguments,
                text="\n".join(request.lines) + "\n",
                directory=request.directory or Path.cwd(),
                timeout_s=self._timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"the pip section was not resolved within {self._timeout_s:g} s",
                hint="check the network and the index named in the pip section, then try again",
            ) from error
        if status != 0:
            raise failure(stderr, request, scratch)

    def _write_stubs(self, provided: tuple[PackageRecord, ...], folder: Path) -> list[str]:
        """Wheels with a name and a version only: what uv is to take as given."""
        folder.mkdir()
        return [
            f"{name} @ {_write_stub(folder, name, version).as_uri()}"
            for name, version in self._provided_distributions(provided)
        ]

    def _provided_distributions(
        self, provided: tuple[PackageRecord, ...]
    ) -> Iterator[tuple[str, str]]:
        for record in provided:
            if not any(spec.split(" ")[0] == "python" for spec in record.depends):
                continue
            try:
                version = str(Version(record.version))
            except InvalidVersion:
                continue
            yield canonicalize_name(self._pypi_names.get(record.name, record.name)), version

    def _records(
        self, lock: Mapping[str, Any], request: PipRequest, scratch: Path
    ) -> Iterator[PackageRecord]:
        tags = supported_tags(request.subdir, request.python_version, request.glibc)
        for package in lock.get("packages", ()):
            if _is_stub(package.get("archive", {}), scratch):
                continue
            if "vcs" in package or "directory" in package:
                raise InputError(
                    f"pip: {package['name']}: a repository or a folder has no hash to lock",
                    hint="name a released version, or the URL of a wheel",
                )
            yield _record(package, tags, request, scratch)


def _is_stub(source: Mapping[str, Any], scratch: Path) -> bool:
    return bool(source) and _url(source, scratch).startswith((scratch / "stubs").as_uri() + "/")


def _record(
    package: Mapping[str, Any], tags: list[Tag], request: PipRequest, scratch: Path
) -> PackageRecord:
    artefact = package.get("archive") or _best_wheel(package.get("wheels", ()), tags)
    if artefact is None:
        raise UnsatisfiableError(
            f"pip: {package['name']} {package.get('version', '')} has no wheel for {request.subdir}, "
            f"python {request.python_version}",
            hint="take it from a conda channel, or pin a version that has one",
        )
    url = _url(artefact, scratch)
    return PackageRecord(
        name=package["name"],
        version=str(package.get("version") or _version_in(url)),
        manager=Manager.PIP,
        subdir=request.subdir,
        url=without_credentials(url),
        sha256=artefact.get("hashes", {}).get("sha256"),
        size_bytes=artefact.get("size"),
    )


def _url(artefact: Mapping[str, Any], scratch: Path) -> str:
    """Where it is; a path in a pylock.toml is relative to that file."""
    if url := artefact.get("url"):
        return str(url)
    return Path(os.path.normpath(scratch / str(artefact["path"]))).as_uri()


def _best_wheel(wheels: Any, tags: list[Tag]) -> Mapping[str, Any] | None:
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
    return str(parse_wheel_filename(_unquoted(url.rpartition("/")[2]))[1])


def _write_stub(folder: Path, name: str, version: str) -> Path:
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path
