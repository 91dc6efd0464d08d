"""What is known of a log: signatures that fit it, the best first, and the error codes that it names. Pure.

It serves probes, whose evidence has parts, and any other text: `Evidence(output=text)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache

from envguard.checks.mentions import is_mention
from envguard.model.probe import Outcome, ProbeResult
from envguard.model.signature import (
    ErrorCode,
    Signature,
    SignatureMatch,
    Signatures,
)

MOST_CHARACTERS = 128 * 1024
"""Of each part; a longer one is read at its head and tail."""
LINE_CHARACTERS = 2000
SHOWN_CHARACTERS = 300
_NAMED = re.compile(r"\b(?:cudaError[A-Z]\w{2,60}|CU(?:BLAS|DNN)_STATUS_[A-Z_]{3,60})\b")
_NUMBERED = re.compile(
    r"(?i)\b(?:CUDA|cudart|runtime)(?: \w{1,20}){0,2} error:? \(?(\d{1,3})\b|\bError (\d{3}): "
    r"|CudaAPIError: \[(\d{1,3})\]"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a process left, in the order in which it is believed."""

    exception: str = ""
    kernel: str = ""
    output: str = ""
    stack: str = ""
    ending: str = ""

    def parts(self) -> Iterator[tuple[str, str]]:
        for field in fields(self):
            yield field.name, getattr(self, field.name)


def evidence_of(result: ProbeResult) -> Evidence:
    """The evidence that a probe left."""
    place = f", likely in {result.library}" if result.library else ""
    code = f"exit code {result.exit_code}" if result.exit_code else ""
    failed = result.outcome in (Outcome.FAILED, Outcome.OUT_OF_MEMORY)
    return Evidence(
        exception=result.detail if failed else "",
        kernel="\n".join(result.kernel),
        output=result.output,
        stack="\n".join(result.stack),
        ending=f"{result.signal}{place}" if result.signal else code,
    )


def matches(evidence: Evidence, signatures: Iterable[Signature]) -> tuple[SignatureMatch, ...]:
    """Every signature that fits, once, the best first.

    A cause comes before a symptom, that before a mere ending; then what is believed more, then the earlier
    line, as later errors follow from the first; then the order of the signatures.
    """
    parts = [(name, _lines(text)) for name, text in evidence.parts()]
    found = []
    for order, signature in enumerate(signatures):
        place = _first(signature, parts)
        if place is not None:
            part, number, match = place
            found.append(((signature.says, part, number, order), match))
    return tuple(match for _, match in sorted(found, key=lambda pair: pair[0]))


def named_codes(evidence: Evidence, codes: Sequence[ErrorCode]) -> tuple[ErrorCode, ...]:
    """The error codes that are named, or told by their number, each once, in the order of the table."""
    names, numbers = set[str](), set[int]()
    for _, text in evidence.parts():
        for line in _lines(text):
            names.update(_NAMED.findall(line))
            numbers.update(int(n) for told in _NUMBERED.findall(line) for n in told if n)
    return tuple(
        code
        for code in codes
        if code.name in names or (code.name.startswith("cudaError") and code.number in numbers)
    )


def failed_signature_examples(signatures: Iterable[Signature]) -> Iterator[str]:
    """One line for each example that its signature does not answer as it says."""
    for signature in signatures:
        for example in signature.examples:
            if bool(matches(Evidence(output=example.text), [signature])) != example.finds:
                verb = "finds" if example.finds else "leaves"
                yield f"{signature.id}: does not do what it says: {verb} {example.text!r}"


def unknown_rules(signatures: Iterable[Signature], ids: frozenset[str]) -> Iterator[str]:
    """One line for each rule that a signature points to and nobody has."""
    for signature in signatures:
        for rule in signature.rules:
            if rule not in ids:
                yield f"{signature.id}: points to {rule}, which there is not"


def known_of(
    result: ProbeResult, known: Signatures
) -> tuple[SignatureMatch | None, tuple[ErrorCode, ...]]:
    """The best signature for a probe that did not pass, and the codes that it named."""
    if result.outcome in (Outcome.PASSED, Outcome.NOT_RUN, Outcome.WRONG_RESULT):
        return None, ()
    evidence = evidence_of(result)
    found = matches(evidence, known.signatures)
    return (found[0] if found else None), named_codes(evidence, known.codes)


def _first(
    signature: Signature, parts: Sequence[tuple[str, Sequence[str]]]
) -> tuple[int, int, SignatureMatch] | None:
    for beside in signature.beside:
        other = _compiled(beside).search
        if not any(other(line) for _, lines in parts for line in lines):
            return None
    search = _compiled(signature.pattern).search
    mentioned = None
    for rank, (name, lines) in enumerate(parts):
        for number, line in enumerate(lines):
            if (found := search(line)) is None:
                continue
            shown = line.strip()[:SHOWN_CHARACTERS]
            known = _with_names(signature, found)
            match = SignatureMatch(known, name, shown, is_mention(line, found.start()))
            if not match.is_mention:
                return rank, number, match
            mentioned = mentioned or (rank, number, match)
    return mentioned


def _with_names(signature: Signature, found: re.Match[str]) -> Signature:
    """What it says with what the line names: `{library}` where the pattern has a group of that name."""
    names = {f"{{{name}}}": text for name, text in found.groupdict().items() if text}
    if not names:
        return signature

    def told(text: str) -> str:
        for place, name in names.items():
            text = text.replace(place, name)
        return text

    return replace(
        signature,
        meaning=told(signature.meaning),
        causes=tuple(map(told, signature.causes)),
        steps=tuple(map(told, signature.steps)),
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _lines(text: str) -> tuple[str, ...]:
    """Lines of a bearable number and length, each once: the first of them tells."""
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        text = text[:half] + "\n" + text[-half:]
    return tuple(dict.fromkeys(piece for line in text.splitlines() for piece in _pieces(line)))


def _pieces(line: str) -> Iterator[str]:
    """A line, or head and tail of one that is too long: what is said last is said there."""
    yield line[:LINE_CHARACTERS]
    if len(line) > LINE_CHARACTERS:
        yield line[max(LINE_CHARACTERS, len(line) - LINE_CHARACTERS) :]
