"""What a card can do at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envguard.model.origin import Origin


@dataclass(frozen=True, slots=True)
class GpuPeak:
    """The data sheet of a card, by the name that NVML gives it.

    `tflops` are TFLOP/s of dense products by the dtype of their inputs (`tf32` is one), `memory_gb_s` GB/s;
    what is not there is not known. Below the share `least` of a peak something is wrong.
    """

    name: str
    tflops: Mapping[str, float]
    least: float
    origin: Origin
    memory_gb_s: float | None = None

    @property
    def by_value(self) -> Mapping[str, float]:
        """The peaks by the names of the values that probes report."""
        peaks = {f"TFLOP/s {dtype}": peak for dtype, peak in self.tflops.items()}
        return peaks if self.memory_gb_s is None else {**peaks, "GB/s memory": self.memory_gb_s}
