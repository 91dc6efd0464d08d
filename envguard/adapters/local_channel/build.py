"""An installable conda channel out of the running interpreter and PyPI.

It uses the host's libssl and friends: good for demonstrations and tests on this machine, for nothing else.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from envguard.adapters.local_channel.distribution import distribution_draft, python_draft
from envguard.adapters.local_channel.package import PackageDraft, write_package, write_repodata
from envguard.adapters.local_channel.python import (
    Interpreter,
    ask_interpreter,
    bundled_pip,
    copy_interpreter,
    scratch_root,
)
from envguard.adapters.pip.config import link_folders, uv_environment
from envguard.adapters.prefixes.pip_install import run_uv
from envguard.adapters.scratch import TEMPORARY_HINT, scratch_folder
from envguard.errors import InputError, UnavailableError
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT, Progress

DEADLINE_S = 600.0
_NEEDED_BYTES = 1 << 30
_NEEDED_BYTES_TORCH = 4 << 30
_INDEX_HINT = "check the network and pip's configuration (pip config list), then try again"


@dataclass(frozen=True, slots=True)
class LocalChannel:
    """A channel in a folder. `packages` are its records, with hashes and file:// URLs."""

    directory: Path
    subdir: str
    packages: tuple[PackageRecord, ...]

    @property
    def url(self) -> str:
        return self.directory.as_uri()

    def path_of(self, record: PackageRecord) -> Path:
        """Where the package file of one of `packages` is."""
        assert record.url is not None
        return self.directory / record.url.removeprefix(f"{self.url}/")


def build_channel(
    directory: Path,
    requirements: Sequence[str],
    *,
    python: Path | None = None,
    torch: bool = False,
    progress: Progress = SILENT,
    environment: Mapping[str, str] = os.environ,
) -> LocalChannel:
    """Make a channel of python, pip and `requirements` (as pip takes them) in `directory`.

    `python` is the interpreter to copy, by default the running one. `torch` adds a CPU build. Raises
    UnavailableError when a requirement cannot be had or there is no room, InputError where this is no Linux.
    """
    if not sys.platform.startswith("linux"):
        raise InputError("a channel can be made from the running interpreter on Linux only")
    interpreter = ask_interpreter(python or Path(sys.executable))
    needed = _NEEDED_BYTES_TORCH if torch else _NEEDED_BYTES
    root = scratch_root(needed) or Path(tempfile.gettempdir())
    with errors_in_words(root, directory), scratch_folder(root, hint=TEMPORARY_HINT) as scratch:
        prefix = scratch / "prefix"
        progress.stage(f"copying python {interpreter.version}")
        copy_interpreter(interpreter, prefix)
        base = python_draft(interpreter, prefix, subdir=current_subdir())
        # conda and mamba put pip beside python, and solvers expect to find it
        wanted = [bundled_pip(interpreter) or "pip", *requirements]
        _fill(prefix, wanted, torch=torch, progress=progress, environment=environment)
        drafts = [base, *_distributions(prefix, interpreter)]
        progress.stage(f"packing {len(drafts)} packages")
        return _pack(directory.resolve(), drafts, prefix)


