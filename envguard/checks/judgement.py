"""All static checks of one set of packages on one machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from envguard.checks.arch import check_architectures
from envguard.checks.case import Case
from envguard.checks.compat import check_compat
from envguard.checks.contract import least_text, only_ptx, ptx_text
from envguard.checks.contract_needs import code_needs, cpu_least, glibc_least
from envguard.checks.contract_rules import makers_of_ptx, rule_needs
from envguard.checks.cpu import check_cpu_level
from envguard.checks.cudnn import check_cudnn
from envguard.checks.driver import check_driver_floor
from envguard.checks.driver_cards import check_driver_cards
from envguard.checks.driver_range import driver_range
from envguard.checks.extensions import check_extensions
from envguard.checks.frameworks import check_framework_cudnn
from envguard.checks.host import check_cpu_build, check_glibc
from envguard.checks.nccl import check_nccl
from envguard.checks.packages import check_rules
from envguard.model.report import Finding, Status
from envguard.model.target import Target

_OPEN = (Status.PASS, Status.WARN, Status.UNKNOWN)


def judge(case: Case, asked: Target) -> tuple[Finding, ...]:
    """Every answer, one cause once. `asked` is the target before `for_judging`."""
    findings = [
        *check_driver_floor(case),
        *check_driver_cards(case),
        *check_compat(case),
        *check_architectures(case),
        *check_cudnn(case),
        *check_framework_cudnn(case),
        *check_nccl(case),
        *check_extensions(case),
        *check_cpu_build(case, asked),
        *check_glibc(case),
        *check_cpu_level(case),
        *check_rules(case),
    ]
    named = (replace(finding, target=asked.name) for finding in findings)
    return _once(named, case)


def requirements(case: Case) -> tuple[str, ...]:
    """What the contract of the packages is for these cards: `driver >=525.60.13`, `glibc >=2.28`."""
    driver = driver_range(case).needs if case.need is not None else ()
    cards = case.cards or ()
    capabilities = (card.compute_capability for card in cards)
    code = code_needs(case, (one for one in capabilities if one is not None))
    ptx = ptx_text([*only_ptx(code, cards), *makers_of_ptx(rule_needs(case))]) if cards else ()
    least = (need for need in (glibc_least(case), cpu_least(case)) if need is not None)
    return (*driver, *ptx, *map(least_text, least))


def _once(findings: Iterable[Finding], case: Case) -> tuple[Finding, ...]:
    """Leave out what a rule explains better, and a rule that says more than the check it explains.

    A check that passed or could not decide (a cuda-compat library, say) has weighed more than the rule.
    """
    found = list(findings)
    answers = {(finding.rule, finding.status) for finding in found}
    left_out: set[tuple[str, Status]] = set()
    for rule in case.knowledge.rules:
        for explained in rule.explains:
            fails = (explained, Status.FAIL) in answers
            if fails and (rule.id, rule.status) in answers:
                left_out.add((explained, Status.FAIL))
            elif fails or not answers.isdisjoint((explained, status) for status in _OPEN):
                left_out |= {(rule.id, rule.status), (rule.id, Status.UNKNOWN)}
    return tuple(finding for finding in found if (finding.rule, finding.status) not in left_out)
