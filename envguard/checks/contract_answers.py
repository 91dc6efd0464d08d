"""The packages and the contract beside them: who answers, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from envguard.checks.case import Case
from envguard.checks.contract import BUILT_IN, judge_contract
from envguard.checks.contract_rules import depends_on_machine
from envguard.model.contract import RecordedContract, UnreadableContract
from envguard.model.knowledge import Knowledge
from envguard.model.report import ContractVerdict, Finding, Fix, Status
from envguard.model.target import Target

_OPEN = (Status.UNKNOWN, Status.SKIPPED)
_LOCK_AGAIN = Fix("write it again: envguard lock")
Answered = tuple[tuple[Finding, ...], tuple[str, ...], ContractVerdict]
"""The findings, notes, and what the machine is by the contract."""


def answered(
    findings: Sequence[Finding],
    recorded: RecordedContract | UnreadableContract | None,
    case: Case,
    asked: Target,
) -> Answered:
    """The findings of the packages, completed by the contract in the lock.

    The packages decide. The contract answers where the tables do not know a package, if it is about these
    packages; what it says otherwise is a finding of its own.
    """
    rules = contract_rules(case.knowledge)
    match recorded:
        case None:
            return tuple(findings), (), _verdict(findings, rules)
        case UnreadableContract():
            more, notes = _unreadable(recorded, asked)
            return (*findings, *more), notes, _verdict(findings, rules)
        case RecordedContract():
            return _beside(tuple(findings), recorded, rules, case, asked)


def contract_rules(knowledge: Knowledge) -> frozenset[str]:
    """The ids whose answers are a contract's."""
    return frozenset(BUILT_IN) | {
        rule.id for rule in knowledge.rules if not rule.lint and depends_on_machine(rule)
    }


def _unreadable(
    recorded: UnreadableContract, asked: Target
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    if not recorded.damaged:
        return (), (f"the lock's contract: {recorded.reason}; computed from the packages",)
    return (_broken(f"the lock's contract is damaged: {recorded.reason}", asked),), ()


def _beside(
    findings: tuple[Finding, ...],
    recorded: RecordedContract,
    rules: frozenset[str],
    case: Case,
    asked: Target,
) -> Answered:
    contract = recorded.by_subdir.get(case.subdir)
    if contract is None or case.subdir not in recorded.genuine:
        what = "has nothing for" if contract is None else "is not about the packages of"
        title = f"the contract in the lock {what} {case.subdir}: one of them was changed"
        return (*findings, _broken(title, asked)), (), _verdict(findings, rules)
    says = judge_contract(contract, asked, case.knowledge)
    known = {rule.id for rule in case.knowledge.rules} | set(BUILT_IN)
    rules |= {finding.rule for finding in says}
    newer = recorded.rules_date > case.knowledge.date
    completed = _completed(findings, says, recorded, newer=newer)
    merged = (*completed, *_of_newer_rules(says, known, recorded))
    verdict = _verdict(merged, rules)
    verdict = replace(verdict, rules_date=recorded.rules_date)
    differing = _differing(merged, says)
    if not differing:
        return merged, (), verdict
    if recorded.rules_date != case.knowledge.date:
        note = (
            f"{', '.join(differing)}: the lock's contract, by rules of {recorded.rules_date}, says "
            f"otherwise; these are of {case.knowledge.date}"
        )
        return merged, (note,), verdict
    title = f"the contract in the lock says otherwise than its packages: {', '.join(differing)}"
    return (*merged, _broken(title, asked)), (), verdict


def _completed(
    findings: Iterable[Finding],
    says: Sequence[Finding],
    recorded: RecordedContract,
    *,
    newer: bool,
) -> list[Finding]:
    """Each finding; the contract's where the tables could not say and it can.

    Also where `newer` rules of the contract fail what ours pass: a card that a driver branch has dropped
    since is no row of an older table.
    """
    taken: set[tuple[str, str | None]] = set()
    merged = []
    for finding in findings:
        answer = _answer_to(finding, says, newer=newer)
        if answer is None:
            merged.append(finding)
        elif (key := (answer.rule, _blamed(answer))) not in taken:
            taken.add(key)
            merged.append(_by_contract(answer, recorded))
    return merged


def _answer_to(finding: Finding, says: Sequence[Finding], *, newer: bool) -> Finding | None:
    """What the contract knows and the tables do not: the same rule, and the same package if one is named."""
    for answer in says:
        same = answer.rule == finding.rule and _blamed(finding) in (None, _blamed(answer))
        told = finding.status in _OPEN and answer.status not in _OPEN
        stricter = newer and answer.status is Status.FAIL and finding.status is not Status.FAIL
        if same and (told or stricter):
            return answer
    return None


def _of_newer_rules(
    says: Iterable[Finding], known: set[str], recorded: RecordedContract
) -> list[Finding]:
    """What rules say that this envguard does not have."""
    return [
        _by_contract(finding, recorded)
        for finding in says
        if finding.rule not in known and finding.rule.startswith("EG") and finding.rule != "EG401"
    ]


def _by_contract(finding: Finding, recorded: RecordedContract) -> Finding:
    said = f"by the lock's contract, computed by the rules of {recorded.rules_date}"
    return replace(finding, evidence=(*finding.evidence, said))


def _differing(findings: Iterable[Finding], says: Sequence[Finding]) -> tuple[str, ...]:
    """The rules by which one fails the machine and the other does not."""
    ours = {(f.rule, _blamed(f)): f.status for f in findings if f.status not in _OPEN}
    theirs = {(f.rule, _blamed(f)): f.status for f in says if f.status not in _OPEN}
    both = ours.keys() & theirs.keys()
    fails = Status.FAIL
    return tuple(sorted({key[0] for key in both if (ours[key] is fails) != (theirs[key] is fails)}))


def _blamed(finding: Finding) -> str | None:
    return finding.packages[0].name if finding.packages else None


def _broken(title: str, asked: Target) -> Finding:
    return Finding(
        "EG640",
        Status.WARN,
        title,
        message="what the packages need was computed from the packages",
        target=asked.name,
        fix=_LOCK_AGAIN,
    )


def _verdict(findings: Iterable[Finding], rules: frozenset[str]) -> ContractVerdict:
    of_contract = [finding for finding in findings if finding.rule in rules]
    for status in (Status.FAIL, Status.UNKNOWN):
        found = [finding.rule for finding in of_contract if finding.status is status]
        if found:
            return ContractVerdict(status, tuple(dict.fromkeys(found)))
    return ContractVerdict(Status.PASS)
