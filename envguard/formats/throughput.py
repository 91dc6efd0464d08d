"""What a probe measured of speed, by the names of its values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# `TFLOP/s float16`, `tflops float16`, or `tflops` alone
_UNITS = {"TFLOP/s": "TFLOP/s", "tflops": "TFLOP/s", "GB/s": "GB/s", "gbytes_per_s": "GB/s"}
_OF_PEAK = "of_peak"


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
        return (
            told
            if self.of_peak is None
            else f"{told}  {self.of_peak:.0%} of peak".replace("%", " %")
        )


def rates(values: Mapping[str, object]) -> tuple[Rate, ...]:
    """The speeds among the values of a probe, in their order."""
    found = []
    for name, value in values.items():
        unit, _, what = name.partition(" ")
        number = _number(value)
        if unit in _UNITS and number is not None:
            peak = values.get(f"{_OF_PEAK} {what}".strip(), values.get(_OF_PEAK))
            found.append(Rate(what, number, _UNITS[unit], _number(peak)))
    return tuple(found)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
