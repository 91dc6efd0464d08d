"""The runner of real processes, made to fork every probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from envguard.adapters.probing.runner import ProcessProbes
from envguard.adapters.probing.zygote import AVAILABLE
from envguard.model.probe import Probe, ProbeResult


class Preloading:
    """The real runner, where every probe is forked from a process that has imported a module."""

    def __init__(self, probes: ProcessProbes) -> None:
        self._probes = probes

    def run(self, probe: Probe, **options: Any) -> ProbeResult:
        return self._probes.run(replace(probe, preload="json"), **options)

    def run_all(self, probes: Sequence[Probe], **options: Any) -> tuple[ProbeResult, ...]:
        return self._probes.run_all([replace(p, preload="json") for p in probes], **options)

    @property
    def notes(self) -> tuple[str, ...]:
        return self._probes.notes


ZYGOTES = pytest.param("zygote", marks=pytest.mark.skipif(not AVAILABLE, reason="Linux alone"))
