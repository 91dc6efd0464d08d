"""An answer of `why`, version 1; `why_json` prints the model's dataclasses as they are."""

from __future__ import annotations

from typing import Literal, TypedDict

from envguard.formats.documents.values import Tool
from envguard.model.explanation import Explanation, PackageAnswers, SpecAnswer


class RuleAnswered(TypedDict):
    schema_version: Literal[1]
    command: Literal["why"]
    tool: Tool
    kind: Literal["rule"]
    answer: Explanation


class PackageAnswered(TypedDict):
    schema_version: Literal[1]
    command: Literal["why"]
    tool: Tool
    kind: Literal["package"]
    answer: PackageAnswers


class SpecAnswered(TypedDict):
    schema_version: Literal[1]
    command: Literal["why"]
    tool: Tool
    kind: Literal["spec"]
    answer: SpecAnswer
