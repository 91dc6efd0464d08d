"""Machine, version 1: a Machine as JSON and back.

A key that is absent was not observed. `"driver": null` was looked for and is not there; `"any"` is a target
that leaves the driver open. Other keys may be null: not observed, as if they were absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from envguard.errors import InputError
from envguard.formats.documents.machine import DriverDocument, GpuDocument, MachineDocument
from envguard.formats.documents.values import known
from envguard.formats.json_reader import JsonObject, kind_of
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.subdir import SUBDIRS, nearest_subdir
from envguard.model.version import ComputeCapability, Dotted

SCHEMA_VERSION = 1
MAX_CHARACTERS = 1_000_000
_OVERRIDES = {
    "cuda_override": "CONDA_OVERRIDE_CUDA",
    "cuda_arch_override": "CONDA_OVERRIDE_CUDA_ARCH",
}


def machine_to_json(machine: Machine) -> MachineDocument:
    """The document that `machine_from_json` reads; what was not observed has no key."""
    environment = machine.environment
    overrides = {
        variable: getattr(machine, name)
        for name, variable in _OVERRIDES.items()
        if getattr(machine, name) is not None
    }
    if overrides:
        environment = {**(environment or {}), **overrides}
    document = known(
        MachineDocument(
            schema_version=1,
            subdir=machine.subdir,
            platform=machine.platform,
            glibc=_text(machine.glibc),
            osx=_text(machine.osx),
            archspec=machine.archspec,
            cpu_flags=None if machine.cpu_flags is None else sorted(machine.cpu_flags),
            driver=_driver_to_json(machine.driver),
            gpus=None if machine.gpus is None else [_gpu_to_json(gpu) for gpu in machine.gpus],
            container=machine.container,
            memory_limit_bytes=machine.memory_limit_bytes,
            shm_bytes=machine.shm_bytes,
            environment=None if environment is None else dict(sorted(environment.items())),
            notes=list(machine.notes) or None,
            assumed=sorted(machine.assumed) or None,
        )
    )
    if machine.driver is DriverState.ABSENT:
        document["driver"] = None
    return document


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _driver_to_json(
    driver: Driver | DriverState | None,
) -> DriverDocument | Literal["any"] | None:
    if isinstance(driver, Driver):
        return known(DriverDocument(version=_text(driver.version), cuda=_text(driver.cuda)))
    return "any" if driver is DriverState.ANY else None


def _gpu_to_json(gpu: Gpu) -> GpuDocument:
    return known(
        GpuDocument(
            index=gpu.index,
            uuid=gpu.uuid,
            vendor=gpu.vendor,
            name=gpu.name,
            architecture=gpu.architecture,
            compute_capability=_text(gpu.compute_capability),
            memory_bytes=gpu.memory_bytes,
            mig=gpu.mig,
        )
    )


def parse_machine(text: str, path: str) -> Machine:
    """Read what `envguard machine -o FILE` wrote; raises InputError that lists every mistake."""
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{path}: {len(text):,} characters; a machine has at most {MAX_CHARACTERS:,}"
        )
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno})",
            hint=f"capture the machine there: envguard machine -o {path}",
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{path}: not JSON: {reason}") from error
    return machine_from_json(value, path)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def machine_from_json(value: object, where: str) -> Machine:
    """Read the document of `machine_to_json`; `where` starts every message.

    Raises InputError that lists every mistake as `where: key: what`.
    """
    document = JsonObject(value, where)
    if not isinstance(value, dict):
        raise InputError(f"{where}: an object is expected, not {kind_of(value)}")
    version = value.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(
            f"{where}: schema_version: {json.dumps(version)}; this envguard reads {SCHEMA_VERSION}",
            hint="upgrade envguard, or capture the machine again: envguard machine -o FILE",
        )
    machine = _machine(document)
    problems = document.problems
    if len(problems) == 1:
        raise InputError(problems[0])
    if problems:
        raise InputError(f"{where}: {len(problems)} mistakes", problems=tuple(problems))
    return machine


def _machine(document: JsonObject) -> Machine:
    environment = document.texts_by_name("environment")
    machine = Machine(
        subdir=_subdir(document),
        glibc=document.parsed("glibc", Dotted.parse),
        archspec=document.text("archspec"),
        cpu_flags=document.flags("cpu_flags"),
        osx=document.parsed("osx", Dotted.parse),
        driver=_driver(document),
        gpus=_gpus(document),
        platform=document.text("platform"),
        container=document.text("container"),
        memory_limit_bytes=document.whole("memory_limit_bytes"),
        shm_bytes=document.whole("shm_bytes"),
        environment=environment,
        cuda_override=_override(document, environment, "CONDA_OVERRIDE_CUDA"),
        cuda_arch_override=_override(document, environment, "CONDA_OVERRIDE_CUDA_ARCH"),
        notes=tuple(document.texts("notes") or ()),
        assumed=frozenset(document.texts("assumed") or ()),
    )
    document.nothing_else("schema_version")
    return machine


def _override(document: JsonObject, environment: Mapping[str, str] | None, name: str) -> str | None:
    text = (environment or {}).get(name)
    if text is None:
        return None
    text = text.strip()
    parse = ComputeCapability.parse if name.endswith("_ARCH") else Dotted.parse
    if text and document.check(f"environment.{name}", text, parse) is None:
        return None
    return text


def _subdir(document: JsonObject) -> str:
    subdir = document.text("subdir")
    if subdir is None:
        document.complain("subdir", f"is missing; one of {', '.join(SUBDIRS)}")
    elif subdir not in SUBDIRS:
        near = nearest_subdir(subdir)
        meant = f"; did you mean {near}?" if near else ""
        document.complain("subdir", f"{subdir!r} is no platform of conda's{meant}")
    return subdir or ""


def _driver(document: JsonObject) -> Driver | DriverState | None:
    if not document.has("driver"):
        return None
    value = document.take("driver")
    if value is None:
        return DriverState.ABSENT
    if value == "any":
        return DriverState.ANY
    if not isinstance(value, dict):
        document.complain("driver", f"an object, null or 'any' is expected, not {kind_of(value)}")
        return None
    driver = document.inner(value, "driver")
    result = Driver(driver.parsed("version", Dotted.parse), driver.parsed("cuda", Dotted.parse))
    driver.nothing_else()
    return result


def _gpus(document: JsonObject) -> tuple[Gpu, ...] | None:
    values = document.take("gpus")
    if values is None:
        return None
    if not isinstance(values, list):
        document.complain("gpus", f"a list is expected, not {kind_of(values)}")
        return None
    gpus = []
    for position, value in enumerate(values):
        if isinstance(value, dict):
            gpus.append(_gpu(document.inner(value, f"gpus[{position}]"), position))
        else:
            document.complain(f"gpus[{position}]", f"an object is expected, not {kind_of(value)}")
    return tuple(gpus)


def _gpu(item: JsonObject, position: int) -> Gpu:
    index = item.whole("index")
    gpu = Gpu(
        index=position if index is None else index,
        name=item.text("name"),
        uuid=item.text("uuid"),
        vendor=(item.text("vendor") or "nvidia").lower(),
        architecture=item.text("architecture"),
        compute_capability=item.parsed("compute_capability", ComputeCapability.parse),
        memory_bytes=item.whole("memory_bytes"),
        mig=item.truth("mig"),
    )
    item.nothing_else()
    return gpu
