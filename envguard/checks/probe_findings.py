"""What probes that did not pass add up to: one finding for one cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from envguard.checks.probe_gpus import GPU_RULES
from envguard.model.probe import Outcome, Owner, OwnerKind, ProbeResult, in_one_line
from envguard.model.report import Finding, Fix, Status
from envguard.model.signature import ErrorCode

FRAMES = 3
OUTPUT_LINES = 2
LINE_CHARACTERS = 160
PYTHON_RULE = "EG707"
HERE = "here"
"""The target that is this machine."""


def probe_findings(results: Sequence[ProbeResult]) -> tuple[Finding, ...]:
    """One finding for all probes that ended in the same way, of the same cause, in order of the first."""
    return tuple(finding_of(same) for same in by_cause(results))


def by_cause(results: Sequence[ProbeResult]) -> tuple[tuple[ProbeResult, ...], ...]:
    """The results that did not pass; those that ended in the same way are together."""
    causes: dict[tuple[object, ...], list[ProbeResult]] = {}
    for result in results:
        if result.outcome not in (Outcome.PASSED, Outcome.NOT_RUN):
            causes.setdefault(_cause(result), []).append(result)
    return tuple(map(tuple, causes.values()))


def observed_beats_tabled(
    findings: Sequence[Finding], results: Sequence[ProbeResult]
) -> tuple[Finding, ...]:
    """Findings of the static check, where a `fail` about a GPU that passed every probe is a `warn`."""
    seen: dict[int, list[Outcome]] = {}
    for result in results:
        if result.gpu is not None and (result.wanted or result.outcome is not Outcome.NOT_RUN):
            seen.setdefault(result.gpu, []).append(result.outcome)
    sound = {gpu for gpu, outcomes in seen.items() if set(outcomes) == {Outcome.PASSED}}
    return tuple(_softened(finding, sound, set(seen)) for finding in findings)


def _softened(finding: Finding, sound: set[int], probed: set[int]) -> Finding:
    concerned = {finding.gpu} if finding.gpu is not None else probed
    contradicted = (
        finding.status is Status.FAIL
        and finding.target in (None, HERE)  # what was seen here says nothing of other machines
        and finding.rule.startswith(GPU_RULES)
        and bool(concerned)
        and concerned <= sound
    )
    if not contradicted:
        return finding
    names = ", ".join(f"gpu{gpu}" for gpu in sorted(sound & probed))
    seen = f"and yet every probe passed on {names}, which counts for more than a table"
    return replace(
        finding, status=Status.WARN, message=f"{finding.message}; {seen}".removeprefix("; ")
    )


def python_does_not_start(result: ProbeResult, python: str) -> Finding:
    """`result` is that of the discovery, which did not pass: no probe can run."""
    said = " / ".join(line.strip()[:LINE_CHARACTERS] for line in _last_words(result))
    undecided = _says_why_not(result)
    return Finding(
        rule=PYTHON_RULE,
        status=Status.UNKNOWN if undecided else Status.FAIL,
        title=f"the environment's python {_start_in_words(result)}",
        message=_sentence(result) + (f"; it said: {said}" if said else ""),
        evidence=(python,),
        fix=None if undecided else _advice(result.outcome) or _look(result, python),
    )


def _start_in_words(result: ProbeResult) -> str:
    if result.outcome in (Outcome.TIMED_OUT, Outcome.UNKILLABLE):
        return "does not start in time"
    if result.stage or _says_why_not(result):
        return "cannot run a probe"
    if result.outcome is Outcome.SILENT_EXIT:
        return "does not start, or is no Python"
    return "does not start"


def _says_why_not(result: ProbeResult) -> bool:
    """Whether it ran and told why it can run no probe; one that could not be started has no exit code."""
    return result.outcome is Outcome.NOT_RUN and result.exit_code is not None


def _look(result: ProbeResult, python: str) -> Fix:
    another = "; is it a script, then name the interpreter that it starts"
    ended = result.outcome is Outcome.SILENT_EXIT and not result.stage
    return Fix(f"see for yourself: {python} -c 'import json'{another if ended else ''}")


def _cause(result: ProbeResult) -> tuple[object, ...]:
    """What two deaths of one cause have in common. A crash elsewhere may well be another one."""
    if result.outcome is Outcome.FAILED:
        return (result.outcome, result.detail)
    return (result.outcome, result.signal, result.stage, result.library, result.detail)


def finding_of(same: Sequence[ProbeResult]) -> Finding:
    """The finding of probes that died of one cause; the first of them is described."""
    first = same[0]
    gpus = {result.gpu for result in same}
    return Finding(
        rule=_rule(first.outcome),
        status=Status.FAIL,
        title=f"{_names(same)} {_what_happened(first)}",
        message=_sentence(first),
        gpu=first.gpu if len(gpus) == 1 else None,
        evidence=_evidence(first),
        fix=_advice(first.outcome) or _next_steps(first),
        sources=first.known.signature.sources if first.known else (),
    )


def _next_steps(result: ProbeResult) -> Fix | None:
    """What the signature says to do; it was not tried."""
    if result.known is None or not result.known.signature.steps:
        return None
    rules = result.known.signature.rules
    also = f"; compare {', '.join(rules)} (envguard why {rules[0]})" if rules else ""
    return Fix("; ".join(result.known.signature.steps) + also)


def _what_is_known(result: ProbeResult) -> tuple[str, ...]:
    """The signature and the error codes, explained by the line that fits."""
    told = [_code_in_words(code) for code in result.codes]
    if result.known is not None:
        known = result.known.signature
        told.append(f"known ({known.id}): {known.meaning}")
        if known.causes:
            told.append("likely causes: " + "; ".join(known.causes))
        if result.known.part == "kernel":
            told.append(f"the kernel said: {result.known.line}")
    return tuple(told)


def _code_in_words(code: ErrorCode) -> str:
    number = "" if code.number is None else f" ({code.number})"
    return f"{code.name}{number}: {code.meaning}"


def _names(same: Sequence[ProbeResult]) -> str:
    names = dict.fromkeys(result.name for result in same)
    gpus = sorted({result.gpu for result in same if result.gpu is not None})
    where = f" on gpu{',gpu'.join(map(str, gpus))}" if gpus else ""
    return ", ".join(names) + where


def _rule(outcome: Outcome) -> str:
    match outcome:
        case Outcome.CRASHED:
            return "EG701"
        case Outcome.FAILED:
            return "EG702"
        case Outcome.WRONG_RESULT:
            return "EG703"
        case Outcome.TIMED_OUT | Outcome.UNKILLABLE:
            return "EG704"
        case Outcome.OUT_OF_MEMORY:
            return "EG705"
        case Outcome.SILENT_EXIT | Outcome.PROTOCOL_ERROR:
            return "EG706"
        case Outcome.PASSED | Outcome.NOT_RUN:
            raise ValueError(f"{outcome} is no finding")
        case _:
            assert_never(outcome)


def _what_happened(result: ProbeResult) -> str:
    match result.outcome:
        case Outcome.CRASHED:
            return f"crashed with {result.signal}"
        case Outcome.FAILED:
            return "failed"
        case Outcome.WRONG_RESULT:
            return "computed a wrong result"
        case Outcome.TIMED_OUT:
            return "did not end in time"
        case Outcome.UNKILLABLE:
            return "hangs and cannot be killed"
        case Outcome.OUT_OF_MEMORY:
            return "ran out of memory"
        case Outcome.SILENT_EXIT:
            return "ended without a word"
        case Outcome.PROTOCOL_ERROR:
            return "wrote what cannot be trusted"
        case Outcome.PASSED | Outcome.NOT_RUN:
            raise ValueError(f"{result.outcome} is no finding")
        case _:
            assert_never(result.outcome)


def _sentence(result: ProbeResult) -> str:
    parts = [in_one_line(result.detail)] if result.detail else []
    if result.stage:
        parts.append(f"while: {result.stage}")
    parts.append(f"after {result.seconds:.1f} s")
    if result.library:
        parts.append(f"likely in {result.library}{owner_in_words(result.owner)}")
    return ", ".join(parts)


def owner_in_words(owner: Owner | None) -> str:
    """` of nvidia-cudnn-cu12 9.5.1 (wheel)`, behind a library's name."""
    match owner:
        case None:
            return ""
        case Owner(kind=OwnerKind.CONDA | OwnerKind.WHEEL | OwnerKind.MODULE):
            return f" of {owner.name} ({owner.kind.value})"
        case Owner(kind=OwnerKind.OUTSIDE):
            return f" from {owner.name}"
        case _:
            return f" of {owner.name}"


