"""Packages: known, locked or installed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Manager(StrEnum):
    """Who installs a package."""

    CONDA = "conda"
    PIP = "pip"


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """One package, as a channel, a lock or a prefix describes it.

    `channel` is the short name of the channel (`conda-forge`) or its URL without credentials where it has
    no short name; None for pip packages and where it is not known. `depends` and `constrains` are
    MatchSpecs (conda) or requirements (pip). `url` holds no credentials.
    """

    name: str
    version: str
    manager: Manager = Manager.CONDA
    build: str | None = None
    build_number: int | None = None
    channel: str | None = None
    subdir: str | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    url: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size_bytes: int | None = None

    @property
    def channel_url(self) -> str | None:
        """The place that the URL of a conda package is below of, without its subdir; None = not known."""
        if self.manager is not Manager.CONDA or not self.url or self.url.count("/") < 2:
            return None
        return self.url.rsplit("/", 2)[0]

    @property
    def label(self) -> str:
        """`pytorch 2.10.0 cuda129_mkl_py312_h9ac99b3_303`, as messages print it."""
        return " ".join(part for part in (self.name, self.version, self.build) if part)
