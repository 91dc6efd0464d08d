"""A rule file, version 1; `formats.rule_yaml` reads it, and says what no schema can."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from envguard.formats.documents.report import RuleId
from envguard.formats.documents.values import Confidence, Day, Says, Text
from envguard.model.rule import FACTS, PARTS

Texts = Text | list[Text]
TextByName = dict[str, Text]
Comparison = Annotated[str, Says(pattern=rf"^(>=|<=|==|>|<)\s*(\d+(\.\d+)*|{'|'.join(FACTS)})$")]


class PackageCondition(TypedDict, total=False):
    name: Texts
    version: Text
    build: Text
    channel: Text
    manager: Text
    file: Text


class DifferCondition(TypedDict):
    packages: Annotated[list[Text], Says(minItems=2, maxItems=2)]
    part: Annotated[str, Says(enum=list(PARTS))]


class RangesCondition(TypedDict, total=False):
    of: Texts
    partner: Texts
    takes: TextByName


Condition = TypedDict(
    "Condition",
    {
        "all": "list[Annotated[Condition, Says(minProperties=1)]]",
        "any": "list[Annotated[Condition, Says(minProperties=1)]]",
        "not": "Annotated[Condition, Says(minProperties=1)]",
        "missing": "Annotated[Condition, Says(minProperties=1)]",
        "package": PackageCondition,
        "differ": DifferCondition,
        "ranges": RangesCondition,
        "built_for_torch": Texts,
        "pair_table": Text,
        "cuda_majors": Texts,
        "channels_contain": Text,
        "default_wheel": Literal[True],
        "platform": Texts,
        "cpu_flag": Text,
        "container": Literal[True],
        "mig": Literal[True],
        "user_site": Texts,
        "env": TextByName,
        "torch_cuda": Comparison,
        "cuda": Comparison,
        "driver_cuda": Comparison,
        "driver": Comparison,
        "compute_capability": Comparison,
        "glibc": Comparison,
        "python": Comparison,
        "shm_mb": Comparison,
    },
    total=False,
)
"""Several keys in one mapping all have to hold."""


class RuleFix(TypedDict):
    text: Text
    specs: NotRequired[Texts]


class RuleExampleDocument(TypedDict):
    packages: NotRequired[Texts]
    finds: Annotated[str, Says(enum=["yes", "no", "unknown"])]
    subdir: NotRequired[Text]
    machine: NotRequired[TextByName]
    channels: NotRequired[Texts]
    user_site: NotRequired[Texts]


class RuleDocument(TypedDict):
    id: RuleId
    aliases: NotRequired[Texts]
    title: Text
    status: Annotated[str, Says(enum=["warn", "fail"])]
    lint: NotRequired[Annotated[Literal[True], Says("off unless it is asked for: it stops no GPU")]]
    when: Annotated[Condition, Says(minProperties=1)]
    symptom: Text
    cause: Text
    fix: RuleFix
    sources: Annotated[Texts, Says(minItems=1)]
    confidence: Confidence
    date: Day
    explains: NotRequired[Texts]
    examples: Annotated[list[RuleExampleDocument], Says(minItems=2)]
