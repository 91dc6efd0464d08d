"""What a solver is told of a target: conda's virtual packages.

https://github.com/conda/ceps/blob/main/cep-0030.md (`__cuda_arch`: CEP 46)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from envguard.model.knowledge import Knowledge
from envguard.model.machine import Driver, DriverState, Machine
from envguard.model.target import Target, VirtualPackage
from envguard.model.version import ComputeCapability, Dotted

Baselines = Mapping[str, tuple[VirtualPackage, ...]]


def virtual_packages(target: Target, baselines: Baselines) -> tuple[VirtualPackage, ...]:
    """The virtual packages of `target`, by name.

    What nobody observed or said comes from the baselines of its subdir, except `__cuda` and `__cuda_arch`:
    they are never assumed. `__cuda` of a target that leaves the driver open is the newest that a driver
    for its cards has.
    """
    machine = target.machine
    packages = {package.name: package for package in baselines.get(machine.subdir, ())}
    for package in _observed(machine):
        packages[package.name] = package
    if _is_overridden_away(machine, "CONDA_OVERRIDE_GLIBC"):
        packages.pop("__glibc", None)
    cuda = _cuda(target)
    if cuda:
        packages["__cuda"] = VirtualPackage("__cuda", cuda)
        if architecture := _cuda_arch(machine):
            packages["__cuda_arch"] = VirtualPackage("__cuda_arch", architecture)
    return tuple(packages[name] for name in sorted(packages))


def _observed(machine: Machine) -> list[VirtualPackage]:
    packages = []
    os_name = machine.subdir.partition("-")[0]
    if machine.glibc is not None and os_name == "linux":
        packages.append(VirtualPackage("__glibc", str(machine.glibc)))
    if machine.osx is not None and os_name == "osx":
        packages.append(VirtualPackage("__osx", str(machine.osx)))
    if machine.archspec is not None and "archspec" not in machine.assumed:
        packages.append(VirtualPackage("__archspec", "1", machine.archspec))
    return packages


def _is_overridden_away(machine: Machine, variable: str) -> bool:
    return (machine.environment or {}).get(variable) == ""


def _cuda(target: Target) -> str | None:
    machine = target.machine
    if machine.cuda_override is not None:
        return machine.cuda_override or None
    match machine.driver:
        case Driver(cuda=cuda):
            return str(cuda) if cuda is not None else None
        case DriverState.ANY:
            return str(target.cuda_reach) if target.cuda_reach is not None else None
        case _:
            return None


def _cuda_arch(machine: Machine) -> str | None:
    """The lowest compute capability; None where one of the GPUs could not be asked for its own."""
    if machine.cuda_arch_override is not None:
        return machine.cuda_arch_override or None
    capabilities = [gpu.compute_capability for gpu in machine.nvidia_gpus or ()]
    known = [capability for capability in capabilities if capability is not None]
    return str(min(known)) if known and len(known) == len(capabilities) else None


def with_cuda_reach(target: Target, knowledge: Knowledge) -> Target:
    """The target with `cuda_reach` filled in where it leaves the driver open; else as it is."""
    if target.machine.driver is not DriverState.ANY:
        return target
    os_name = "win" if target.subdir.startswith("win-") else "linux"
    reaches = [
        _reach(gpu.compute_capability, knowledge, os_name) if gpu.compute_capability else None
        for gpu in target.machine.nvidia_gpus or ()
    ]
    known = [reach for reach in reaches if reach is not None]
    return replace(target, cuda_reach=min(known) if len(known) == len(reaches) > 0 else None)


def _reach(capability: ComputeCapability, knowledge: Knowledge, os_name: str) -> Dotted | None:
    """The newest CUDA of the driver branches that run a card; None for Jetsons, which have their own."""
    kinds = {m.kind for m in knowledge.gpus if m.compute_capability == capability}
    if kinds == {"jetson"}:
        return None
    ends = [drop.driver for drop in knowledge.driver_drops if drop.from_ <= capability < drop.below]
    running = [
        branch.cuda
        for branch in knowledge.driver_branches
        if branch.os == os_name and all(branch.first < end for end in ends)
    ]
    return max(running, default=None)


def shared_virtual_packages(
    targets: Sequence[tuple[VirtualPackage, ...]],
) -> tuple[VirtualPackage, ...]:
    """What all targets of one subdir can rely on: what each of them has, in the lowest version."""
    if not targets:
        return ()
    by_name = [{package.name: package for package in packages} for packages in targets]
    shared = set.intersection(*(set(packages) for packages in by_name))
    return tuple(_lowest([packages[name] for packages in by_name]) for name in sorted(shared))


def _lowest(packages: Sequence[VirtualPackage]) -> VirtualPackage:
    """The lowest version; of microarchitectures the lowest level where they are levels.

    Levels (`x86_64`, `x86_64_v3`) sort by name; a CPU's own name (`zen4`) is not comparable, and
    beside another one the family is all that they share for certain.
    """
    if len({package.build for package in packages}) == 1:
        return min(packages, key=_version_key)
    builds = sorted(package.build for package in packages)
    if all(build.startswith("x86_64") for build in builds):
        return VirtualPackage(packages[0].name, "1", builds[0])
    return VirtualPackage(packages[0].name, "0", "0")


def _version_key(package: VirtualPackage) -> tuple[bool, Dotted | str]:
    try:
        return (True, Dotted.parse(package.version))
    except ValueError:  # a kernel such as 6.8.0-45-generic: below every version that can be read
        return (False, package.version)
