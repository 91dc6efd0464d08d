"""A lock written in the format of another tool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RenderKind(StrEnum):
    """The formats of other tools that a lock can be written in."""

    EXPLICIT = "explicit"
    PIXI = "pixi"
    ENV = "env"
    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    CYCLONEDX = "cyclonedx"
    DOCKER_ENV = "docker-env"
    SBATCH = "sbatch"
    NODE_AFFINITY = "node-affinity"


OF_THE_CONTRACT = (RenderKind.DOCKER_ENV, RenderKind.SBATCH, RenderKind.NODE_AFFINITY)
"""What says what the packages need of a machine, and no packages."""
_FILE_NAMES = {
    RenderKind.EXPLICIT: "conda-{label}{subdir}.lock",
    RenderKind.ENV: "conda-{label}{subdir}.lock.yml",
    RenderKind.PIXI: "{label}pixi.lock",
    RenderKind.REQUIREMENTS: "requirements-{label}{subdir}.txt",
    RenderKind.PYLOCK: "pylock.{label}{subdir}.toml",
    RenderKind.CYCLONEDX: "{label}{subdir}.cdx.json",
    RenderKind.DOCKER_ENV: "nvidia-{label}{subdir}.env",
    RenderKind.SBATCH: "sbatch-{label}{subdir}.sh",
    RenderKind.NODE_AFFINITY: "node-affinity-{label}{subdir}.yaml",
}


@dataclass(frozen=True, slots=True)
class RenderSource:
    """What a file is made of: `check` is what `envguard check` is to be given for it."""

    check: str = "conda-lock.yml"
    installed: bool = False


LOCK = RenderSource()


@dataclass(frozen=True, slots=True)
class Rendered:
    """One file. `subdir` is None where it holds all of them; `notes` say what it does not hold."""

    kind: RenderKind
    subdir: str | None
    text: str
    notes: tuple[str, ...] = ()

    def file_name(self, lock_name: str) -> str:
        """What it is called beside the lock: conda-lock's names, and what pip's tools look for.

        A lock that is not `conda-lock.yml` lends its name, so that two locks in a folder keep apart.
        """
        return _FILE_NAMES[self.kind].format(label=_label(lock_name), subdir=self.subdir)


def _label(lock_name: str) -> str:
    """`conda-lock.a100.yml` and `a100.conda-lock.yml` are labelled `a100-`; no dots, as PEP 751 wants."""
    stem = lock_name.removesuffix(".yml").removesuffix(".yaml")
    words = [word for word in stem.split(".") if word not in ("", "conda-lock")]
    return "-".join((*words, "")) if words else ""
