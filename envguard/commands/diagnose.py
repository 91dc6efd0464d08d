"""`diagnose`: a post-mortem of what is known of a death."""

from __future__ import annotations

from envguard.checks.verdict import verdict_of
from envguard.formats.issue_text import plain
from envguard.model.diagnosis import Diagnosis, End, Log, ProcessFacts, Scene
from envguard.model.signature import Signatures

ELSEWHERE = "the text is of another machine; nothing of this one was asked"


def diagnose_text(text: str, *, end: End | None, known: Signatures) -> Diagnosis:
    """The post-mortem of an issue or of a log of another machine."""
    scene = Scene(
        process=ProcessFacts(end=end), logs=(Log("the text", plain(text)),), elsewhere=ELSEWHERE
    )
    verdict, also = verdict_of(scene, known.signatures)
    return Diagnosis((), verdict, also)