@contextlib.contextmanager
def errors_in_words(scratch: Path, directory: Path) -> Iterator[None]:
    """Raises UnavailableError where the disk, or a permission, gives out."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"the channel could not be made in {directory} (by way of {scratch}): "
            f"{error.strerror or error}",
            hint=TEMPORARY_HINT,
        ) from error


def _fill(
    prefix: Path,
    requirements: list[str],
    *,
    torch: bool,
    progress: Progress,
    environment: Mapping[str, str],
) -> None:
    told = uv_environment(environment)
    extra: tuple[str, ...] = ()
    if torch:
        progress.stage("looking for a CPU build of torch")
        wheel, extra = _cpu_torch(prefix, requirements, told)
        requirements = [*requirements, wheel]
    progress.stage("fetching " + " ".join(_short(text) for text in requirements))
    _uv_install(prefix, requirements, told, extra)


def _short(requirement: str) -> str:
    """`numpy`, or `numpy 2.4.6` for a wheel on disk."""
    if "/" not in requirement:
        return requirement
    return " ".join(Path(requirement).name.split("-")[:2])


def _uv_install(
    prefix: Path, requirements: Sequence[str], environment: Mapping[str, str], extra: Sequence[str]
) -> None:
    run_uv(
        ["pip", "install", *_into(prefix), "--link-mode", "copy", *extra, "--", *requirements],
        what=f"{', '.join(map(_short, requirements))} could not be fetched from PyPI",
        deadline_s=DEADLINE_S,
        environment=environment,
        scratch=prefix.parent,
        hint=_INDEX_HINT,
    )


def _into(prefix: Path) -> list[str]:
    # --prefix: Debian's python would otherwise install into PREFIX/local
    where = ["--python", str(prefix / "bin" / "python"), "--prefix", str(prefix)]
    return [*where, "--no-build", "--break-system-packages", "--no-progress"]


def _cpu_torch(
    prefix: Path, requirements: Sequence[str], environment: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The requirement and the uv options that give a torch without CUDA, the first that resolves."""
    reasons = []
    attempts: list[tuple[str, tuple[str, ...]]] = [
        (f"torch @ {wheel.as_uri()}", ()) for wheel in _torch_wheels(environment)[:1]
    ]
    for requirement, extra in [*attempts, ("torch", ("--torch-backend", "cpu"))]:
        try:
            plan = _plan(prefix, [*requirements, requirement], environment, extra)
        except UnavailableError as error:
            reasons.append(f"{_short(requirement)} {' '.join(extra)}: {error.message}".strip())
            continue
        if not any(name.startswith(("nvidia-", "cuda-")) for name in plan):
            return requirement, extra
        reasons.append(f"{_short(requirement)} would bring CUDA packages, gigabytes of them")
    raise UnavailableError(
        "no CPU build of torch could be had",
        problems=tuple(reasons),
        hint="put a torch +cpu wheel into a folder and name it: export PIP_FIND_LINKS=/that/folder",
    )


def _plan(
    prefix: Path, requirements: Sequence[str], environment: Mapping[str, str], extra: Sequence[str]
) -> tuple[str, ...]:
    """Names of what uv would install."""
    wanted = prefix.parent / "requirements.in"
    wanted.write_text("".join(f"{line}\n" for line in requirements))
    python = str(prefix / "bin" / "python")
    options = ["--python", python, "--no-build", "--no-header", "--no-annotate", "--quiet"]
    text = run_uv(
        ["pip", "compile", *options, *extra, str(wanted)],
        what="uv could not resolve it",
        deadline_s=DEADLINE_S,
        environment=environment,
        scratch=prefix.parent,
    )
    return tuple(line.split("==")[0].split(" @")[0].strip() for line in text.splitlines())


def _torch_wheels(environment: Mapping[str, str]) -> list[Path]:
    """torch wheels in pip's find-links that fit the running interpreter, the newest first."""
    tags = frozenset(sys_tags())
    found = []
    for folder in link_folders(environment):
        for path in folder.glob("torch-*.whl"):
            try:
                _, version, _, wheel_tags = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                continue
            if wheel_tags & tags:
                found.append((version, path))
    return [path for _, path in sorted(found, reverse=True)]


def _distributions(prefix: Path, interpreter: Interpreter) -> list[PackageDraft]:
    site = prefix / "lib" / f"python{interpreter.minor}" / "site-packages"
    return [
        distribution_draft(info, interpreter, prefix, subdir=current_subdir())
        for info in sorted(site.glob("*.dist-info"))
    ]


def _pack(directory: Path, drafts: Sequence[PackageDraft], prefix: Path) -> LocalChannel:
    subdir = current_subdir()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        written = list(
            pool.map(lambda draft: write_package(draft, directory, prefix=prefix), drafts)
        )
    for folder in (subdir, "noarch"):
        write_repodata(directory, folder, [w for w in written if w.path.parent.name == folder])
    records = tuple(package.record(channel=directory.as_uri()) for package in written)
    return LocalChannel(directory, subdir, records)
