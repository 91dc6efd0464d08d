"""The main job in one go, on a channel made here: what is typed, and what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envguard.errors import ExitCode
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import PackageRecord

_FORGE = "https://conda.anaconda.org/conda-forge"
# real records of conda-forge, read 2026-11 from https://conda.anaconda.org/conda-forge/linux-64/repodata.json
_TEAMMATE = (
    PackageRecord(
        name="pytorch",
        version="2.10.0",
        build="cuda130_mkl_py312_hbad622b_305",
        channel="conda-forge",
        subdir="linux-64",
        depends=("__cuda", "cuda-version >=13.0,<14", "python >=3.12,<3.13.0a0"),
        url=f"{_FORGE}/linux-64/pytorch-2.10.0-cuda130_mkl_py312_hbad622b_305.conda",
        sha256="fd592bc4e8c22887d5983dd64cf46de81704677b5cab8cac5443b8c33f8eceb9",
        md5="34b01c755214c022963dccb3dd05bb21",
    ),
    PackageRecord(
        name="cuda-version",
        version="13.0",
        build="hc7b4dd1_3",
        channel="conda-forge",
        subdir="noarch",
        url=f"{_FORGE}/noarch/cuda-version-13.0-hc7b4dd1_3.conda",
        sha256="b0511bf95bf784096866c8add22afe365ff534c5d87f033119653d6d3c57d4bc",
        md5="2f875735837c072c78894980f96c50df",
    ),
)
_NOT_RUNNING = frozenset({ExitCode.FINDINGS})
_RUNNING = frozenset({ExitCode.OK})
_DECIDED = frozenset({ExitCode.OK, ExitCode.UNDECIDED})


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the tour. `arguments` follow `envguard`; `shows` is a file to print before."""

    text: str
    arguments: tuple[str, ...]
    expects: frozenset[ExitCode]
    shows: str | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """A folder with everything the steps need; paths in them are relative to it."""

    folder: Path
    channel: tuple[PackageRecord, ...]
    steps: tuple[Step, ...]
    next_commands: tuple[tuple[str, str], ...]
    """What to type next, and what for."""


class Channel(Protocol):
    """A channel in a folder, as the demo needs it."""

    @property
    def url(self) -> str: ...

    @property
    def packages(self) -> tuple[PackageRecord, ...]: ...


class ChannelMaker(Protocol):
    """Makes the two channels of the demo; raises UnavailableError where PyPI does not answer."""

    def good(self, directory: Path, requirements: Sequence[str], *, torch: bool) -> Channel:
        """The running python and `requirements`."""
        ...

    def broken(self, directory: Path) -> Channel:
        """A numpy that imports and dies in its matrix product."""
        ...


class TextWriter(Protocol):
    """Writes a file whole or not at all."""

    def __call__(self, path: Path, text: str) -> None: ...


def prepare_demo(
    folder: Path, *, torch: bool, channels: ChannelMaker, write_text: TextWriter
) -> Demo:
    """Make channels, environments and a teammate's lock in `folder`, and say what to do with them."""
    good = channels.good(folder / "channel", ["numpy"], torch=torch)
    broken = channels.broken(folder / "vendor-channel")
    for name in ("broken", "teammate"):
        (folder / name).mkdir()
    packages = ["python", "numpy", *(["torch"] if torch else [])]
    write_text(folder / "environment.yml", _environment_yml("demo", [good.url], packages))
    # the vendor's channel comes first, so its numpy wins
    write_text(
        folder / "broken" / "environment.yml",
        _environment_yml("broken", [broken.url, good.url], ["python", "numpy"]),
    )
    write_text(folder / "teammate" / "conda-lock.yml", _teammate_lock())
    return Demo(folder, good.packages, _steps(torch=torch), _NEXT)


def surprises(demo: Demo, codes: Sequence[int]) -> tuple[str, ...]:
    """Steps that did not end as they should, in words; `codes` are the exit codes, in order."""
    told = []
    for step, code in zip(demo.steps, codes, strict=True):
        if code not in step.expects:
            wanted = " or ".join(str(int(each)) for each in sorted(step.expects))
            told.append(f"envguard {' '.join(step.arguments)}: exit code {code}, expected {wanted}")
    return tuple(told)


def exit_code(demo: Demo, codes: Sequence[int]) -> ExitCode:
    """That of the whole demo: what gave out beats what went wrong because of it."""
    if not surprises(demo, codes):
        return ExitCode.OK
    return ExitCode.UNAVAILABLE if ExitCode.UNAVAILABLE in codes else ExitCode.FINDINGS


def _environment_yml(name: str, channels: Sequence[str], packages: Sequence[str]) -> str:
    lines = [f"name: {name}", "channels:", *(f"  - {channel}" for channel in channels)]
    lines += ["dependencies:", *(f"  - {package}" for package in packages)]
    return "\n".join(lines) + "\n"


def _teammate_lock() -> str:
    lock = Lockfile(
        platforms=("linux-64",),
        channels=(_FORGE,),
        packages=tuple(LockedPackage(record, "linux-64") for record in _TEAMMATE),
        sources=("environment.yml",),
        content_hash={"linux-64": "0" * 64},
    )
    return dump_conda_lock(lock, created_by="a teammate")


_NEXT = (
    ("envguard check", "the environment that is active here"),
    ("envguard lock --for h100", "your environment.yml, for a card you need not have"),
    ("envguard verify", "that lock, on the machine with the card"),
    ("envguard --help", "the other verbs"),
)


def _steps(*, torch: bool) -> tuple[Step, ...]:
    # a machine with a GPU would rightly refuse a CPU build of torch
    cpu = ("--for", "cpu") if torch else ()
    return (
        Step(
            "Which exact packages? Solved, and written with their hashes.",
            ("lock", "--for", "cpu"),
            _RUNNING,
            shows="environment.yml",
        ),
        Step("Can it run? Judged from the lock; nothing is downloaded.", ("check", *cpu), _DECIDED),
        Step("Does it run? Proven in a throwaway environment.", ("verify", *cpu), _RUNNING),
        Step("What was asked for? A clean file to share.", ("export",), _RUNNING),
        Step(
            "A teammate's lock, for a machine you do not have: refused before anything is downloaded.",
            ("check", "teammate/conda-lock.yml", "--for", "v100,driver=590.48.01"),
            _NOT_RUNNING,
        ),
        Step(
            "A vendor's numpy, built for a newer CPU: it resolves ...",
            ("lock", "broken/environment.yml", "-o", "broken/conda-lock.yml", "--for", "cpu"),
            _RUNNING,
            shows="broken/environment.yml",
        ),
        Step(
            "... it installs and imports, and only running it shows that it crashes.",
            ("verify", "broken/conda-lock.yml"),
            _NOT_RUNNING,
        ),
    )
