"""`check` of packages that another tool wrote down: a lock of its own, a freeze, a bug report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from envguard.checks.case import Case, case_of
from envguard.checks.judgement import judge
from envguard.commands.checking.check import count, report_on
from envguard.errors import InputError
from envguard.formats.gpu_names import match_gpu_name
from envguard.model.knowledge import Knowledge
from envguard.model.listing import Listing
from envguard.model.machine import Gpu, Machine
from envguard.model.report import Finding, Fix, Report, Status, Subject
from envguard.model.target import Target


@dataclass(frozen=True, slots=True)
class Asked:
    """Which listings of a file are judged for which machines, and what is said of the others."""

    pairs: tuple[tuple[Listing, Target], ...]
    left_out: tuple[str, ...] = ()


def asked_of(
    listings: Sequence[Listing],
    path: str,
    said: Sequence[Target],
    *,
    knowledge: Knowledge,
    here: Callable[[], Target],
) -> Asked:
    """Each listing with the machines in question whose platform it is about.

    Without `said` those are the machines that it tells of, else this one. Raises InputError for a machine
    that was named and no listing is about, and where nothing is left.
    """
    every = [
        (listing, target)
        for listing in listings
        for target in said or targets_of_listing(listing, knowledge, here)
    ]
    pairs = tuple(pair for pair in every if _is_about(*pair))
    for _, target in every:
        if not any(target is judged for _, judged in pairs) and (said or not pairs):
            raise _no_packages(listings, path, target)
    left_out = tuple(
        f"not judged for {target.name}: {_named(listing, path)} is about {_about([listing])}"
        for listing, target in every
        if not _is_about(listing, target)
    )
    return Asked(pairs, left_out)


def check_listings(
    listings: Sequence[Listing],
    path: str,
    said: Sequence[Target],
    *,
    knowledge: Knowledge,
    here: Callable[[], Target],
) -> tuple[Report, ...]:
    """Judge each for the machines in question that it is about; raises InputError as `asked_of` does."""
    asked = asked_of(listings, path, said, knowledge=knowledge, here=here)
    reports = [
        check_listing(listing, path, target, knowledge=knowledge) for listing, target in asked.pairs
    ]
    *others, last = reports
    return (*others, replace(last, notes=(*last.notes, *asked.left_out)))


def check_listing(listing: Listing, path: str, target: Target, *, knowledge: Knowledge) -> Report:
    """Judge packages that another tool wrote down; raises InputError for a subdir they are not about."""
    records = listing.records_for(target.subdir)
    if records is None:
        raise _no_packages([listing], path, target)
    case = case_of(target, records, knowledge, complete=listing.complete)
    detail = f"{listing.kind}, {count(len(records), 'package')}"
    subject = Subject(listing.kind, _named(listing, path), target.subdir, detail)
    findings = (*judge(case, target), *_not_pinned(listing, case, target))
    return report_on(subject, target, case, findings, ())


def targets_of_listing(
    listing: Listing, knowledge: Knowledge, here: Callable[[], Target]
) -> tuple[Target, ...]:
    """The machines that it tells of, with what their cards are known to be, and this one where it has a GPU.

    A bug report tells of the machine it was written on, and of no other. Where nothing is told, this one.
    """
    name = "the machine it tells of" if listing.observed else "the machine its platform is for"
    told = tuple(
        Target(name, _with_known_cards(machine, knowledge)) for machine in listing.machines
    )
    if told and listing.observed:
        return told
    machine = here()
    if not told:
        return (machine,)
    here_too = bool(machine.machine.nvidia_gpus) and _is_about(listing, machine)
    return (*told, machine) if here_too else told


def _with_known_cards(machine: Machine, knowledge: Knowledge) -> Machine:
    gpus = machine.gpus
    known = None if gpus is None else tuple(_with_capability(gpu, knowledge) for gpu in gpus)
    return replace(machine, gpus=known)


def _with_capability(gpu: Gpu, knowledge: Knowledge) -> Gpu:
    if gpu.compute_capability is not None:
        return gpu
    match = match_gpu_name(gpu.name or "", knowledge.gpus)
    capabilities = {model.compute_capability for model in match.models}
    return replace(gpu, compute_capability=capabilities.pop()) if len(capabilities) == 1 else gpu


def _not_pinned(listing: Listing, case: Case, target: Target) -> tuple[Finding, ...]:
    """What is not pinned may bring a GPU framework: without one in sight nothing is decided."""
    if listing.complete or case.torch is not None or case.need is not None:
        return ()
    finding = Finding(
        "EG601",
        Status.UNKNOWN,
        "not every line pins a version: what the others bring is not known",
        target=target.name,
        fix=Fix("check what was installed: envguard check -p PREFIX, or the output of pip freeze"),
    )
    return (finding,)


def _is_about(listing: Listing, target: Target) -> bool:
    return listing.records_for(target.subdir) is not None


def _named(listing: Listing, path: str) -> str:
    return f"{path}:{listing.name}" if listing.name not in (None, "default") else path


def _about(listings: Sequence[Listing]) -> str:
    return ", ".join(sorted({s for listing in listings for s in listing.records if s}))


def _no_packages(listings: Sequence[Listing], path: str, target: Target) -> InputError:
    named = _named(listings[0], path) if len(listings) == 1 else path
    about = _about(listings)
    return InputError(
        f"{named} lists no packages for {target.subdir} ({target.name}): it is about {about}",
        hint=f"name a machine it is for: --for {about.split(', ')[0]}:CARD",
    )
