"""What container, resources and environment say for or against a cause. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from envguard.checks.suspects import Suspect, merged
from envguard.model.diagnosis import (
    Certainty,
    DiskUse,
    GpuUse,
    HostFacts,
    ResourceFacts,
    Scene,
)
from envguard.model.machine import Machine
from envguard.model.report import Finding, Status
from envguard.model.signature import Signature

ENDED_WELL = "it ended with exit code 0: what the log says was survived"
FULL = 0.95
"""Of a limit: what comes as near has reached it."""
LITTLE_SHM_BYTES = 64 * 2**20
"""Docker's default, which DataLoader workers outgrow."""
_KILLED, _BUS = "exit-sigkill", "exit-sigbus"
_MEMORY, _SHM, _DISK, _FILES = "oom-cgroup", "shm-bus-error", "disk-full", "too-many-files"


def weighed(
    suspects: Sequence[Suspect], scene: Scene, signatures: Sequence[Signature]
) -> tuple[Suspect, ...]:
    """The same suspects and those that circumstances name, each with what speaks for and against it.

    A circumstance that explains the end itself comes before what a log says: that was survived.
    """
    known = {signature.id: signature for signature in signatures}
    seen = {suspect.signature.id for suspect in suspects}
    told = list(_of_circumstances(scene, known, seen))
    sure = [suspect for suspect in told if suspect.certainty is Certainty.LIKELY]
    found = [*sure, *suspects, *(suspect for suspect in told if suspect not in sure)]
    return merged(_contradicted(_confirmed(suspect, scene), scene) for suspect in merged(found))


def _of_circumstances(
    scene: Scene, known: Mapping[str, Signature], seen: set[str]
) -> Iterator[Suspect]:
    for id_, certainty, told in (
        *_memory(scene, killed=_KILLED in seen or "killed-alone" in seen),
        *_shared_memory(scene, bus_error=_BUS in seen),
        *_disks(scene),
        *_handles(scene),
    ):
        if id_ in known:
            yield Suspect(known[id_], certainty, (told,))


def _memory(scene: Scene, *, killed: bool) -> Iterator[tuple[str, Certainty, str]]:
    host = scene.host
    if host is None or not killed:
        yield from _worker(scene)
        return
    if host.oom_kills_since:
        when = "while it ran" if host.oom_kills_survived is None else "when it ended"
        told = f"the kernel's OOM killer struck {_times(host.oom_kills_since)} {when}"
        sure = Certainty.POSSIBLE if host.oom_kill_doubt else Certainty.LIKELY
        yield _MEMORY, sure, told
    elif (
        host.oom_kills_since == 0
    ):  # those that are counted came before it was started, or it survived them
        return
    elif host.oom_kills and _near(host.memory_peak_bytes, host.memory_limit_bytes):
        told = f"the container has reached its memory limit, and its oom_kill is {host.oom_kills}"
        yield _MEMORY, Certainty.LIKELY, told
    elif host.oom_kills:
        told = f"oom_kill of the container is {host.oom_kills}; it does not say when"
        yield _MEMORY, Certainty.POSSIBLE, told
    elif host.machine_oom_kills and host.oom_kills is None:
        told = (
            f"oom_kill of the machine is {host.machine_oom_kills} since its start; not whom it hit"
        )
        yield _MEMORY, Certainty.POSSIBLE, told


def _worker(scene: Scene) -> Iterator[tuple[str, Certainty, str]]:
    """One that ended itself, perhaps as a worker of it was killed."""
    host, end = scene.host, scene.process.end
    if host is None or host.oom_kills_survived is None or end is None:
        return
    struck = host.oom_kills_survived + (host.oom_kills_since or 0)
    if struck and end.signal is None and end.exit_code:
        told = (
            f"the kernel's OOM killer struck {_times(struck)} while it ran, perhaps a worker of it"
        )
        yield _MEMORY, Certainty.POSSIBLE, told


def _shared_memory(scene: Scene, *, bus_error: bool) -> Iterator[tuple[str, Certainty, str]]:
    host = scene.host
    if host is None or not bus_error or not host.shm_bytes or host.shm_free_bytes is None:
        return
    if host.shm_free_bytes < host.shm_bytes * (1 - FULL):
        yield _SHM, Certainty.LIKELY, "a bus error, and /dev/shm is full"
    elif host.shm_bytes <= LITTLE_SHM_BYTES:
        yield _SHM, Certainty.POSSIBLE, "a bus error, and /dev/shm has 64 MiB or less"


