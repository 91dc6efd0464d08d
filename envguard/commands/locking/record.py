"""What a lock records of the machines and of the request that it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envguard.model.environment import Environment
from envguard.model.lockfile import LockRequest
from envguard.model.machine import Machine
from envguard.model.secrets import public_variables, redacted
from envguard.model.target import Target


def recorded_target(target: Target) -> Target:
    """The target as others may read it: what the solve depended on, and nothing of whose machine it is."""
    machine = target.machine
    gpus = machine.gpus
    return replace(
        target,
        machine=Machine(
            subdir=machine.subdir,
            glibc=machine.glibc,
            archspec=machine.archspec,
            osx=machine.osx,
            driver=machine.driver,
            gpus=None
            if gpus is None
            else tuple(replace(g, uuid=None, memory_bytes=None) for g in gpus),
            platform=machine.platform,
            cuda_override=machine.cuda_override,
            cuda_arch_override=machine.cuda_arch_override,
            assumed=machine.assumed,
        ),
    )


def lock_request(environment: Environment, subdirs: Sequence[str]) -> LockRequest:
    selected = {subdir: environment.for_subdir(subdir) for subdir in subdirs}
    return LockRequest(
        name=environment.name,
        dependencies={
            subdir: tuple(redacted(d.spec) for d in chosen.dependencies)
            for subdir, chosen in selected.items()
        },
        pip={
            subdir: tuple(redacted(line.spec) for line in chosen.pip)
            for subdir, chosen in selected.items()
            if chosen.pip
        },
        variables=public_variables(environment.variables)[0],
        channels=tuple(redacted(channel) for channel in environment.channels),
    )
