"""`export --prove`: does what was exported bring the same packages again?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from envguard.cleaning.gpu import cuda_bound, gpu_choice
from envguard.formats.environments.pip_lines import requirement_name
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Environment
from envguard.model.knowledge import Knowledge
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord

Records = Sequence[PackageRecord]


@dataclass(frozen=True, slots=True)
class Proof:
    """One platform. `gpu` and `leaves` tell what came out otherwise: (name, before, after)."""

    subdir: str
    compared: int
    gpu: tuple[tuple[str, str, str], ...] = ()
    leaves: tuple[tuple[str, str, str], ...] = ()

    @property
    def same(self) -> bool:
        return not (self.gpu or self.leaves)


def prove(
    exported: Environment,
    before: Mapping[str, Records],
    *,
    solve: Callable[[Environment], Lockfile],
    knowledge: Knowledge,
) -> tuple[Proof, ...]:
    """Solve `exported` and compare with `before`, what it was made of, platform by platform.

    `solve` raises UnsatisfiableError where there is no solution.
    """
    after = solve(exported)
    return tuple(
        compare(exported.for_subdir(subdir), subdir, records, after.records_for(subdir), knowledge)
        for subdir, records in before.items()
        if subdir in after.platforms
    )


def compare(
    exported: Environment, subdir: str, before: Records, after: Records, knowledge: Knowledge
) -> Proof:
    """The versions of what the environment names, and every choice between CUDA builds and others."""
    old, new = _versions(before), _versions(after)
    names = list(dict.fromkeys(_named(exported)))
    leaves = tuple(
        (name, old.get((manager, name), "not there"), new.get((manager, name), "not there"))
        for manager, name in names
        if old.get((manager, name)) != new.get((manager, name))
    )
    choice, choice_now = gpu_variant(before, knowledge), gpu_variant(after, knowledge)
    gpu = tuple(
        (name, choice.get(name, "not there"), choice_now.get(name, "not there"))
        for name in sorted({*choice, *choice_now})
        if choice.get(name) != choice_now.get(name)
    )
    return Proof(subdir, len(names), gpu, leaves)


def gpu_variant(records: Records, knowledge: Knowledge) -> dict[str, str]:
    """By package the part of its build that chooses a GPU; of wheels what stands behind `+`."""
    variants = {name for row in knowledge.gpu_variants for name in row.names}
    found = {}
    for record in records:
        if record.manager is Manager.PIP:
            local = record.version.partition("+")[2]
            if record.name in ("torch", "jaxlib", "tensorflow") or local.startswith("cu"):
                found[record.name] = local or "as on PyPI"
        elif record.name in variants:
            found[record.name] = gpu_choice(record.build) or "no CUDA"
        elif choice := cuda_bound(record):
            found[record.name] = choice
    return found


def _named(environment: Environment) -> list[tuple[Manager, str]]:
    conda = [(Manager.CONDA, parse_match_spec(x.spec).name) for x in environment.dependencies]
    pip = [requirement_name(line.spec) for line in environment.pip]
    return [*conda, *((Manager.PIP, name) for name in pip if name is not None)]


def _versions(records: Records) -> dict[tuple[Manager, str], str]:
    return {
        (r.manager, canonicalize_name(r.name) if r.manager is Manager.PIP else r.name): r.version
        for r in records
    }
