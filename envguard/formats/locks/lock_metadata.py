"""What only envguard knows of a lock, as one JSON string in conda-lock's `custom_metadata`.

`{"schema_version": 1, "targets": [{"name", "given", "machine", "virtual_packages", "newer_cuda"}],
"request": {"name", "dependencies": {subdir: [spec]}, "pip": {subdir: [line]}, "variables": {name: value},
"channels": [channel], "allow": [what], "channel_names": {url: name}, "exclude_newer": {"said", "before",
"packages": {name: {"said", "before"}}}}}`; `allow`, `channel_names` and `exclude_newer` are there only where
something was allowed, has a name by configuration alone, or was excluded,
`newer_cuda` (the CUDA of the packages) only where the machine's driver reports an older one. Times are
RFC 3339 in UTC; `before` null = no limit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from envguard.errors import InputError
from envguard.formats.machine_json import machine_from_json, machine_to_json
from envguard.model.lockfile import LockedTarget, LockRequest
from envguard.model.relock import Cutoff
from envguard.model.target import Target
from envguard.model.version import Dotted

KEY = "envguard"
SCHEMA_VERSION = 1


def dump_metadata(targets: tuple[LockedTarget, ...], request: LockRequest) -> str:
    """One line of JSON; the same input gives the same text."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "targets": [
            {
                "name": locked.target.name,
                "given": locked.target.given,
                "machine": machine_to_json(locked.target.machine),
                "virtual_packages": list(locked.virtual_packages),
                **({"newer_cuda": str(locked.newer_cuda)} if locked.newer_cuda else {}),
            }
            for locked in targets
        ],
        "request": {
            "name": request.name,
            "dependencies": {subdir: list(specs) for subdir, specs in request.dependencies.items()},
            "pip": {subdir: list(lines) for subdir, lines in request.pip.items()},
            "variables": dict(request.variables),
            "channels": list(request.channels),
            **({"allow": list(request.allow)} if request.allow else {}),
            **({"channel_names": dict(request.channel_names)} if request.channel_names else {}),
            **({"exclude_newer": _dumped(request.cutoff)} if request.cutoff else {}),
        },
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def parse_metadata(text: str, path: str) -> tuple[tuple[LockedTarget, ...], LockRequest]:
    """Read it back; raises InputError when it is damaged or from a newer envguard."""
    where = f"{path}: metadata.custom_metadata.{KEY}"
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"{where}: an object is expected")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{where}: schema_version {version!r}; this envguard reads {SCHEMA_VERSION}",
            hint="upgrade envguard, or lock again with this one",
        )
    try:
        targets = tuple(_target(item, where) for item in document["targets"])
        return targets, _request(document["request"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{where}: damaged ({error!r})", hint="lock again: envguard lock"
        ) from error


def _target(item: Mapping[str, object], where: str) -> LockedTarget:
    machine = machine_from_json(item["machine"], where)
    virtual_packages = item["virtual_packages"]
    assert isinstance(virtual_packages, list)
    return LockedTarget(
        target=Target(name=str(item["name"]), machine=machine, given=bool(item["given"])),
        virtual_packages=tuple(str(package) for package in virtual_packages),
        newer_cuda=Dotted.parse(str(item["newer_cuda"])) if "newer_cuda" in item else None,
    )


def _request(item: Mapping[str, object]) -> LockRequest:
    return LockRequest(
        name=None if item["name"] is None else str(item["name"]),
        dependencies=_lists(item["dependencies"]),
        pip=_lists(item["pip"]),
        variables={str(k): str(v) for k, v in _mapping(item["variables"]).items()},
        channels=_texts(item["channels"]),
        allow=_texts(item.get("allow", [])),
        channel_names={str(k): str(v) for k, v in _mapping(item.get("channel_names", {})).items()},
        cutoff=_cutoff(_mapping(item["exclude_newer"])) if "exclude_newer" in item else None,
    )


def _dumped(cutoff: Cutoff) -> dict[str, object]:
    return {
        "said": cutoff.said,
        "before": _time_text(cutoff.before),
        "packages": {
            name: {"said": said, "before": _time_text(cutoff.packages[name])}
            for name, said in cutoff.packages_said.items()
        },
    }


def _cutoff(item: Mapping[str, object]) -> Cutoff:
    packages = {name: _mapping(value) for name, value in _mapping(item["packages"]).items()}
    return Cutoff(
        before=_time(item["before"]),
        packages={name: _time(value["before"]) for name, value in packages.items()},
        said=None if item["said"] is None else str(item["said"]),
        packages_said={name: str(value["said"]) for name, value in packages.items()},
    )


def _time_text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(str(text))
    if time.tzinfo is None:
        raise TypeError(f"{text!r} has no time zone")
    return time


def _lists(value: object) -> dict[str, tuple[str, ...]]:
    return {
        str(subdir): tuple(str(line) for line in lines) for subdir, lines in _mapping(value).items()
    }


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(str(item) for item in value)


def _mapping(value: object) -> Mapping[str, list[object]]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no object")
    return value
