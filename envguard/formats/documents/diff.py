"""A comparison of locks, version 1."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from envguard.formats.documents.values import Says, Tool
from envguard.model.lock_diff import Aspect, Change, FileState, RequestKind
from envguard.model.package import Manager


class SideDocument(TypedDict):
    path: str
    kind: str
    complete: Annotated[bool, Says("false where only some packages are named")]


class NeedsDocument(TypedDict):
    """What the packages ask of a machine, whatever its cards."""

    cuda: str | None
    framework: str | None
    code_for: str | None
    machine: list[str]


class RecordDocument(TypedDict):
    version: str
    build: str | None
    channel: str | None
    sha256: str | None
    md5: str | None


class ChangeDocument(TypedDict):
    name: str
    manager: Manager
    change: Change
    aspects: list[Aspect]
    gpu: Annotated[bool, Says("has a say in CUDA, the cards or the driver")]
    older: Annotated[bool, Says("the new version is the older one")]
    old: RecordDocument | None
    new: RecordDocument | None


class SubdirDocument(TypedDict):
    """One platform; without `before` it is new, without `after` it is gone."""

    subdir: Annotated[str | None, Says("absent where neither side says which platform it is about")]
    platform: Annotated[str | None, Says("its name, where several platforms have this subdir")]
    before: NeedsDocument | None
    after: NeedsDocument | None
    changes: list[ChangeDocument]


class RequestDocument(TypedDict):
    """A line of an environment.yml and what the other side has for it; a missing side has nothing."""

    kind: RequestKind
    subdir: str | None
    old: str | None
    new: str | None
    gpu: Annotated[bool, Says("has a say in CUDA, the cards or the driver")]
    undecided: Annotated[bool, Says("the other side does not tell")]


class FileDocument(TypedDict):
    """A file on disk that is not what its package brought."""

    path: Annotated[str, Says("below the prefix")]
    package: Annotated[str, Says("name and version")]
    state: FileState
    gpu: bool


class DiffDocument(TypedDict):
    schema_version: Literal[1]
    command: Literal["diff"]
    tool: Tool
    old: SideDocument
    new: SideDocument
    differs: bool
    subdirs: list[SubdirDocument]
    notes: list[str]
    requests: Annotated[
        list[RequestDocument] | None, Says("where a side is an environment.yml: lines that differ")
    ]
    files: Annotated[list[FileDocument] | None, Says("with --files")]
