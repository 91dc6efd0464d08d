"""The machine at hand: driver, GPUs and host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from envguard.adapters.machine import nvidia
from envguard.adapters.machine.host import observe_host
from envguard.adapters.machine.other_gpus import list_other_gpus, pci_vendors
from envguard.model.machine import DriverState, Gpu, Machine


class HereMachine:
    """Observes this machine. `timeout_s` limits how long the NVIDIA driver may take to answer."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = nvidia.TIMEOUT_S,
        root: Path = Path("/"),
    ):
        self._environment = dict(os.environ) if environment is None else dict(environment)
        self._timeout_s = timeout_s
        self._root = root

    def observe(self) -> Machine:
        """Never raises for what the machine is; InputError for a CONDA_OVERRIDE_ that is no version."""
        host = observe_host(self._environment, root=self._root)
        others = list_other_gpus(self._root)
        if host.subdir.startswith("osx-"):  # NVIDIA's last driver for macOS is of 2018
            return replace(host, driver=DriverState.ABSENT, gpus=others)
        found = nvidia.detect_nvidia(self._environment, timeout_s=self._timeout_s, root=self._root)
        gpus, notes = found.gpus, found.notes
        if found.driver is DriverState.ABSENT:
            gpus = tuple(Gpu(index) for index in range(pci_vendors(self._root).count("nvidia")))
            if gpus:
                notes += ("an NVIDIA GPU is on the PCI bus, but its driver is not installed",)
        together = None if gpus is None else gpus + others
        return replace(host, driver=found.driver, gpus=together, notes=host.notes + notes)
