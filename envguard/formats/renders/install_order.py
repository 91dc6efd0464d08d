"""Dependencies first: the order in which an explicit file is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envguard.model.package import PackageRecord


def install_order(records: Iterable[PackageRecord]) -> list[PackageRecord]:
    """Each package after those it depends on, by name where that leaves a choice.

    A cycle is opened at the name that is met first. That python wants pip is no dependency here: pip is
    installed by the python that it needs.
    """
    by_name = {
        record.name: record for record in sorted(records, key=lambda r: r.name, reverse=True)
    }
    done: dict[str, PackageRecord] = {}
    entered: set[str] = set()
    for name in sorted(by_name):
        stack = [(name, _needs(by_name[name]))]
        entered.add(name)
        while stack:
            current, needs = stack[-1]
            following = next((n for n in needs if n in by_name and n not in entered), None)
            if following is None:
                stack.pop()
                done.setdefault(current, by_name[current])
            else:
                entered.add(following)
                stack.append((following, _needs(by_name[following])))
    return list(done.values())


def _needs(record: PackageRecord) -> Iterator[str]:
    names = sorted({depend.split(" ")[0] for depend in record.depends})
    return iter(name for name in names if (record.name, name) != ("python", "pip"))
