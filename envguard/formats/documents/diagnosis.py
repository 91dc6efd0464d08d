"""A post-mortem of `diagnose`, version 1; `diagnosis_json` prints the model's dataclasses as they are."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from envguard.formats.documents.values import Says, Tool
from envguard.model.diagnosis import End, Step, Verdict


class DiagnosisDocument(TypedDict):
    """The five steps in order, and what they add up to; `cause` is not there where it is unknown."""

    schema_version: Literal[1]
    command: Literal["diagnose"]
    tool: Tool
    end: NotRequired[End]
    steps: Annotated[list[Step], Says(minItems=5, maxItems=5)]
    verdict: Verdict
    also: NotRequired[Annotated[list[str], Says("other causes that fit, one line each")]]
