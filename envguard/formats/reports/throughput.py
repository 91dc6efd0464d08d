"""What a probe measured of speed, by the names of its values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envguard.model.probe import OF_PEAK

UNITS = ("TFLOP/s", "GB/s")
"""A value is called `TFLOP/s float16`, and its share of what the card can do `TFLOP/s float16 of peak`."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One speed: `what` is a dtype or a way to copy, `of_peak` its part of the card's tabled peak."""

    what: str
    number: float
    unit: str
    of_peak: float | None = None

    @property
    def in_words(self) -> str:
        """`float16 701.0 TFLOP/s  71 % of peak`."""
        told = f"{self.what} {self.number:g} {self.unit}".strip()
        return told if self.of_peak is None else f"{told}  {percent(self.of_peak)} of peak"


def percent(part: float) -> str:
    """`71 %`."""
    return f"{100 * part:.0f} %"


def rates(values: Mapping[str, object]) -> tuple[Rate, ...]:
    """The speeds among the values of a probe, in their order."""
    found = []
    for name, value in values.items():
        unit, _, what = name.partition(" ")
        number = _number(value)
        if unit in UNITS and number is not None and not name.endswith(OF_PEAK):
            found.append(Rate(what, number, unit, _number(values.get(name + OF_PEAK))))
    return tuple(found)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
