"""One probe, run again and again in environments that differ in what is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from envguard.checks.culprits import Search, Step, environment_without
from envguard.model.culprit import Blame, Count, Entry, Fault
from envguard.model.knowledge import Knowledge
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.ports.prefixes import Prefix
from envguard.ports.probing import OwnEnvironment, ProbeRunner
from envguard.ports.progress import Progress

DEADLINE_S = 60.0
"""For all causes together."""
OTHERS_S = 10.0
"""For what had passed, with a fix: who waits has the culprit by then."""
TIMES = 3
TIMED_OUT = (Outcome.TIMED_OUT, Outcome.UNKILLABLE)
NOTHING_KNOWN = Knowledge(date="")
Overlay = Mapping[str, str | None]


class TimeIsOver(Exception):
    """There is none left for another try."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where probes died, and what they can be tried again with. `timeout_s` is one probe's."""

    prefix: Prefix
    own: OwnEnvironment
    runner: ProbeRunner
    progress: Progress
    timeout_s: float
    knowledge: Knowledge = NOTHING_KNOWN
    """Which libraries do not go together."""
    blame: bool = True
    """Whether to find out whose fault it is; what is loaded is looked at all the same."""
    deadline_s: float = DEADLINE_S
    then: Callable[[ProbeResult], Sequence[Probe]] | None = None
    """What else a fix is tried with, by the result that the first probe gave with it."""


@dataclass
class Trials:
    """Runs of one probe, and what came of each. `first` is how it died."""

    scene: Scene
    end: float
    """When the time is over, by time.monotonic()."""
    variables: Mapping[str, str]
    probe: Probe
    first: ProbeResult | None
    log: list[tuple[frozenset[Entry], bool]] = field(default_factory=list)
    step: Step | None = None
    trail: list[str] = field(default_factory=list)
    limit_s: float = 0.0

    def __post_init__(self) -> None:
        self.limit_s = self.scene.timeout_s
        if self.first is not None:
            self.log.append((frozenset(), self.first.outcome is Outcome.PASSED))

    @property
    def _hung(self) -> bool:
        """Whether not to end in time is how it died. Else it says nothing: what dies early may pass late."""
        return self.first is not None and self.first.outcome in TIMED_OUT

    def run(
        self,
        overlay: Overlay,
        arguments: Mapping[str, object] | None = None,
        *,
        fresh: bool = True,
        until: str | None = None,
    ) -> ProbeResult:
        """Once more, in a process of its own: a `fresh` interpreter, or as it was started the first time.

        `until` is a stage after which nothing more is wanted. Raises TimeIsOver where too little is left.
        """
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeIsOver
        limit = min(self.limit_s, left)
        result = self.scene.runner.run(
            replace(
                self.probe,
                arguments={**self.probe.arguments, **(arguments or {})},
                preload=None if fresh else self.probe.preload,
                until=until,
            ),
            python=self.scene.prefix.python,
            environment={**self.scene.prefix.environment, **overlay},
            timeout_s=limit,
        )
        enough = self.limit_s if self._hung else self.scene.timeout_s
        if result.outcome in TIMED_OUT and limit < enough:
            raise TimeIsOver
        return result

    def comes_past(self, overlay: Overlay) -> ProbeResult:
        """Once more, no further than past the stage where it died. Raises TimeIsOver."""
        return self.run(overlay, until=self.first.stage if self.first is not None else None)

    def passes(self, left_out: frozenset[Entry]) -> bool:
        """Whether it comes past where it died, without some entries; noted in the log."""
        overlay = environment_without(self.variables, left_out)
        result = self.comes_past(overlay)
        passed = result.outcome is Outcome.PASSED
        self.log.append((left_out, passed))
        if passed and self._hung:
            self.limit_s = min(self.limit_s, 2.0 + 4 * result.seconds)
        return passed

    def follow(
        self, steps: Search, passes: Callable[[frozenset[Entry]], bool]
    ) -> tuple[Entry, ...]:
        """Do what a search asks for. Empty where a second run as it was passes: it dies sometimes."""
        try:
            step = next(steps)
            while True:
                self.step = step
                self.scene.progress.stage(f"{self.probe.name}: {step.words}")
                passed = passes(step.left_out)
                self.trail.append(f"{step.words}: {'passes' if passed else 'does not pass'}")
                if passed and len(self._of(frozenset())) < 2 and self.passes(frozenset()):
                    return ()
                step = steps.send(passed)
        except StopIteration as found:
            return tuple(found.value)

    def holds(self, found: tuple[Entry, ...]) -> bool:
        """Whether it fails with `found` and passes without it, each as often as it takes to say so."""
        left_out = frozenset(found)
        while len(self._of(frozenset())) < TIMES:
            if self.passes(frozenset()):
                return False
        while len(self._without(left_out)) < TIMES:
            if not self.passes(left_out):
                return False
        return all(self._without(left_out))

    def sometimes(self) -> bool:
        """Whether it ended now so, now so, with the same environment; tried as it was often enough."""
        while len(self._of(frozenset())) < TIMES:
            self.passes(frozenset())
        return any(set(self._of(left_out)) == {True, False} for left_out, _ in self.log)

    def _of(self, left_out: frozenset[Entry]) -> list[bool]:
        return [passed for without, passed in self.log if without == left_out]

    def _without(self, found: frozenset[Entry]) -> list[bool]:
        return [passed for left_out, passed in self.log if left_out >= found]

    def failed(self) -> Count:
        told = self._of(frozenset())
        return Count(len(told), told.count(False))

    def passed(self, found: frozenset[Entry]) -> Count:
        told = self._without(found)
        return Count(len(told), told.count(True))

    def undecided(self, same: tuple[ProbeResult, ...]) -> Blame:
        """What was open when the time was over."""
        suspects = self.step.suspects if self.step is not None else ()
        cured = any(passed for left_out, passed in self.log if left_out)
        return Blame(
            Fault.UNDECIDED,
            same,
            entries=suspects if cured else (),
            failed=self.failed(),
            left="the time was over",
        )
