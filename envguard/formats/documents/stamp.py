"""A stamp, version 1: one run of `envguard verify` of a lock; a line of `--record FILE`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from envguard.formats.documents.report import Verdict
from envguard.formats.documents.values import Day, Null, Says, Sha256
from envguard.model.probe import Tier

Digest = Annotated[str, Says(pattern=r"^[0-9a-f]{32}$")]


class StampedGpu(TypedDict):
    uuid: str | None
    name: str | None
    compute_capability: Annotated[str | None, Says(pattern=r"^\d+\.\d+$")]


class FactsOfHost(TypedDict):
    machine: Annotated[
        Digest,
        Says("of /etc/machine-id, else of this boot's id: two lines of one are of one machine"),
    ]
    cpu: Annotated[Digest, Says("of model and instruction sets")]
    glibc: str | None
    variables: Annotated[
        dict[str, Digest],
        Says("where they were set", propertyNames={"enum": ["LD_LIBRARY_PATH", "LD_PRELOAD"]}),
    ]
    probes: Annotated[
        dict[str, Sha256], Says("of every probe, and of the plan that says which run")
    ]


class FactsHere(FactsOfHost):
    """What a stamp says that can change."""

    driver: NotRequired[
        Annotated[
            str | None,
            Null("null: looked for and not there", pattern=r"^\d+(\.\d+)*$"),
        ]
    ]
    gpus: Annotated[list[StampedGpu] | None, Says("the NVIDIA GPUs that were visible")]
    device: Annotated[
        Literal["cpu"] | None, Says("the lock is for machines without a GPU: none matters")
    ]


class UnsealedStamp(FactsHere):
    schema_version: Literal[1]
    lock: Annotated[
        Sha256, Says("of the lock's bytes; of a notebook: of the code of its cells and of its lock")
    ]
    tier: Annotated[Tier, Says("ran: every probe passed, and nothing was left open")]
    verdict: Verdict
    date: Annotated[str, Says("UTC", pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
    until: Annotated[Day | None, Says("the last day of a waiver that it needs")]
    envguard: Annotated[str, Says("the version that ran")]
    rules_date: Day
    ran: Annotated[
        dict[str, Annotated[list[str], Says(minItems=1)]],
        Says(
            "the probes that passed, each with the UUIDs of the GPUs it ran on, or `cpu`; "
            "of a notebook `run all`, with `here`: on which GPU nobody saw"
        ),
    ]


class StampDocument(UnsealedStamp):
    """A key that is absent was not observed; nothing in it names a user, a host or a path."""

    seal: Annotated[Sha256, Says("over the rest: it shows damage, and is no signature")]


class StampAnswer(TypedDict):
    """`envguard stamp check --format json`; `proven` null: cannot be told here."""

    schema_version: Literal[1]
    proven: Annotated[bool | None, Null()]
    stamp: str
    lock: str
    reason: str
    evidence: Annotated[StampDocument | None, Null()]
