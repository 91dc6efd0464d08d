"""Probes in a throwaway prefix, or in what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api import stamping
from envguard.api.configuring import knowledge_for, waived, with_known_waivers
from envguard.api.knowing import signatures
from envguard.api.machines import resolve_targets, target_here
from envguard.api.packing import notes_on_pack
from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.adapters.probing.existing import Existing
    from envguard.commands.verifying.verify import VerifyRequest
    from envguard.model.knowledge import Knowledge
    from envguard.model.lockfile import Lockfile
    from envguard.model.machine import Machine
    from envguard.model.report import Report
    from envguard.model.target import Target
    from envguard.ports.progress import Progress


def verify(
    what: str | Path | None = None,
    *,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    python: Path | None = None,
    level: str = "quick",
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    timeout_s: float = 120.0,
    keep: str = "never",
    blame: bool = True,
    mirrors: Mapping[str, str] | None = None,
    offline: bool = False,
    allow: frozenset[str] = frozenset(),
    force: bool = False,
    record: Path | None = None,
    configuration: Configuration = NO_CONFIGURATION,
    today: date | None = None,
    condarc: Path | None = None,
    no_condarc: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Run the probes in a throwaway prefix made from a lock, or in an interpreter that is there.

    A lock that a stamp proves here is not probed again, unless `force`, or `keep` asks for the prefix.
    `record` is a file to which a run of a lock adds a JSON line. `level` is `quick`, `standard`
    or `long`; `only` and `skip` name probes. A run keeps no stamp, and none counts, with `targets`, another
    level than `quick`, named probes, or probes of plug-ins.

    What is configured for conda says how packages are reached (`condarc`: only that file; `no_condarc`:
    nothing of it). `keep` is `never`, `failed` or `always`; `timeout_s` is one probe's. What does not pass is
    run again to find out whose fault it is, for a minute at most, unless `blame` is false. `allow` may hold
    `contract`: probe although this machine breaks the contract of the lock, and `link-scripts`: run those
    of packages. What `configuration` waives of
    the check up to `today` (None = the day in UTC) does not count; what a probe saw always does. Raises
    InputError or UnavailableError when there is nothing that could be probed; a probe that does not pass is
    in the report.
    """
    from envguard.adapters import conda_config, probe_plugins
    from envguard.adapters.prefixes.packed import packed_prefixes
    from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
    from envguard.adapters.probing.existing import Existing
    from envguard.adapters.probing.own_environment import OwnEnvironmentHere
    from envguard.adapters.probing.runner import process_probes
    from envguard.checks.probe_steps import selection_of
    from envguard.commands.locking.channels import refuse_records
    from envguard.commands.verifying import verify as commands
    from envguard.errors import InputError
    from envguard.model.probe_step import Selection
    from envguard.model.subdir import current_subdir
    from envguard.ports.progress import SILENT

    progress = progress or SILENT
    plugins = probe_plugins.load()
    selection = selection_of(level, only, skip, plugins.steps)
    plain = selection == Selection() and plugins == probe_plugins.Plugins()
    whole = not targets and plain
    lock_digest = stamping.lock_digest(what) if whole else None

    def asked(request: VerifyRequest) -> VerifyRequest:
        return replace(
            request,
            signatures=known,
            selection=selection,
            more=plugins.steps,
            peaks=judge.knowledge.gpu_peaks,
            plugin_findings=plugins.findings,
            knowledge=judge.knowledge,
            blame=blame,
        )

    known = signatures()
    judge = _Judge.of(targets, configuration, today)
    found = _verifiable(what, name=name, prefix=prefix, python=python)
    if isinstance(found, Existing):
        if keep != "never":
            raise InputError("--keep is for a throwaway environment; what is there already stays")
        if record is not None:
            raise InputError("--record is for a lock; what is there already may change")
        request = asked(_verify_existing_request(found, judge, timeout_s))
        with process_probes() as runner:
            own = OwnEnvironmentHere(runner.folder)
            return commands.verify_prefix(
                found.prefix, request, runner=runner, own=own, progress=progress
            )
    path, lockfile = found
    if record is not None and targets:
        raise InputError("--record is of this machine as it is: leave out --for")
    if record is not None and not plain:
        raise InputError("--record is of the quick level as envguard brings it, all of it")
    request = asked(_verify_lock_request(path, lockfile, judge, timeout_s, allow))
    evidence = stamping.Evidence.of(path, lock_digest, request, record)
    proven = evidence.proven(request, force=force or keep != "never")
    if proven is not None:
        return proven
    config = conda_config.load(condarc=condarc, none=no_condarc)
    refuse_records(
        lockfile.records_for(current_subdir()), config.policy, then="nothing was installed"
    )
    notes = notes_on_pack(path)
    with process_probes() as runner:
        report = commands.verify_lock(
            lockfile,
            request,
            prefixes=packed_prefixes(path)
            or ThrowawayPrefixes(
                mirrors=mirrors,
                network=config.network,
                pkgs_dirs=conda_config.package_caches(config, none=no_condarc),
                offline=offline or config.offline,
                link_scripts="link-scripts" in allow,
            ),
            runner=runner,
            own=OwnEnvironmentHere(runner.folder),
            keep=commands.Keep(keep),
            progress=progress,
        )
    return evidence.kept(replace(_with_memory(report), notes=(*notes, *report.notes)))


