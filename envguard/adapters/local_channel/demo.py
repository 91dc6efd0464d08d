"""The two channels of `envguard demo`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.adapters.local_channel.broken import break_matrix_product
from envguard.adapters.local_channel.build import LocalChannel, build_channel
from envguard.ports.progress import Progress


class LocalChannelMaker:
    """Makes them from the running interpreter and PyPI; `broken` alters what `good` fetched."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._good: LocalChannel | None = None

    def good(self, directory: Path, requirements: Sequence[str], *, torch: bool) -> LocalChannel:
        self._good = build_channel(directory, requirements, torch=torch, progress=self._progress)
        return self._good

    def broken(self, directory: Path) -> LocalChannel:
        """Comes after `good`."""
        assert self._good is not None
        self._progress.stage("building a numpy that crashes")
        return break_matrix_product(self._good, directory)
