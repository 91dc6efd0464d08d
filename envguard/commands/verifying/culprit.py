"""Whose fault is it? A probe that did not pass is run again without what the user's environment adds.

Nothing is blamed that was not tried: what is named fails three times with the entry, and passes three times
without it. When the time is over, what is left undecided is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from envguard.checks.culprit_findings import finding_of_blame, without_known
from envguard.checks.culprit_loaded import told_together
from envguard.checks.culprits import (
    entry_groups,
    environment_without,
    search,
    smallest,
)
from envguard.checks.loaded_libraries import not_observed, system_note
from envguard.checks.probe_findings import (
    by_cause,
    finding_of,
    probe_findings,
    python_does_not_start,
)
from envguard.commands.verifying.imports import import_order
from envguard.commands.verifying.loaded import look_at_loaded
from envguard.commands.verifying.trials import OTHERS_S, Scene, TimeIsOver, Trials
from envguard.model.culprit import (
    Blame,
    Count,
    Entry,
    EntryKind,
    Fault,
    Surroundings,
    Tried,
    UserSite,
)
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.report import Finding, Library

SLOW = ("compile", "compile_more", "sweep", "sustained")
"""Probes that take long to pass, however early they die."""
USER_SITE = Probe("user site", "user_site.py")


def blames(
    results: Sequence[ProbeResult], probes: Sequence[Probe], scene: Scene
) -> tuple[Blame, ...]:
    """One answer for each cause of death, in order of the first; none where all passed.

    `results` are those of `probes`. What a fix of one cause heals is not looked at a second time.
    """
    left = [result for same in by_cause(results) for result in same]
    inquiry = _Inquiry(scene, {_key(p): p for p in probes}, tuple(results))
    found = []
    if left:
        inquiry.look_around()
    while left:
        blame = inquiry.about(_cheap_first(by_cause(left)[0]), left)
        found.append(blame)
        left = [result for result in left if result not in blame.results]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Explained:
    """All findings of a run, those that were known before with them, and notes."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    libraries: tuple[Library, ...] = ()
    """What the frameworks load, where somebody looked."""


def explained(
    results: Sequence[ProbeResult],
    probes: Sequence[Probe],
    scene: Scene | None,
    *,
    known: tuple[Finding, ...] = (),
) -> Explained:
    """`known`, less what is said better now, a finding for each cause of death, and what is loaded.

    `known` are findings of the static check. Without a scene nothing is tried again, and nothing looked at.
    """
    if scene is None:
        return Explained(known + probe_findings(results))
    look = look_at_loaded(probes, scene)
    all_passed = not by_cause(results)
    told = _told(results, probes, replace(scene, then=None), finding_of)
    found = told_together(told, look.loaded, scene.knowledge, all_passed=all_passed)
    if look.problem and all_passed:
        found = (*found, not_observed(look.problem))
    note = system_note(look.loaded) if look.loaded is not None else None
    blamed = tuple(blame for blame, _ in told)
    findings = (*without_known(known, blamed), *found)
    seen = look.loaded.libraries if look.loaded is not None else ()
    libraries = tuple(Library(lib.name, lib.path, lib.owner) for lib in seen)
    return Explained(findings, (note,) if note else (), libraries)


def not_started(
    first: ProbeResult,
    discovery: Probe,
    scene: Scene | None,
    python: Path,
    *,
    known: tuple[Finding, ...] = (),
) -> tuple[Finding, ...]:
    """The same where no probe can run: a library that is preloaded kills any python."""

    def describe(same: Sequence[ProbeResult]) -> Finding:
        return python_does_not_start(same[0], str(python))

    if scene is None or first.outcome is Outcome.NOT_RUN:
        return (*known, describe((first,)))
    told = _told((first,), (discovery,), scene, describe)
    return (*known, *(finding for _, finding in told))


def _told(
    results: Sequence[ProbeResult],
    probes: Sequence[Probe],
    scene: Scene,
    describe: Callable[[Sequence[ProbeResult]], Finding],
) -> tuple[tuple[Blame, Finding], ...]:
    """Each cause with its finding; nobody is blamed where that is not wanted."""
    if not scene.blame:
        return tuple((Blame(Fault.PACKAGES, same), describe(same)) for same in by_cause(results))
    found = blames(results, probes, scene)
    variables = scene.own.observe(scene.prefix).variables if found else {}
    return tuple((b, finding_of_blame(b, describe(b.results), variables)) for b in found)


def _cheap_first(same: tuple[ProbeResult, ...]) -> tuple[ProbeResult, ...]:
    """The first of them is the one that is tried again and again."""
    return tuple(sorted(same, key=lambda result: result.name in SLOW))


def _key(of: Probe | ProbeResult) -> tuple[str, int | None]:
    return (of.name, of.gpu)