def _disks(scene: Scene) -> Iterator[tuple[str, Certainty, str]]:
    for disk in scene.resources.disks if scene.resources else ():
        if is_full(disk):
            yield _DISK, Certainty.POSSIBLE, f"no room is left on {disk.path} now"


def _handles(scene: Scene) -> Iterator[tuple[str, Certainty, str]]:
    use = scene.resources
    if use is not None and _near(use.files_open, use.files_limit):
        yield (
            _FILES,
            Certainty.POSSIBLE,
            f"{use.files_open} of {use.files_limit} file handles are open",
        )


def is_full(disk: DiskUse) -> bool:
    """Less than 1 % of the room, or of the names for files."""
    no_room = disk.free_bytes * 100 < disk.total_bytes
    return no_room or (disk.total_files > 0 and disk.free_files * 100 < disk.total_files)


def _near(value: int | None, limit: int | None) -> bool:
    return value is not None and limit is not None and value >= limit * FULL


def _contradicted(suspect: Suspect, scene: Scene) -> Suspect:
    told = tuple(_against(suspect.signature.family, scene))
    suspect = replace(suspect, evidence_against=(*suspect.evidence_against, *told))
    end = scene.process.end
    if end is None or end.exit_code != 0 or suspect.certainty is not Certainty.LIKELY:
        return suspect
    against = (*suspect.evidence_against, ENDED_WELL)
    return replace(suspect, certainty=Certainty.POSSIBLE, evidence_against=against)


def _against(family: str, scene: Scene) -> Iterator[str]:
    match family:
        case "host-memory":
            yield from _no_kill(scene.host)
        case "shared-memory":
            yield from _room_in_shm(scene.host)
        case "illegal-instruction":
            yield from _instructions(scene.machine)
        case "gpu-memory":
            yield from _free_gpus(scene.resources)


def _no_kill(host: HostFacts | None) -> Iterator[str]:
    if host is None:
        return
    if host.oom_kill_doubt:
        yield host.oom_kill_doubt
    if host.oom_kills_since == 0 and host.oom_kills_survived:
        struck = _times(host.oom_kills_survived)
        yield (
            f"the kernel's OOM killer struck {struck} while it ran, another process (a worker?), and not "
            "when it ended"
        )
    elif host.oom_kills_since == 0:
        yield "the kernel's OOM killer did not strike while it ran"
    elif host.oom_kills_since is None and host.oom_kills == 0:
        yield "the kernel's OOM killer has not struck in this container"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _room_in_shm(host: HostFacts | None) -> Iterator[str]:
    if host is None or not host.shm_bytes or host.shm_free_bytes is None:
        return
    if host.shm_free_bytes > host.shm_bytes // 2:
        yield "more than half of /dev/shm is free now"


def _instructions(machine: Machine | None) -> Iterator[str]:
    flags = machine.cpu_flags if machine is not None else None
    has = [flag for flag in ("avx", "avx2", "avx512f") if flag in (flags or ())]
    if "avx2" in has:
        yield f"this processor has {', '.join(has)}"


def _free_gpus(resources: ResourceFacts | None) -> Iterator[str]:
    gpus = resources.gpus if resources is not None else None
    if gpus and all(map(_mostly_free, gpus)):
        yield "the GPUs' memory is mostly free now (a process that has ended gives its memory back)"


def _mostly_free(gpu: GpuUse) -> bool:
    if gpu.used_bytes is None or gpu.total_bytes is None:
        return False
    return gpu.used_bytes < gpu.total_bytes // 2


def _confirmed(suspect: Suspect, scene: Scene) -> Suspect:
    """A finding of `check` that is of the same cause speaks for it; a failure makes it likely."""
    same = pointed_to(suspect.signature, scene) if suspect.signature.family else ()
    told = tuple(f"check: {finding.rule} {finding.title}" for finding in same)
    fails = any(finding.status is Status.FAIL for finding in same)
    return replace(
        suspect,
        certainty=Certainty.LIKELY if fails else suspect.certainty,
        evidence_for=(*suspect.evidence_for, *told),
    )


def pointed_to(signature: Signature, scene: Scene) -> tuple[Finding, ...]:
    """What `check` finds, failures and warnings, of the rules that a signature points to."""
    findings = scene.environment.findings if scene.environment else ()
    return tuple(finding for finding in findings if finding.rule in signature.rules)


def failures(scene: Scene) -> tuple[Finding, ...]:
    """What `check` says does not work in the environment."""
    findings = scene.environment.findings if scene.environment else ()
    return tuple(finding for finding in findings if finding.status is Status.FAIL)
