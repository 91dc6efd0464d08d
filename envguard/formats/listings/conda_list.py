"""What `conda list` and `mamba list` print: name, version, build, channel."""

from __future__ import annotations

import re

from envguard.model.channel import channel_name
from envguard.model.listing import Listing
from envguard.model.package import Manager, PackageRecord

_HEADER = re.compile(r"^#\s*(packages in environment at|Name\s+Version\s+Build)", re.MULTILINE)
_MAMBA = re.compile(r"^[ \t]*Name[ \t]+Version[ \t]+Build[ \t]+Channel[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"\s*([A-Za-z0-9_][\w.-]*)\s+(\d\S*|[\w.!+]+)\s+(\S+)(?:\s+(\S+))?\s*\Z")


def is_conda_list(text: str) -> bool:
    """Whether the text has the header of such a list."""
    return bool(_HEADER.search(text) or _MAMBA.search(text))


def parse_conda_list(text: str, path: str) -> Listing:
    """Read the rows; lines that are no row are passed over, as this is output for people.

    `<pip>` and `pypi` are pip packages. Where no channel is printed it is `defaults`, as conda prints it.
    """
    from envguard.formats.listings import expect_packages

    header = _HEADER.search(text) or _MAMBA.search(text)
    rows = (_ROW.match(line) for line in text[header.end() if header else 0 :].splitlines())
    records = tuple(_record(row) for row in rows if row is not None and row[1] != "Name")
    return expect_packages(Listing("conda-list", {None: records}), path)


def _record(row: re.Match[str]) -> PackageRecord:
    name, version, build, channel = row.groups()
    if channel in ("pypi", "<pip>") or build in ("pypi_0", "<pip>"):
        return PackageRecord(name, version, Manager.PIP)
    return PackageRecord(
        name, version, build=build, channel=channel_name(channel) if channel else "defaults"
    )
