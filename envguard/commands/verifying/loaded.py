"""Which libraries do the frameworks load? A process imports them, uses them a little, and looks at itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envguard.commands.verifying.trials import Scene
from envguard.formats.tables.loaded_values import parse_loaded
from envguard.model.loaded import Loaded
from envguard.model.probe import Outcome, Probe, ProbeResult

NAME = "loaded libraries"
MOST_TRIES = 3
"""Where imports die: the rest is imported in a process of its own."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen; `loaded` is None where there was nothing to see. `problem` says why it is not all."""

    loaded: Loaded | None = None
    problem: str = ""


def look_at_loaded(probes: Sequence[Probe], scene: Scene) -> Look:
    """What all modules of the import probe load together, on the first GPU where the probes use one."""
    modules = next((names for probe in probes if (names := _modules(probe))), ())
    if not modules:
        return Look()
    gpu = next((probe for probe in probes if probe.gpu is not None), None)
    reports: list[Mapping[str, object]] = []
    problem = ""
    for _ in range(MOST_TRIES):
        scene.progress.stage(f"{NAME}: {', '.join(modules)}")
        result = _run(modules, gpu, scene)
        reports.append(result.values)
        if result.outcome is Outcome.PASSED:
            break
        if result.outcome is Outcome.NOT_RUN:
            return Look()
        problem = problem or f"{result.detail}, while: {result.stage}"
        died_at = (result.stage or "").removeprefix("import ")
        if modules.index(died_at) == 0 if died_at in modules else True:
            break
        modules = modules[modules.index(died_at) :]
    loaded = parse_loaded(reports)
    return Look(scene.own.owned(loaded, scene.prefix) if loaded.libraries else None, problem)


def _modules(probe: Probe) -> tuple[str, ...]:
    names = probe.arguments.get("modules")
    return tuple(map(str, names)) if isinstance(names, Sequence) else ()


def _run(modules: tuple[str, ...], gpu: Probe | None, scene: Scene) -> ProbeResult:
    device = "cpu" if gpu is None else "cuda"
    probe = Probe(
        NAME,
        "loaded.py",
        {"modules": list(modules), "device": device},
        gpu=gpu.gpu if gpu else None,
        device=gpu.device if gpu else None,
    )
    return scene.runner.run(
        probe,
        python=scene.prefix.python,
        environment=scene.prefix.environment,
        timeout_s=scene.timeout_s,
    )
