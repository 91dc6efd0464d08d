"""`diagnose`: a post-mortem in five steps, of this machine, of a bundle, or of a text alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envguard.checks.suspects import line_matches
from envguard.checks.verdict import verdict_of
from envguard.formats.issue_text import plain
from envguard.formats.post_mortem import steps_of
from envguard.model.diagnosis import (
    Diagnosis,
    End,
    EnvironmentFacts,
    Log,
    ProcessFacts,
    Scene,
)
from envguard.model.machine import Machine
from envguard.model.redaction import without_secrets
from envguard.model.signature import Signatures
from envguard.ports.machine import SceneSource

ELSEWHERE = "the text is of another machine: nothing was asked of this one"


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of it; `folder` is where it worked, `oom_kills` counts those since its start."""

    end: End | None = None
    pid: int | None = None
    runtime_file: str | None = None
    kernel: str | None = None
    logs: tuple[Log, ...] = ()
    folder: Path = Path()
    folders: tuple[Path, ...] = ()
    oom_kills: int | None = None


def diagnose_here(
    death: Death,
    *,
    scene: SceneSource,
    environment: EnvironmentFacts | None,
    machine: Machine | None,
    known: Signatures,
) -> Diagnosis:
    """The post-mortem of a process of this machine: everything that may be asked is asked."""
    process = ProcessFacts() if death.pid is None else scene.process(death.pid)
    host = replace(scene.host(death.folder), oom_kills_since=death.oom_kills)
    kernel = _about(scene.kernel_log(), death)
    return diagnosis_of(
        Scene(
            process=_told(process, death),
            logs=(*death.logs, kernel),
            host=host,
            resources=scene.resources(pid=death.pid, folders=death.folders or (death.folder,)),
            environment=environment,
            machine=machine,
        ),
        known,
    )


def diagnose_text(
    text: str,
    *,
    known: Signatures,
    end: End | None = None,
    environment: EnvironmentFacts | None = None,
    name: str = "the text",
) -> Diagnosis:
    """The post-mortem of an issue or of a log of another machine."""
    logs = (Log(name, text),)
    process = ProcessFacts(end=end)
    scene = Scene(process=process, logs=logs, environment=environment, elsewhere=ELSEWHERE)
    return diagnosis_of(scene, known)


def diagnosis_of(scene: Scene, known: Signatures) -> Diagnosis:
    """The five steps and the verdict of what was looked at."""
    scene = replace(scene, logs=tuple(_readable(scene.logs)))
    found = line_matches(scene, known.signatures)
    verdict, also = verdict_of(scene, found, known.signatures)
    return Diagnosis(steps_of(scene, found), verdict, also, scene.process.end)


def _readable(logs: Sequence[Log]) -> list[Log]:
    """As programs wrote them, and nothing in them that nobody may see."""
    return [replace(log, text=without_secrets(plain(log.text))) for log in logs]


def _told(process: ProcessFacts, death: Death) -> ProcessFacts:
    looked = list(process.looked)
    if death.end is not None:
        looked.insert(0, "what was said of its end")
    if death.runtime_file is not None:
        looked.append(death.runtime_file)
    return replace(
        process,
        end=death.end,
        runtime_file=death.runtime_file,
        kernel=death.kernel,
        looked=tuple(looked),
    )


def _about(kernel: Log, death: Death) -> Log:
    """Lines about other processes are no evidence: without an id they are left out, and that is said."""
    if death.pid is not None or not kernel.text:
        return kernel
    count = len(kernel.text.splitlines())
    return replace(
        kernel,
        text="",
        problem=f"{count} telling lines of the last day; --pid says which are about it",
    )
