"""What a user sends to somebody who diagnoses elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from envguard.model.diagnosis import (
    HostFacts,
    Kernelspec,
    Log,
    ResourceFacts,
    Revision,
)
from envguard.model.machine import Machine


@dataclass(frozen=True, slots=True)
class BundledPackage:
    """A package by what names it; `manager` is conda or pip."""

    name: str
    version: str
    build: str | None = None
    channel: str | None = None
    manager: str = "conda"


@dataclass(frozen=True, slots=True)
class BundledEnvironment:
    """What was installed, and what was done to it."""

    path: str
    kind: str
    packages: tuple[BundledPackage, ...] = ()
    revisions: tuple[Revision, ...] = ()
    kernelspec: Kernelspec | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Machine, container, resources, environment and logs of one moment; `created` is in UTC."""

    created: str
    machine: Machine
    host: HostFacts | None = None
    resources: ResourceFacts | None = None
    environment: BundledEnvironment | None = None
    logs: tuple[Log, ...] = ()
