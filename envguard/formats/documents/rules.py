"""`rules list`, version 1."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from envguard.formats.documents.report import RuleId
from envguard.formats.documents.values import Day, Says, Text, Tool
from envguard.model.report import Status
from envguard.model.rule_archive import RulesFrom


class RulesInUseDocument(TypedDict):
    date: Day
    origin: RulesFrom
    path: str
    problem: Annotated[str | None, Says("why a newer set is not the one that answers")]


class ListedRule(TypedDict):
    id: RuleId
    status: Annotated[Status, Says(enum=["warn", "fail"])]
    lint: bool
    date: Day
    title: Text
    sources: list[str]


class RulesDocument(TypedDict):
    schema_version: Literal[1]
    command: Literal["rules list"]
    tool: Tool
    in_use: RulesInUseDocument
    rules: list[ListedRule]
