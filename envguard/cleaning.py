"""Installed records and what was asked, to a publishable environment; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from packaging.utils import canonicalize_name

from envguard.errors import InputError
from envguard.model.channel import channel_name
from envguard.model.conda import MatchSpec, parse_match_spec
from envguard.model.environment import SELECTORS, Dependency, Environment, selector_holds
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import public_variables, redacted, without_credentials
from envguard.ports import Installed

_CUDA_BUILD = re.compile(r"cuda\d*(?:\.\d+)?")
_GPU_METAPACKAGES = ("pytorch-gpu", "pytorch-cuda", "cuda-version", "cudatoolkit")


def clean_lock(lockfile: Lockfile) -> Environment:
    """What a lock was made from; where nobody recorded it, the packages that nothing else needs."""
    by_subdir = {subdir: _lock_lines(lockfile, subdir) for subdir in lockfile.platforms}
    request = lockfile.request
    pip = {
        subdir: (
            list(request.pip.get(subdir, ()))
            if request is not None
            else _pip_lines(lockfile.records_for(subdir), {})
        )
        for subdir in lockfile.platforms
    }
    return Environment(
        name=request.name if request is not None else None,
        channels=_channels(request.channels if request and request.channels else lockfile.channels),
        dependencies=_with_selectors(by_subdir),
        pip=_with_selectors(pip),
        platforms=lockfile.platforms,
        variables=dict(request.variables) if request is not None else {},
        notes=() if request is not None else (_NOT_RECORDED,),
    )


def clean_installed(installed: Installed) -> Environment:
    """What a prefix or a virtual environment was asked to be, as far as anybody recorded it."""
    conda = [r for r in installed.records if r.manager is Manager.CONDA]
    notes = list(installed.problems)
    if conda and not installed.requested:
        notes.append(_NOT_RECORDED)
    specs = list(installed.requested or ()) or _leaves(conda)
    if not conda and installed.python_version:
        specs = [f"python={_minor(installed.python_version)}"]
    pip = _pip_lines(installed.records, installed.pip_origins or {}, installed.pip_requested or ())
    variables, secret = public_variables(installed.variables or {})
    notes += [f"variables: {name} looks like a secret and is left out" for name in secret]
    return Environment(
        name=installed.path.name if installed.kind == "prefix" else None,
        channels=_channels(installed.channels) or ("conda-forge",),
        dependencies=tuple(map(Dependency, _clean_specs(specs, conda, pip=bool(pip)))),
        pip=tuple(Dependency(line) for line in pip),
        variables=variables,
        notes=tuple(notes),
    )


_NOT_RECORDED = (
    "nobody recorded what was asked for: these are the packages that no other package needs, "
    "at their minor version"
)


def _lock_lines(lockfile: Lockfile, subdir: str) -> list[str]:
    records = [r for r in lockfile.records_for(subdir) if r.manager is Manager.CONDA]
    asked = lockfile.request.dependencies.get(subdir, ()) if lockfile.request is not None else ()
    pip = any(r.manager is Manager.PIP for r in lockfile.records_for(subdir))
    return _clean_specs(list(asked) or _leaves(records), records, pip=pip)


def _clean_specs(specs: Sequence[str], records: Sequence[PackageRecord], *, pip: bool) -> list[str]:
    """Specs without build strings, but for the GPU choice; python (and pip, where needed) always named."""
    by_name = {record.name: record for record in records}
    cleaned = [_clean_spec(spec, by_name) for spec in specs]
    names = {parse_match_spec(spec).name for spec in cleaned}
    missing = [] if "python" in names or "python" not in by_name else ["python"]
    missing += ["pip"] if pip and "pip" not in names else []
    for name in missing:
        record = by_name.get(name)
        cleaned.append(f"python={_minor(record.version)}" if record and name == "python" else name)
    return list(dict.fromkeys(cleaned))


def _clean_spec(text: str, records: Mapping[str, PackageRecord]) -> str:
    try:
        spec = parse_match_spec(text)
    except ValueError as error:
        raise InputError(f"a recorded request is no MatchSpec: {redacted(text)}") from error
    record = records.get(spec.name)
    gpu = _gpu_choice(spec.build) or _cuda_bound(record)
    version = None if spec.version == "*" else spec.version
    if gpu and version is None and record is not None and spec.name not in _GPU_METAPACKAGES:
        version = f"{_minor(record.version)}.*"
    channel = f"{channel_name(spec.channel)}::" if spec.channel else ""
    return channel + _written(spec, version, gpu)


def _written(spec: MatchSpec, version: str | None, build: str | None) -> str:
    if version is None:
        return spec.name if build is None else f"{spec.name}=*={build}"
    if build is not None:
        plain = version.removeprefix("==")
        single = not re.search(r"[<>=!~,|]", plain)
        return f"{spec.name}={plain}={build}" if single else f"{spec.name} {version} {build}"
    if version.startswith("=="):
        return f"{spec.name}{version}"
    if re.fullmatch(r"[\w.+!]+\.\*", version):
        return f"{spec.name}={version.removesuffix('.*')}"
    return f"{spec.name} {version}"


def _gpu_choice(build: str | None) -> str | None:
    """The part of a build string that chooses a GPU: `*cuda129*`, `*cuda11.8*`, `cpu*`; else None."""
    if build is None:
        return None
    if match := _CUDA_BUILD.search(build):
        return f"*{match[0]}*"
    return "cpu*" if build.startswith("cpu") else None


def _cuda_bound(record: PackageRecord | None) -> str | None:
    """The GPU choice of a record that asks for a driver itself; its companions follow it."""
    if record is None or "__cuda" not in {spec.split(" ")[0] for spec in record.depends}:
        return None
    return _gpu_choice(record.build)


def _leaves(records: Sequence[PackageRecord]) -> list[str]:
    """Packages that no other one needs, at their minor version."""
    needed = {spec.split(" ")[0] for record in records for spec in record.depends}
    return [
        f"{record.name}={_minor(record.version)}"
        for record in sorted(records, key=lambda r: r.name)
        if record.name not in needed and not record.name.startswith("_")
    ]


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _pip_lines(
    records: Iterable[PackageRecord], origins: Mapping[str, str], asked: Iterable[str] = ()
) -> list[str]:
    """What pip was asked for (`asked`), and what nothing else needs."""
    requested = {canonicalize_name(name) for name in asked}
    pip = [record for record in records if record.manager is Manager.PIP]
    needed = {
        canonicalize_name(re.split(r"[^A-Za-z0-9._-]", spec.strip(), maxsplit=1)[0])
        for record in pip
        for spec in record.depends
        if "extra ==" not in spec
    }
    return [
        f"{record.name} @ {without_credentials(origins[record.name])}"
        if record.name in origins
        else f"{record.name}=={record.version}"
        for record in sorted(pip, key=lambda r: r.name)
        if canonicalize_name(record.name) not in needed - requested
    ]


def _channels(channels: Iterable[str]) -> tuple[str, ...]:
    """Short names without credentials; the channels of `defaults` under that name."""
    names = [channel_name(channel) for channel in channels]
    return tuple(dict.fromkeys("defaults" if n.startswith("pkgs/") else n for n in names))


def _with_selectors(by_subdir: Mapping[str, Sequence[str]]) -> tuple[Dependency, ...]:
    """Lines of all subdirs as they are, the others behind selectors."""
    lines: dict[str, list[str]] = {}
    for subdir, of_subdir in by_subdir.items():
        for line in of_subdir:
            lines.setdefault(line, []).append(subdir)
    return tuple(
        Dependency(line, selector=_selector(having, list(by_subdir)))
        for line, having in lines.items()
    )


def _selector(having: Sequence[str], all_subdirs: Sequence[str]) -> str | None:
    """The shortest selector that names exactly `having` among `all_subdirs`; None for all of them."""
    if set(having) == set(all_subdirs):
        return None
    for word in SELECTORS:
        if {s for s in all_subdirs if selector_holds(word, s)} == set(having):
            return word
    words = [
        next(w for w in SELECTORS if {s for s in all_subdirs if selector_holds(w, s)} == {subdir})
        for subdir in having
    ]
    return " or ".join(words)
