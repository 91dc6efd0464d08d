"""What `install` did, or would do, version 1."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from envguard.formats.documents.diff import DiffDocument
from envguard.formats.documents.report import ReportDocument
from envguard.formats.documents.values import Natural, Says, Seconds


class InstallDocument(TypedDict):
    schema_version: Literal[1]
    command: Literal["install"]
    lock: str
    prefix: str
    subdir: str
    dry_run: bool
    installed: Annotated[bool, Says("the prefix is now what the lock says")]
    notes: list[str]
    seconds: Seconds
    size_bytes: Annotated[Natural | None, Says("of the files that were linked")]
    anew: Annotated[
        list[str] | None,
        Says("packages linked again as they were: files are missing, or python is another"),
    ]
    refused: Annotated[ReportDocument | None, Says("the check that this machine did not pass")]
    diff: Annotated[DiffDocument | None, Says("from what was there to the lock")]
