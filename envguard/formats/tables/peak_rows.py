"""The rows about what cards can do at most."""

from __future__ import annotations

import math
from collections.abc import Iterator

from envguard.formats.strict_yaml import Keys, as_text, as_texts_by_name
from envguard.formats.tables.table_values import Sources
from envguard.model.gpu_peak import GpuPeak


def gpu_peaks(keys: Keys, origin: Sources) -> Iterator[GpuPeak]:
    """The rows of `gpu_peaks`, one for each of their names."""
    for row in keys.rows("gpu_peaks"):
        names, least = row.texts("names"), row.read("least", _share, 0.0)
        tflops = row.read("tflops", _amounts, dict[str, float]())
        memory, source = row.optional("memory_gb_s", as_amount), origin(row)
        for name in names:
            yield GpuPeak(name, tflops, least, source, memory)


def as_amount(value: object) -> float:
    """A number above zero, in quotes. Raises ValueError."""
    try:
        amount = float(as_text(value))
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise ValueError(f"{value!r} is no number above 0 in quotes")
    return amount


def _share(value: object) -> float:
    share = as_amount(value)
    if share >= 1:
        raise ValueError(f"{value!r} is no share of a peak: it is not below 1")
    return share


def _amounts(value: object) -> dict[str, float]:
    return {name: as_amount(amount) for name, amount in as_texts_by_name(value).items()}