@dataclass
class _Inquiry:
    """All causes of one run share the time and what is known of the environment."""

    scene: Scene
    probes: Mapping[tuple[str, int | None], Probe]
    results: tuple[ProbeResult, ...]
    end: float = 0.0
    around: Surroundings = field(default_factory=lambda: Surroundings({}))
    site: UserSite | None = None
    groups: tuple[tuple[Entry, ...], ...] = ()

    def __post_init__(self) -> None:
        self.end = time.monotonic() + self.scene.deadline_s

    def _trials(self, probe: Probe, died: ProbeResult | None, end: float | None = None) -> Trials:
        return Trials(self.scene, end or self.end, self.around.variables, probe, died)

    def about(self, same: tuple[ProbeResult, ...], left: Sequence[ProbeResult]) -> Blame:
        """Whose fault `same` is; the answer may take others of `left` with it."""
        first = same[0]
        probe = self.probes.get(_key(first))
        if probe is None or first.outcome is Outcome.UNKILLABLE:
            why = "it was not tried again: what cannot be killed would stay a second time"
            return Blame(Fault.UNDECIDED, same, left=why if probe else "it could not be run again")
        trials = self._trials(probe, first)
        try:
            return self._searched(trials, same, left)
        except TimeIsOver:
            return trials.undecided(same)

    def _searched(
        self, trials: Trials, same: tuple[ProbeResult, ...], left: Sequence[ProbeResult]
    ) -> Blame:
        found = trials.follow(search(self.groups, self.around.driver_folders), trials.passes)
        if found and trials.holds(found):
            return self._with_fix(trials, same, left, found)
        if trials.sometimes():
            return Blame(Fault.SOMETIMES, same, failed=trials.failed())
        if trials.passed(frozenset()).times:
            return replace(trials.undecided(same), left="what was tried does not agree")
        blame = Blame(Fault.PACKAGES, same, failed=trials.failed())
        return import_order(trials, blame) or blame

    def look_around(self) -> None:
        """What may be at fault; the user site is asked of the interpreter, without all the rest."""
        self.around = self.scene.own.observe(self.scene.prefix)
        self.groups = entry_groups(self.around, None)
        everything = frozenset(entry for group in self.groups for entry in group)
        clean = environment_without(self.around.variables, everything)
        try:
            said = self._trials(USER_SITE, None).run(clean).values
        except TimeIsOver:
            return
        base, folder = said.get("user base"), said.get("user site")
        if isinstance(base, str) and isinstance(folder, str):
            self.site = self.scene.own.user_site(base, folder)
            self.groups = entry_groups(self.around, folder)

    def _with_fix(
        self,
        trials: Trials,
        same: tuple[ProbeResult, ...],
        left: Sequence[ProbeResult],
        found: tuple[Entry, ...],
    ) -> Blame:
        """The answer, with what came of leaving `found` out for all other probes."""
        healed, tried = self._tried(trials, same, left, frozenset(found))
        blame = Blame(
            Fault.ENTRIES,
            tuple(result for result in left if result in healed),
            entries=found,
            failed=trials.failed(),
            passed=trials.passed(frozenset(found)),
            tried=tried,
            trail=tuple(trials.trail),
        )
        if len(found) == 1:
            if found[0].kind is EntryKind.USER_SITE:
                blame = replace(blame, entries=self._of_user_site(trials) or found)
            blame = replace(blame, setter=self.scene.own.setter_of(found[0], self.scene.prefix))
        return blame

    def _tried(
        self,
        trials: Trials,
        same: tuple[ProbeResult, ...],
        left: Sequence[ProbeResult],
        found: frozenset[Entry],
    ) -> tuple[tuple[ProbeResult, ...], Tried]:
        """The results that are healed, and how the probes do: those that had died first.

        What died of the same and what had passed is tried for a while only; the latter the cheapest first,
        forked where it was before.
        """
        fix = environment_without(self.around.variables, found)
        first, known = same[0], {_key(result): result for result in self.results}
        died = [self.probes[_key(r)] for r in (first, *(r for r in left if r not in same))]
        alike = [self.probes[_key(result)] for result in same[1:]]
        sound = (result for result in self.results if result.outcome is Outcome.PASSED)
        others = [self.probes[_key(result)] for result in sorted(sound, key=lambda r: r.seconds)]
        soon = min(self.end, time.monotonic() + OTHERS_S)
        if self.scene.then is not None:
            others += self.scene.then(self._trials(trials.probe, None).run(fix))
        healed, sick, all_run, passed = [first], list[str](), True, 0
        queue = [(probe, True, self.end) for probe in died]
        queue += [(probe, True, soon) for probe in alike]
        queue += [(probe, False, soon) for probe in others]
        for number, (probe, fresh, end) in enumerate(queue, start=1):
            self.scene.progress.stage(f"with the fix: {probe.name}, {number} of {len(queue)}")
            before = known.get(_key(probe))
            try:
                result = self._trials(probe, before, end).run(fix, fresh=fresh)
            except TimeIsOver:
                all_run = False
                untried = [_key(probe) for probe, *_ in queue[number - 1 :]]
                healed += [r for r in same if _key(r) in untried]  # they died of the same
                break
            if result.outcome is Outcome.PASSED:
                passed += 1
                healed.append(before or first)
            else:
                sick.append(probe.name)
        count = Count(passed + len(sick), passed)
        return tuple(healed), Tried(count, tuple(dict.fromkeys(sick)), all_run)

    def _of_user_site(self, trials: Trials) -> tuple[Entry, ...]:
        """The distributions of the user site that are at fault; empty where that was not found out."""
        site = self.site
        if site is None or not site.distributions:
            return ()
        suspects = tuple(Entry(EntryKind.DISTRIBUTION, name) for name in site.distributions)

        def passes(left_out: frozenset[Entry]) -> bool:
            names = frozenset(entry.value for entry in left_out)
            with self.scene.own.user_base_without(site, names) as base:
                return trials.comes_past({"PYTHONUSERBASE": str(base)}).outcome is Outcome.PASSED

        try:
            found = trials.follow(smallest(suspects), passes)
            return found if passes(frozenset(found)) else ()
        except (TimeIsOver, OSError):
            return ()
