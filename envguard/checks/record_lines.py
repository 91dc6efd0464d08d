"""Packages as the examples of rules write them, one in a line."""

from __future__ import annotations

from envguard.model.package import Manager, PackageRecord


def record_of_line(line: str) -> PackageRecord:
    """`name version [build] [manager:pip] [channel:NAME] [url:URL]`."""
    words = line.split()
    options = dict(word.split(":", 1) for word in words[2:] if ":" in word)
    manager = Manager(options.get("manager", "conda"))
    return PackageRecord(
        words[0],
        words[1],
        manager=manager,
        build=next((word for word in words[2:] if ":" not in word), None),
        channel=options.get("channel", "conda-forge" if manager is Manager.CONDA else None),
        url=options.get("url"),
    )