def _machine_now() -> Machine:
    return target_here().machine


def _with_memory(report: Report) -> Report:
    """With the most memory that a process of this run had."""
    from envguard.adapters.probing.memory import peak_of_children

    if report.throwaway is None:
        return report
    return replace(report, throwaway=replace(report.throwaway, memory_bytes=peak_of_children()))


@dataclass(frozen=True)
class _Judge:
    """The machines that were named, what is known, and what becomes of the answers."""

    said: tuple[Target, ...]
    knowledge: Knowledge
    waived: Callable[[Sequence[Report]], tuple[Report, ...]]

    @classmethod
    def of(cls, targets: Sequence[str], configuration: Configuration, today: date | None) -> _Judge:
        knowledge = knowledge_for(configuration)
        known = with_known_waivers(configuration, knowledge)
        said = resolve_targets(targets, configuration=configuration)
        return cls(said, knowledge, lambda reports: waived(reports, known, today))


def _verifiable(
    what: str | Path | None, *, name: str | None, prefix: Path | None, python: Path | None
) -> tuple[str, Lockfile] | Existing:
    """A lock with its path, or what is there already; raises InputError for an environment.yml."""
    from envguard.adapters import subjects
    from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
    from envguard.adapters.probing import existing as verify_input
    from envguard.errors import InputError
    from envguard.model.environment import Environment
    from envguard.model.image import Images
    from envguard.model.lockfile import Lockfile
    from envguard.model.notebook import Notebook
    from envguard.model.pip_source import located

    if python is not None and (what, name, prefix) != (None, None, None):
        raise InputError("WHAT, -n, -p and --python are ways to name one thing: give one of them")
    if python is not None:
        return verify_input.existing_python(python, reader=PrefixReaderOnDisk())
    path, subject = subjects.find_subject(
        None if what is None else str(what), name=name, prefix=prefix
    )
    if isinstance(subject, Environment | Images | Notebook | tuple):
        raise InputError(
            f"{path} is no conda-lock.yml, from which a throwaway environment could be built",
            hint=f"lock it first: envguard lock {path} && envguard verify",
        )
    if isinstance(subject, Lockfile):
        return path, located(subject, Path(path).resolve().parent)
    return verify_input.existing_prefix(subject)


def _verify_lock_request(
    path: str, lockfile: Lockfile, judge: _Judge, timeout_s: float, allow: frozenset[str]
) -> VerifyRequest:
    from envguard.commands.checking.check import check_lock
    from envguard.commands.verifying.verify import VerifyRequest, recorded_targets
    from envguard.model.report import Subject
    from envguard.model.subdir import current_subdir

    subdir, here, said = current_subdir(), target_here(), judge.said
    reports: tuple[Report, ...] = ()
    own: Report | None = None
    if subdir in lockfile.platforms:  # where it is not, the prefix factory says so
        own = check_lock(lockfile, path, (here,), knowledge=judge.knowledge)[0]
        of_said = check_lock(lockfile, path, said, knowledge=judge.knowledge) if said else (own,)
        reports = judge.waived(of_said)
    packages = f"{len(lockfile.records_for(subdir))} packages"
    return VerifyRequest(
        Subject("conda-lock", path, target=subdir, detail=packages),
        here.machine,
        reports=reports,
        targets=said or recorded_targets(lockfile, subdir),
        timeout_s=timeout_s,
        contract=own,
        allow_contract="contract" in allow,
        packages=lockfile.records_for(subdir),
        look_again=_machine_now,
    )


def _verify_existing_request(existing: Existing, judge: _Judge, timeout_s: float) -> VerifyRequest:
    import os

    from envguard.commands.checking.check import check_installed
    from envguard.commands.verifying.verify import VerifyRequest

    here, said = target_here(), judge.said
    reports: tuple[Report, ...] = ()
    if existing.installed is not None:
        reports = judge.waived(
            check_installed(
                existing.installed,
                said or (here,),
                knowledge=judge.knowledge,
                variables=dict(os.environ),
            )
        )
    return VerifyRequest(
        existing.subject,
        here.machine,
        reports=reports,
        targets=said,
        timeout_s=timeout_s,
        packages=existing.installed.records if existing.installed is not None else (),
        look_again=_machine_now,
    )
