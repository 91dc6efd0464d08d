"""The five steps of a post-mortem in words: what was looked at, and what was found. Pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence

from envguard.formats.machine_text import bytes_text
from envguard.model.diagnosis import (
    DiskUse,
    EnvironmentFacts,
    GpuUse,
    HostFacts,
    Log,
    ProcessFacts,
    ResourceFacts,
    Scene,
    Step,
)
from envguard.model.report import Status
from envguard.model.signature import SignatureMatch

MOST_LINES = 6
MOST_CHANGES = 8
NOTHING = "nothing that is known"
EMPTY = "nothing is in it"
NO_BUNDLE = "JSON, and no bundle of `envguard machine --bundle`: nothing that is known"
NOT_SEEN = "not observed"
NOT_ASKED = "not asked"
Found = tuple[str, SignatureMatch]


def steps_of(scene: Scene, found: Sequence[Found]) -> tuple[Step, ...]:
    """All five, in their order; a step that nothing was asked of says why."""
    why = scene.elsewhere or NOT_ASKED
    return (
        _process(scene.process),
        _host(scene.host) if scene.host else Step("container", (), (why,)),
        _logs(scene.logs, found),
        _resources(scene.resources) if scene.resources else Step("resources", (), (why,)),
        _environment(scene.environment)
        if scene.environment
        else Step(
            "environment", (), (why if scene.elsewhere else "none was named: -p PREFIX or -n NAME",)
        ),
    )


def _process(process: ProcessFacts) -> Step:
    lines = []
    end = process.end
    if end is not None:
        code = "" if end.exit_code is None else f"exit code {end.exit_code}"
        link = " is " if end.is_told_by_its_code else ", "
        told = link.join(part for part in (code, end.signal) if part)
        lines.append(f"{told or 'ended'} ({end.told_by})")
    if process.name is not None:
        state = {True: "is running", False: "has ended", None: "is there"}[process.alive]
        memory = f", {bytes_text(process.memory_bytes)} of memory" if process.memory_bytes else ""
        owner = f" of {process.owner}" if process.owner else ""
        lines.append(f"process {process.pid} ({process.name}{owner}) {state}{memory}")
    lines += process.notes
    if process.runtime_file is not None:
        lines.append(f"Jupyter kernel {process.kernel or '(no name)'}, of {process.runtime_file}")
    return Step("process", process.looked, tuple(lines) or ("how it ended is not known",))


def _host(host: HostFacts) -> Step:
    return Step("container", host.looked, tuple(_host_lines(host)))


def _host_lines(host: HostFacts) -> Iterator[str]:
    since = "" if host.running_s is None else f", running for {duration(host.running_s)}"
    yield f"{host.container or 'no container seen'}{since}"
    yield ", ".join(_memory_words(host))
    kills = NOT_SEEN if host.oom_kills is None else str(host.oom_kills)
    machine = "" if host.machine_oom_kills is None else f", of the machine {host.machine_oom_kills}"
    yield f"oom_kill of our cgroup {kills}{machine}{_kills_around_it(host)}"
    if host.shm_bytes is not None and host.shm_free_bytes is not None:
        yield f"/dev/shm {bytes_text(host.shm_bytes)}, {bytes_text(host.shm_free_bytes)} free"
    if host.storage is not None:
        yield f"{host.storage.path} is on {host.storage.kind}: {_lasts(host)}"


def _kills_around_it(host: HostFacts) -> str:
    if host.oom_kills_since is None:
        return ""
    if host.oom_kills_survived is None:
        return f", {host.oom_kills_since} while it ran"
    return f", {host.oom_kills_since} when it ended, {host.oom_kills_survived} while it ran before"


def _lasts(host: HostFacts) -> str:
    lasting = host.storage.lasting if host.storage else None
    if host.container is None:
        return "goes with a restart" if lasting is False else "no container that it could go with"
    match lasting:
        case True:
            return "outlives the container"
        case False:
            return "goes with the container"
        case _:
            return "cannot tell whether it outlives the container"


def _memory_words(host: HostFacts) -> Iterator[str]:
    limit = host.memory_limit_bytes
    yield "no memory limit seen" if limit is None else f"memory limit {bytes_text(limit)}"
    if host.memory_used_bytes is not None:
        yield f"used {bytes_text(host.memory_used_bytes)}"
    if host.memory_peak_bytes is not None:
        yield f"peak {bytes_text(host.memory_peak_bytes)}"


def _logs(logs: Sequence[Log], found: Sequence[Found]) -> Step:
    lines = []
    for log in logs:
        if log.problem is not None:
            lines.append(f"{log.name}: {log.problem}")
            continue
        fits = [match for name, match in found if name == log.name]
        lines += [f"{log.name}: {match.signature.id}: {match.line}" for match in fits[:MOST_LINES]]
        if not fits:
            lines.append(f"{log.name}: {_nothing_in(log)}")
        if len(fits) > MOST_LINES:
            lines.append(f"{log.name}: and {len(fits) - MOST_LINES} more")
    looked = tuple(_log_name(log) for log in logs if log.problem is None)
    return Step("logs", looked, tuple(lines) or ("none was given: --log FILE",))


def _nothing_in(log: Log) -> str:
    """Why a log tells nothing: it is empty, it is another JSON, or nobody knows its lines."""
    if not log.text.strip():
        return NOTHING if log.kernel else EMPTY
    if log.text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(log.text)
            return NO_BUNDLE
    return NOTHING


def _log_name(log: Log) -> str:
    size = "" if log.size_bytes is None else f" ({log.size_bytes:,} bytes, {log.encoding})"
    return f"{log.name}{size}"


def _resources(resources: ResourceFacts) -> Step:
    looked = ("memory", "NVML", *(disk.path for disk in resources.disks))
    return Step("resources", looked, tuple(_resource_lines(resources)))


def _resource_lines(resources: ResourceFacts) -> Iterator[str]:
    total, free = resources.memory_total_bytes, resources.memory_available_bytes
    if total is not None and free is not None:
        yield f"memory now: {bytes_text(free)} of {bytes_text(total)} available"
    if resources.gpus is None:
        yield f"GPUs: {NOT_SEEN}"
    elif not resources.gpus:
        yield "GPUs: none that NVML sees"
    for gpu in resources.gpus or ():
        yield _gpu(gpu)
    for disk in resources.disks:
        yield _disk(disk)
    if resources.files_limit is not None:
        count = "?" if resources.files_open is None else str(resources.files_open)
        yield f"file handles of the process: {count} of {resources.files_limit}"
    yield from resources.notes


def _gpu(gpu: GpuUse) -> str:
    used, total = gpu.used_bytes, gpu.total_bytes
    memory = (
        NOT_SEEN if used is None or total is None else f"{bytes_text(used)} of {bytes_text(total)}"
    )
    held = ", ".join(
        f"{holder.name or 'process'} {holder.pid}"
        + ("" if holder.memory_bytes is None else f" {bytes_text(holder.memory_bytes)}")
        for holder in gpu.holders
    )
    return f"gpu {gpu.index} {gpu.name or ''}: memory {memory}, held by {held or 'nobody that is told'}"


def _disk(disk: DiskUse) -> str:
    names = ""
    if disk.total_files and disk.free_files * 100 < disk.total_files:
        names = f", {disk.free_files} files may still be made"
    return (
        f"{disk.path}: {bytes_text(disk.free_bytes)} of {bytes_text(disk.total_bytes)} free{names}"
    )


def _environment(environment: EnvironmentFacts) -> Step:
    return Step("environment", environment.looked, tuple(_environment_lines(environment)))


def _environment_lines(environment: EnvironmentFacts) -> Iterator[str]:
    if environment.path is not None:
        detail = f" ({environment.detail})" if environment.detail else ""
        yield f"{environment.path}{detail}"
        shown = [f for f in environment.findings if f.status is not Status.PASS]
        yield from (f"check: {f.rule} {f.answer}: {f.title}" for f in shown[:MOST_LINES])
        if not environment.checked:
            yield f"check: {NOT_ASKED}"
        elif not shown:
            yield "check: nothing known to be bad"
    spec = environment.kernelspec
    if spec is not None:
        there = {True: "", False: ", which is not there", None: ", which was not looked for"}
        yield f"kernelspec {spec.name} starts {spec.python or 'nothing'}{there[spec.exists]}"
    yield from _revision_lines(environment)
    if environment.stamp is not None:
        yield f"stamp: {environment.stamp}"
    yield from environment.notes


def _revision_lines(environment: EnvironmentFacts) -> Iterator[str]:
    """What changed since it last worked, else the last change; and the command that goes back."""
    revisions = environment.revisions
    if not revisions:
        return
    day = environment.worked_until
    since = [r for r in revisions if day is not None and r.date[: len(day)] > day]
    shown = [r for r in revisions if r.date[: len(day)] >= day] if day else [*revisions[-1:]]
    if not shown:
        yield f"history: nothing changed since {day} (the last revision is of {revisions[-1].date})"
        return
    for revision in shown:
        changes = " ".join(revision.changes[:MOST_CHANGES])
        more = len(revision.changes) - MOST_CHANGES
        tail = f" and {more} more" if more > 0 else ""
        either = (
            " (the day it worked: before or after that)" if day and revision not in since else ""
        )
        yield f"revision {revision.number} of {revision.date}: {changes or 'no packages'}{tail}{either}"
    before = (since or shown)[0].number - 1
    if before >= 0:
        yield f"back to before: conda install -p {environment.path} --revision {before}"


def duration(seconds: float) -> str:
    """`3 days`, `5 h`, `12 min`, `40 s`."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
