"""What packages need of a machine, in a line."""

from __future__ import annotations

from collections.abc import Sequence

DRIVER = "driver "


def needs_in_short(needs: Sequence[str]) -> list[str]:
    """A floor and a ceiling of the driver as one: `driver >=525.60.13 and <590`."""
    drivers = [need for need in needs if need.startswith(DRIVER)]
    if not (len(drivers) == 2 and ">=" in drivers[0] and "<" in drivers[1]):
        return list(needs)
    both = f"{drivers[0]} and {drivers[1].removeprefix(DRIVER)}"
    return [both, *(need for need in needs if need not in drivers)]
