"""One verdict of all that was found: the likely cause, what speaks for and against it, what next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.checks.circumstances import failures, pointed_to, weighed
from envguard.checks.suspects import Found, Suspect, suspects_of
from envguard.model.diagnosis import Certainty, Scene, Verdict
from envguard.model.report import Finding
from envguard.model.signature import Says, Signature

MOST_EVIDENCE = 4
MOST_OTHERS = 4


def verdict_of(
    scene: Scene, found: Sequence[Found], signatures: Sequence[Signature]
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and the other causes that fit, a line each. UNKNOWN where nothing names a cause.

    `found` is what the signatures found in the scene (see `line_matches`).
    """
    suspects = weighed(suspects_of(found), scene, signatures)
    named = [suspect for suspect in suspects if suspect.certainty is not Certainty.UNKNOWN]
    failed = failures(scene)
    if named:
        told = {rule for suspect in named for rule in suspect.signature.rules}
        others = [_line(suspect) for suspect in named[1:]]
        others += [f"{f.rule} {f.title}" for f in failed if f.rule not in told]
        return _named(named[0]), tuple(others[:MOST_OTHERS])
    pointed = [f for s in suspects for f in pointed_to(s.signature, scene) if f not in failed]
    findings = (*failed, *dict.fromkeys(pointed))
    if findings:
        others = [f"{f.rule} {f.title}" for f in findings[1:]]
        return _of_finding(findings[0], suspects), tuple(others[:MOST_OTHERS])
    return _unknown(suspects, scene), ()


def _named(suspect: Suspect) -> Verdict:
    known = suspect.signature
    return Verdict(
        certainty=suspect.certainty,
        cause=known.meaning,
        family=known.family or None,
        signature=known.id,
        candidates=known.causes,
        evidence_for=suspect.evidence_for[:MOST_EVIDENCE],
        evidence_against=suspect.evidence_against,
        next_steps=known.steps,
        rules=known.rules,
        sources=known.sources,
    )


def _line(suspect: Suspect) -> str:
    first = f" ({suspect.evidence_for[0]})" if suspect.evidence_for else ""
    return f"{suspect.certainty.value}: {suspect.signature.meaning}{first}"


def _of_finding(finding: Finding, suspects: Sequence[Suspect]) -> Verdict:
    """What is known to be bad in the environment may be why; no line of a log says so."""
    ends = [s for s in suspects if finding.rule in s.signature.rules]
    told = tuple(line for suspect in ends[:1] for line in suspect.evidence_for)
    against = () if ends else ("no line of a log and no way of ending that was seen points to it",)
    return Verdict(
        certainty=Certainty.POSSIBLE,
        cause=finding.title,
        candidates=tuple(text for text in (finding.message, finding.symptom) if text),
        evidence_for=(f"check: {finding.rule} {finding.title}", *told),
        evidence_against=against,
        next_steps=(finding.fix.text,) if finding.fix else (),
        rules=(finding.rule,),
        sources=finding.sources,
    )


def _unknown(suspects: Sequence[Suspect], scene: Scene) -> Verdict:
    """What is known of the end without a cause: it is said, with what may be behind it."""
    telling = [s for s in suspects if s.signature.says is not Says.NOTE]
    if not telling:
        return Verdict(Certainty.UNKNOWN, next_steps=_what_to_bring(scene))
    first = telling[0]
    return Verdict(
        certainty=Certainty.UNKNOWN,
        signature=first.signature.id,
        candidates=first.signature.causes,
        evidence_for=(*first.evidence_for, f"that is: {first.signature.meaning}"),
        evidence_against=first.evidence_against,
        next_steps=(*first.signature.steps, *_what_to_bring(scene)),
        rules=first.signature.rules,
        sources=first.signature.sources,
    )


def _what_to_bring(scene: Scene) -> tuple[str, ...]:
    steps = []
    if not any(log.text and not log.kernel for log in scene.logs):
        steps.append("bring what it said before it died: envguard diagnose --log FILE")
    if scene.process.end is None and scene.elsewhere is None:
        steps.append("say how it ended: --exit-code N or --signal NAME")
    if scene.environment is None and scene.elsewhere is None:
        steps.append("name its environment: -p PREFIX or -n NAME")
    return tuple(steps)
