"""Bundles: what is put into one, and the scene that one shows."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.model.bundle import Bundle, BundledEnvironment, BundledPackage
from envguard.model.diagnosis import (
    End,
    EnvironmentFacts,
    HostFacts,
    Log,
    ProcessFacts,
    ResourceFacts,
    Revision,
    Scene,
)
from envguard.model.listing import Listing
from envguard.model.machine import Machine
from envguard.model.package import Manager, PackageRecord
from envguard.ports.prefixes import Installed

MOST_REVISIONS = 50


def bundle_of(
    *,
    created: str,
    machine: Machine,
    host: HostFacts,
    resources: ResourceFacts,
    installed: Installed | None,
    revisions: Sequence[Revision] = (),
    logs: tuple[Log, ...] = (),
) -> Bundle:
    """Everything that a post-mortem elsewhere needs; of the revisions the last ones."""
    environment = None
    if installed is not None:
        packages = tuple(map(_package, installed.records))
        kept = tuple(revisions[-MOST_REVISIONS:])
        environment = BundledEnvironment(str(installed.path), installed.kind, packages, kept)
    return Bundle(created, machine, host, resources, environment, logs)


def _package(record: PackageRecord) -> BundledPackage:
    manager = record.manager.value
    return BundledPackage(record.name, record.version, record.build, record.channel, manager)


def listing_of(environment: BundledEnvironment, subdir: str) -> Listing:
    """Its packages as a listing of the machine's platform: complete, as an environment is."""
    records = tuple(
        PackageRecord(
            package.name,
            package.version,
            Manager.PIP if package.manager == Manager.PIP else Manager.CONDA,
            build=package.build,
            channel=package.channel,
        )
        for package in environment.packages
    )
    return Listing(f"bundled {environment.kind}", {subdir: records})


def scene_of(bundle: Bundle, *, end: End | None, environment: EnvironmentFacts | None) -> Scene:
    """What a bundle shows; what is not in it was not asked."""
    return Scene(
        process=ProcessFacts(end=end),
        logs=bundle.logs,
        host=bundle.host,
        resources=bundle.resources,
        environment=environment,
        machine=bundle.machine,
        elsewhere=f"not in the bundle of {bundle.created}",
    )
