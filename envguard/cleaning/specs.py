"""One MatchSpec, cleaned: no credentials, no build string but the GPU choice, its version by policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.cleaning.gpu import METAPACKAGES, cuda_bound, gpu_choice
from envguard.cleaning.pins import conda_pin, has_upper_bound, single_version
from envguard.errors import InputError
from envguard.model.channel import channel_name
from envguard.model.cleaning import Pin
from envguard.model.conda import MatchSpec, parse_match_spec
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted

_WHOLE_BUILD = re.compile(r"(?:[\w.+]*_)?\d+\Z")
_KEYS = re.compile(r"(\w+)\s*=")
_KNOWN_KEYS = {"version", "build", "channel"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a spec is cleaned: the packages that it brought, and what the tables add.

    `bounds` are upper bounds (`<2`) by name: newer ones are known to break with the rest. `channels` are
    those that a package has to be asked of by name, because an earlier channel may have it, too.
    """

    records: Mapping[str, PackageRecord] = field(default_factory=dict)
    bounds: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)


def clean_spec(text: str, known: Known, pin: Pin) -> str:
    """`text` as others should read it. Raises InputError for what is no MatchSpec."""
    spec = parsed(text)
    if not set(_KEYS.findall(text.partition("[")[2])) <= _KNOWN_KEYS:
        return redacted(text)  # `[sha256=...]`, `[when=...]`: somebody knew what they wrote
    record = known.records.get(spec.name)
    chosen = gpu_choice(spec.build) if is_whole_build(spec.build) else spec.build
    gpu = chosen or cuda_bound(record)
    asked = None if spec.version == "*" else spec.version
    version = _version(spec, asked, record, gpu, pin)
    bound = known.bounds.get(spec.name)
    if bound is not None and not has_upper_bound(version):
        version = f"{version},{bound}" if version else bound
    channel = channel_name(spec.channel) if spec.channel else known.channels.get(spec.name)
    return (f"{channel}::" if channel else "") + written(spec.name, version, gpu)


def _version(
    spec: MatchSpec, asked: str | None, record: PackageRecord | None, gpu: str | None, pin: Pin
) -> str | None:
    """What a person said stays; what a program noted of one installation is by policy."""
    by_program = is_whole_build(spec.build)
    if asked is not None and not by_program:
        exact = record is not None and pin is Pin.EXACT
        return conda_pin(record.version, pin) if record is not None and exact else asked
    if spec.name in METAPACKAGES and gpu is not None:
        return asked
    noted = single_version(asked) if record is None else record.version
    if noted is None:
        return asked
    if gpu is not None and pin is Pin.NONE:
        pin = Pin.MINOR  # a build without its version is a build of any age
    return conda_pin(noted, pin)


def is_whole_build(build: str | None) -> bool:
    """Whether a build string ends in a build number, as one build does: `py312_0`, and not `mkl`, `cuda*`.

    A pattern or a name is a person's choice (of a BLAS, of an MPI) and no note of a program.
    """
    return build is not None and _WHOLE_BUILD.match(build) is not None


def parsed(text: str) -> MatchSpec:
    """A spec of a record. Raises InputError for what is no MatchSpec."""
    try:
        return parse_match_spec(text)
    except ValueError as error:
        raise InputError(f"a recorded request is no MatchSpec: {redacted(text)}") from error


def written(name: str, version: str | None, build: str | None) -> str:
    """The shortest text that every reader of environment.yml takes for the same."""
    if version is None:
        return name if build is None else f"{name}=*={build}"
    if build is not None:
        plain = version.removeprefix("==")
        single = not re.search(r"[<>=!~,|]", plain)
        return f"{name}={plain}={build}" if single else f"{name} {version} {build}"
    if version.startswith("==") and "," not in version and "|" not in version:
        return f"{name}{version}"
    if re.fullmatch(r"[\w.+!]+\.\*", version):
        return f"{name}={version.removesuffix('.*')}"
    return f"{name} {version}"
