"""Steps that other distributions add, by the entry point `envguard.probes` in envguard's own environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from envguard.checks.probe_steps import IMPORT, OWN_STEPS, TOGETHER
from envguard.model.probe_step import Step
from envguard.model.report import Finding, Fix, Status

GROUP = "envguard.probes"


@dataclass(frozen=True, slots=True)
class Plugins:
    """The steps that can be used, and a finding for each plug-in that cannot."""

    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()


def load() -> Plugins:
    """Every plug-in, by name; never raises for what one does."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    own = {IMPORT.name, *TOGETHER, *(step.name for step in OWN_STEPS)}
    steps: list[Step] = []
    findings: list[Finding] = []
    for point in found:
        mistake = _Mistakes(point, own | {step.name for step in steps})
        step = mistake.step()
        if step is None:
            findings.append(_broken(point, mistake.text))
        else:
            steps.append(step)
    return Plugins(tuple(steps), tuple(findings))


class _Mistakes:
    """Loads one plug-in; `text` says why it cannot be used."""

    def __init__(self, point: EntryPoint, taken: set[str]) -> None:
        self._point = point
        self._taken = taken
        self.text = ""

    def step(self) -> Step | None:
        try:
            step = self._point.load()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.text = f"loading it raised {type(error).__name__}: {error}"
            return None
        self.text = next(self._of(step), "")
        return None if self.text else step

    def _of(self, step: object) -> Iterator[str]:
        if not isinstance(step, Step):
            yield f"it is a {type(step).__name__}, not an envguard.model.probe_step.Step"
        elif step.name in self._taken:
            yield f"there is a probe {step.name} already"
        elif not Path(step.script).is_absolute():
            yield f"its script {step.script} is not an absolute path"
        elif not Path(step.script).is_file():
            yield f"its script {step.script} is not there"


def _broken(point: EntryPoint, why: str) -> Finding:
    distribution = point.dist.name if point.dist is not None else None
    return Finding(
        rule="EG717",
        status=Status.UNKNOWN,
        title=f"the probe plug-in {point.name} cannot be used",
        message=f"{why}; its probe was not run",
        have=f"{distribution or 'a distribution'} ({point.value})",
        fix=Fix(f"update or remove {distribution or 'it'} where envguard is installed"),
    )
