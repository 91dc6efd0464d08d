"""Post-mortems: of a process of this machine, of a text, of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.environments_of_deaths import environment_of, told_environment
from envguard.api.machines import machine

if TYPE_CHECKING:
    from envguard.commands.diagnose import Death
    from envguard.model.bundle import Bundle
    from envguard.model.diagnosis import Diagnosis, End, EnvironmentFacts
    from envguard.model.machine import Machine

AS_SAID = "as you say"


def diagnose(
    *,
    exit_code: int | None = None,
    signal: str | None = None,
    pid: int | None = None,
    kernel: str | None = None,
    logs: Sequence[Path] = (),
    name: str | None = None,
    prefix: Path | None = None,
    worked_until: str | None = None,
) -> Diagnosis:
    """Why a process of this machine died, in five steps.

    `kernel` is a runtime file of Jupyter's, or `newest`; its kernelspec tells the environment where neither
    `name` nor `prefix` does, and without one the active environment is looked at. `worked_until` is a day
    (`2026-11-20`). Raises InputError for what is not there.
    """
    from envguard.adapters.scene import jupyter
    from envguard.adapters.scene.logs import read_log
    from envguard.commands.diagnose import Death

    runtime = None if kernel is None else jupyter.find_runtime_file(kernel)
    kernel_name = None if runtime is None else jupyter.read_runtime_file(runtime)
    death = Death(
        end=_end(exit_code, signal, AS_SAID),
        pid=jupyter.process_of(runtime) if pid is None and runtime is not None else pid,
        runtime_file=None if runtime is None else str(runtime),
        kernel=kernel_name,
        logs=tuple(read_log(path) for path in dict.fromkeys(logs)),
    )
    here = machine()
    environment = environment_of(
        here, name=name, prefix=prefix, kernel=kernel_name, worked_until=worked_until
    )
    return _here(death, environment, here)


def diagnose_end(
    *,
    exit_code: int | None = None,
    signal: str | None = None,
    stderr: str = "",
    pid: int | None = None,
    prefix: Path | None = None,
    folder: Path | None = None,
    oom_kills_before: int | None = None,
    seen: Machine | None = None,
) -> Diagnosis:
    """The same for a caller that saw the process end: its output, exit code and prefix.

    `oom_kills_before` is what `oom_kills` gave when the process started, `seen` the machine where the caller
    knows it: the driver is not asked again then. Raises InputError where `prefix` is no environment,
    ValueError for a signal that there is not.
    """
    from envguard.commands.diagnose import Death
    from envguard.model.diagnosis import Log

    now = oom_kills()
    since = None if now is None or oom_kills_before is None else max(0, now - oom_kills_before)
    death = Death(
        end=_end(exit_code, signal, "the process's end"),
        pid=pid,
        logs=(Log("its output", stderr, len(stderr.encode("utf-8", "replace"))),) if stderr else (),
        folder=folder or Path(),
        oom_kills=since,
    )
    here = seen if seen is not None else machine()
    environment = None if prefix is None else environment_of(here, prefix=prefix)
    return _here(death, environment, here)


def oom_kills() -> int | None:
    """How often the kernel's OOM killer struck in our cgroup, or on this machine; None = not observed."""
    from envguard.adapters.probing.memory import oom_kills as count

    return count()


def diagnose_text(
    text: str, *, exit_code: int | None = None, signal: str | None = None
) -> Diagnosis:
    """The post-mortem of an issue or of a log of another machine: nothing of this one is asked.

    Where the text holds the output of torch's collect_env, the packages and the machine in it are checked.
    """
    from envguard.adapters import rules
    from envguard.commands import diagnose as commands

    return commands.diagnose_text(
        text,
        end=_end(exit_code, signal, AS_SAID),
        known=rules.signatures(),
        environment=told_environment(text),
    )


def diagnose_file(
    path: Path, *, exit_code: int | None = None, signal: str | None = None
) -> Diagnosis:
    """The post-mortem of what somebody sent: a bundle, an issue, a log; `-` is standard input."""
    from envguard.adapters import rules
    from envguard.adapters.scene.logs import read_bundle_text, read_log
    from envguard.commands import diagnose as commands
    from envguard.formats.bundle_json import parse_bundle

    bundle = read_bundle_text(path)
    if bundle is not None:
        return _of_bundle(parse_bundle(bundle, str(path)), _end(exit_code, signal, AS_SAID))
    log = read_log(path)
    return commands.diagnose_text(
        log.text,
        end=_end(exit_code, signal, AS_SAID),
        known=rules.signatures(),
        environment=told_environment(log.text),
        name=log.name,
    )


def _end(exit_code: int | None, signal: str | None, told_by: str) -> End | None:
    from envguard.checks.endings import end_of

    return end_of(exit_code, signal, told_by)


def _here(death: Death, environment: EnvironmentFacts | None, machine: Machine) -> Diagnosis:
    import tempfile

    from envguard.adapters import rules
    from envguard.adapters.scene.here import SceneHere
    from envguard.commands.diagnose import diagnose_here

    return diagnose_here(
        replace(death, folders=(death.folder, Path.home(), Path(tempfile.gettempdir()))),
        scene=SceneHere(),
        environment=environment,
        machine=machine,
        known=rules.signatures(),
    )


def _of_bundle(bundle: Bundle, end: End | None) -> Diagnosis:
    from envguard.adapters import rules
    from envguard.api.environments_of_deaths import bundled_environment
    from envguard.commands.bundle import scene_of
    from envguard.commands.diagnose import diagnosis_of

    scene = scene_of(bundle, end=end, environment=bundled_environment(bundle))
    return diagnosis_of(scene, rules.signatures())
