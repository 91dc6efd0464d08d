"""conda's @EXPLICIT files: one URL a line."""

from __future__ import annotations

import re

from envguard.errors import InputError
from envguard.formats.locks.conda_lock import archive_name
from envguard.model.channel import channel_name
from envguard.model.listing import Listing
from envguard.model.package import PackageRecord
from envguard.model.secrets import without_credentials

_DIGEST = re.compile(r"(?P<md5>[0-9a-f]{32})|(?:sha256:)?(?P<sha256>[0-9a-f]{64})")


def is_explicit(text: str) -> bool:
    """Whether some line is `@EXPLICIT`."""
    return any(line.strip() == "@EXPLICIT" for line in text.splitlines())


def parse_explicit(text: str, path: str) -> Listing:
    """Read it; raises InputError that names every line that is no URL of a conda package."""
    records, problems = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line[0] in "#@":
            continue
        record = _record(line)
        if record is None:
            problems.append(
                f"{path}:{number}: {without_credentials(line)!r} is no conda package with its hash"
            )
        else:
            records.append(record)
    if problems:
        raise InputError(f"{path}: damaged @EXPLICIT file", problems=tuple(problems[:20]))
    subdirs = {record.subdir for record in records} - {"noarch", None}
    if len(subdirs) > 1:
        raise InputError(
            f"{path}: packages of several platforms: {', '.join(sorted(map(str, subdirs)))}"
        )
    return Listing("explicit", {next(iter(subdirs), None): tuple(records)})


def _record(line: str) -> PackageRecord | None:
    url, _, digest = line.partition("#")
    url = without_credentials(url)
    archive = archive_name(url)
    found = _DIGEST.fullmatch(digest.strip().lower())
    if archive is None or (digest and found is None):
        return None
    return PackageRecord(
        archive.name,
        archive.version,
        build=archive.build,
        build_number=archive.build_number,
        channel=channel_name(archive.channel_url),
        subdir=archive.subdir,
        url=url,
        md5=found["md5"] if found else None,
        sha256=found["sha256"] if found else None,
    )
