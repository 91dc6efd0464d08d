"""Whether two imports are at fault, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from envguard.checks.culprits import smallest
from envguard.commands.verifying.trials import TimeIsOver, Trials
from envguard.model.culprit import Blame, Count, Entry, EntryKind, Fault, Tried
from envguard.model.probe import Outcome


def import_order(trials: Trials, blame: Blame) -> Blame | None:
    """`blame` with the modules that cannot be imported one after the other.

    None where it was no import that died, where one dies alone too, or the time was over.
    """
    modules = trials.probe.arguments.get("modules")
    last = (blame.results[0].stage or "").removeprefix("import ")
    if not isinstance(modules, Sequence) or last not in modules:
        return None
    try:
        return _Imports(trials, tuple(map(str, modules)), last).judged(blame)
    except TimeIsOver:
        return None


@dataclass(frozen=True, slots=True)
class _Imports:
    """`modules` are imported in their order, and it ends at `last`."""

    trials: Trials
    modules: tuple[str, ...]
    last: str

    def judged(self, blame: Blame) -> Blame | None:
        before = self.modules[: self.modules.index(self.last)]
        if not before or not self._pass(self.last):
            return None
        suspects = tuple(Entry(EntryKind.IMPORT, name) for name in before)
        others = [entry.value for entry in self.trials.follow(smallest(suspects), self._without)]
        blame = replace(blame, modules=(*others, self.last))
        at = min(self.modules.index(name) for name in others)
        rest = [name for name in self.modules if name != self.last]
        if self._pass(*rest[:at], self.last, *rest[at:]):
            count = Count(len(self.modules), len(self.modules))
            return replace(blame, fault=Fault.ORDER, tried=Tried(count))
        if self._pass(self.last, *others):
            return replace(blame, fault=Fault.ORDER)
        return replace(blame, fault=Fault.TOGETHER)

    def _without(self, left_out: frozenset[Entry]) -> bool:
        gone = {entry.value for entry in left_out}
        before = self.modules[: self.modules.index(self.last)]
        return self._pass(*(name for name in before if name not in gone), self.last)

    def _pass(self, *order: str) -> bool:
        self.trials.scene.progress.stage(f"imports in another order: {', '.join(order)}")
        return self.trials.run({}, {"modules": list(order)}).outcome is Outcome.PASSED
