"""What a rule asks of a machine, in three values: true, false, and nobody looked."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

from envguard.checks.case import Case
from envguard.checks.torch_build import BuildKind
from envguard.model import rule as model
from envguard.model.machine import Driver
from envguard.model.rule import FACTS, Condition
from envguard.model.version import Dotted

_OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_HAVE_AVX2 = frozenset({"x86_64_v3", "x86_64_v4"})


def all_true(values: Iterable[bool | None]) -> bool | None:
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def any_true(values: Iterable[bool | None] | None) -> bool | None:
    """None as well where there are no values to look at."""
    return None if values is None else negated(all_true(map(negated, values)))


def negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def fits_pattern(text: str, pattern: str) -> bool:
    """A glob, or a regular expression after `~`."""
    if pattern.startswith("~"):
        return re.search(pattern[1:], text) is not None
    return fnmatchcase(text, pattern)


def compared(condition: model.Compare, case: Case) -> bool | None:
    """Compare a fact; False where the fact is known not to exist, None where nobody looked."""
    if _has_none(condition.fact, case) or _has_none(condition.value, case):
        return False
    wanted = (
        _fact(condition.value, case) if condition.value in FACTS else Dotted.parse(condition.value)
    )
    if wanted is None:
        return None
    compare = _OPERATORS[condition.operator]
    if condition.fact == "compute_capability":
        return _any_card(case, wanted, condition.operator)
    found = _fact(condition.fact, case)
    if found is None:
        return None
    answer = bool(compare(found, wanted))
    if condition.fact in case.machine.assumed:  # a baseline: the machine may have more
        return None if answer == condition.operator.startswith("<") else answer
    return answer


def _has_none(fact: str, case: Case) -> bool:
    """Whether it is known that there is no such thing: no driver, or any; no CUDA in the packages."""
    match fact:
        case "driver" | "driver_cuda":
            return case.driver is not None and not isinstance(case.driver, Driver)
        case "torch_cuda":
            return case.torch is None or case.torch.kind is BuildKind.CPU
        case "cuda":
            return case.need is None and case.complete
        case _:
            return False


def package_fact(fact: str, case: Case) -> Dotted | Literal[False] | None:
    """A fact of the packages; False where there is known to be no such thing, None = not known."""
    return False if _has_none(fact, case) else _fact(fact, case)


def _fact(fact: str, case: Case) -> Dotted | None:
    match fact:
        case "torch_cuda":
            return case.torch.cuda if case.torch is not None else None
        case "cuda":
            return case.need.cuda if case.need is not None else None
        case "glibc":
            return case.machine.glibc
        case "driver":
            return case.driver.version if isinstance(case.driver, Driver) else None
        case "driver_cuda":
            return case.driver_cuda
        case "python":
            return _python(case)
        case "shm_mb":
            size = case.machine.shm_bytes
            return None if size is None else Dotted.parse(str(size // 2**20))
        case _:
            return None


def _python(case: Case) -> Dotted | None:
    """The interpreter where it is a package; one that is no package is not known here."""
    for record in case.named(("python",)):
        match = re.match(r"\d+(?:\.\d+)*", record.version)
        if match is not None:
            return Dotted.parse(match[0])
    return None


def _any_card(case: Case, wanted: Dotted, operator_: str) -> bool | None:
    if case.cards is None:
        return None
    return any_true(
        None
        if card.compute_capability is None
        else bool(_OPERATORS[operator_](Dotted.parse(str(card.compute_capability)), wanted))
        for card in case.cards
    )


def variable_fits(condition: model.Variable, case: Case) -> bool | None:
    if case.variables is None and case.machine.environment is None:
        return None
    variables = {**(case.machine.environment or {}), **(case.variables or {})}
    value = variables.get(condition.name)
    return value is not None and fits_pattern(value, condition.pattern)


def cpu_has(flag: str, case: Case) -> bool | None:
    """Whether the processor has a flag; of x86-64-v3 on the level says so of avx and avx2."""
    machine = case.machine
    if machine.cpu_flags is not None:
        return flag in machine.cpu_flags
    if machine.archspec in _HAVE_AVX2 and flag in ("avx", "avx2"):
        return True
    return None


def fact_of(condition: Condition) -> str:
    """What a condition that could not be decided asked for."""
    match condition:
        case model.Compare():
            return condition.fact.replace("_", " ")
        case model.Variable():
            return f"${condition.name}"
        case model.CpuHas():
            return "the CPU's flags"
        case model.MigSlice():
            return "whether the card is a slice (MIG)"
        case model.InContainer():
            return "whether it is a container"
        case model.UserSite():
            return "the user site"
        case _:
            return "packages that are not pinned"
