"""Kinds of values, and how a type says more of one than Python can: keywords of JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypedDict, TypeVar, cast

from envguard.model.package import Manager, PackageRecord

Document = TypeVar("Document", bound=Mapping[str, object])


class Says:
    """Keywords of JSON Schema, beside those that follow from the type."""

    def __init__(self, text: str | None = None, **keywords: object) -> None:
        self.keywords = keywords if text is None else {"description": text, **keywords}


class Null(Says):
    """None is written as null, which says something else than a missing key."""


def known(document: Document) -> Document:
    """The same without the keys that are None: nothing is known, or nothing is there."""
    return cast(Document, {key: value for key, value in document.items() if value is not None})


Text = Annotated[str, Says(minLength=1)]
Day = Annotated[str, Says(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Sha256 = Annotated[str, Says(pattern=r"^[0-9a-f]{64}$")]
Natural = Annotated[int, Says(minimum=0)]
Counted = Annotated[int, Says(minimum=1)]
Seconds = Annotated[float, Says(minimum=0)]
VersionText = Annotated[str, Says(pattern=r"^\d+(\.\d+)*$")]
AtLeast = Annotated[str, Says(pattern=r"^>=\d+(\.\d+)*$")]
Confidence = Annotated[str, Says(enum=["high", "medium", "low"])]


class Tool(TypedDict):
    name: Literal["envguard"]
    version: str
    rules_date: Day


class Package(TypedDict):
    name: str
    version: str
    build: str | None
    channel: str | None
    manager: Manager


def package_to_json(package: PackageRecord) -> Package:
    """What names a package."""
    return known(
        Package(
            name=package.name,
            version=package.version,
            build=package.build,
            channel=package.channel,
            manager=package.manager,
        )
    )