def _evidence(result: ProbeResult) -> tuple[str, ...]:
    """What is known of such an end, and what was seen of it."""
    return (*_what_is_known(result), *signs_of(result))


def signs_of(result: ProbeResult) -> tuple[str, ...]:
    """The innermost of the Python stack, without our own frames; what it printed, if no exception."""
    frames = [in_short(frame) for frame in result.stack if not is_ours(frame)][:FRAMES]
    stack = ("Python stack, innermost first: " + " < ".join(frames),) if frames else ()
    said = () if result.outcome is Outcome.FAILED else _last_words(result)
    return (*stack, *(f"it said: {line}" for line in said))


def _last_words(result: ProbeResult) -> tuple[str, ...]:
    lines = [line for line in result.output.splitlines() if line.strip()]
    return tuple(lines[-OUTPUT_LINES:])


def in_short(frame: str) -> str:
    """`torch/nn/functional.py:512 in conv2d`: without the folders above all modules; JSON has them."""
    return _ABOVE_MODULES.sub("", frame)


_ABOVE_MODULES = re.compile(
    r"^/.*?/(?:site-packages|dist-packages|python3\.\d+)/(?:site-packages/)?"
)


def is_ours(frame: str) -> bool:
    """Whether a stack frame is of the machinery that runs probes."""
    return any(part in frame for part in ("/envguard/probes/", "/importlib/", "<frozen importlib"))


def _advice(outcome: Outcome) -> Fix | None:
    if outcome is Outcome.TIMED_OUT:
        return Fix("give it more time where the machine is slow: --timeout SECONDS")
    if outcome is Outcome.UNKILLABLE:
        return Fix("the driver hangs: look at `dmesg`, and reset the GPU or restart the machine")
    return None
