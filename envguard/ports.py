"""What the use cases need of the outside, as protocols. `envguard.api` decides who answers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from envguard.model.architecture import LibraryCode
    from envguard.model.culprit import Entry, Setter, Surroundings, UserSite
    from envguard.model.diagnosis import HostFacts, Log, ProcessFacts, ResourceFacts
    from envguard.model.environment import Environment
    from envguard.model.image import Images
    from envguard.model.listing import Listing
    from envguard.model.loaded import Loaded
    from envguard.model.lockfile import Lockfile
    from envguard.model.machine import Machine
    from envguard.model.notebook import Notebook, NotebookRun, NotebookSurroundings, Script
    from envguard.model.pack import Wanted
    from envguard.model.package import PackageRecord
    from envguard.model.probe import Probe, ProbeResult
    from envguard.model.report import Throwaway
    from envguard.model.target import VirtualPackage


class Progress:
    """Told what long work is doing. This base class is silent; the CLI's draws on stderr."""

    def stage(self, text: str) -> None:
        """A new stage starts: `solving linux-64: 12 specs`."""

    def say(self, text: str) -> None:
        """Something that a person has to see before it happens: it stays on the screen."""

    def advance(self, done: int, total: int) -> None:
        """`done` of `total` steps of the current stage are done."""

    def probe(self, result: ProbeResult) -> None:
        """A probe has ended."""


SILENT = Progress()


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """One solve. `channels` are resolved URLs without credentials, in priority order.

    `specs` are MatchSpecs in any form conda takes. `preferred` are taken where nothing speaks against them.
    """

    subdir: str
    channels: tuple[str, ...]
    specs: tuple[str, ...]
    virtual_packages: tuple[VirtualPackage, ...] = ()
    constraints: tuple[str, ...] = ()
    preferred: tuple[PackageRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solve gave: records in no particular order, or why there are none."""

    request: SolveRequest
    records: tuple[PackageRecord, ...] = ()
    problem: str | None = None
    gone: tuple[PackageRecord, ...] = ()
    """What was preferred and is in no channel any more."""

    @property
    def solved(self) -> bool:
        return self.problem is None


class Solver(Protocol):
    """Picks packages. Solves run concurrently; one answer a request, in the order asked."""

    def solve(self, requests: Sequence[SolveRequest]) -> tuple[Solution, ...]:
        """Raises UnavailableError when a channel does not answer; "no solution" is an answer."""
        ...

    def candidates(
        self, name: str, *, subdir: str, channels: Sequence[str]
    ) -> tuple[PackageRecord, ...]:
        """Every record of that name; empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class IndexRoute:
    """A package that comes from an index of its own. `specifier` narrows its versions: `>=2.6,<2.15`."""

    name: str
    index: str
    specifier: str = ""


@dataclass(frozen=True, slots=True)
class PipRequest:
    """Requirement lines (and pip's options) to lock beside packages that conda has chosen."""

    subdir: str
    python_version: str
    lines: tuple[str, ...]
    provided: tuple[PackageRecord, ...] = ()
    """Conda records: what they provide must neither be replaced nor locked again."""
    glibc: str | None = None
    directory: Path | None = None
    """Relative paths in the lines count from here."""
    build: bool = False
    """Whether sources may be built, which runs their code."""
    routes: tuple[IndexRoute, ...] = ()
    preferred: tuple[PackageRecord, ...] = ()
    """Versions that are taken where nothing speaks against them."""


class PipResolver(Protocol):
    """Locks pip sections, side by side."""

    def resolve(self, requests: Sequence[PipRequest]) -> tuple[tuple[PackageRecord, ...], ...]:
        """The records of each request, in order; an interrupted call leaves nothing running.

        Raises UnsatisfiableError with the reason, InputError for a line that cannot be read and where only a
        source archive is there, UnavailableError when the index is silent.
        """
        ...


class MachineSource(Protocol):
    """Looks at the machine at hand."""

    def observe(self) -> Machine: ...


class SceneSource(Protocol):
    """Looks at what a death left on a machine. Nothing here raises for what it finds, or does not."""

    def process(self, pid: int) -> ProcessFacts:
        """A process by its id: there, gone, or somebody else's."""
        ...

    def host(self, folder: Path) -> HostFacts:
        """The container or the machine, and where `folder` lies."""
        ...

    def kernel_log(self) -> Log:
        """The telling lines of the last day; `problem` says why there are none to read."""
        ...

    def resources(self, *, pid: int | None, folders: Sequence[Path]) -> ResourceFacts:
        """Memory, GPUs, room under `folders`, file handles of process `pid`."""
        ...


@dataclass(frozen=True, slots=True)
class Installed:
    """What is in a prefix or a virtual environment.

    `requested` are the MatchSpecs the user asked for, None where nobody recorded them.
    `user_site` are distributions of the user site that this interpreter would import.
    """

    path: Path
    kind: str
    """`prefix` or `venv`."""
    subdir: str
    python: Path | None
    python_version: str | None
    records: tuple[PackageRecord, ...]
    requested: tuple[str, ...] | None = None
    channels: tuple[str, ...] = ()
    channels_told: bool = True
    """False where nobody noted the order of several channels: it is by the number of packages then."""
    variables: Mapping[str, str] | None = None
    user_site: tuple[PackageRecord, ...] | None = None
    problems: tuple[str, ...] = ()
    """What could not be read, in words."""
    half: str | None = None
    """Of these the one that says that an installation into it did not end."""
    torch_code: LibraryCode | None = None
    """The GPU code in PyTorch's library; None where there is no such library or it cannot be read."""
    pip_origins: Mapping[str, str] | None = None
    """By distribution name: the direct URL it came from (git+https://...@commit), without credentials."""
    pip_requested: tuple[str, ...] | None = None
    """Distributions that somebody asked for by name; None where no installer noted it."""


Found: TypeAlias = "Lockfile | Environment | Installed | Images | Notebook | tuple[Listing, ...]"
"""What can be judged."""


@dataclass(frozen=True, slots=True)
class NotebookText:
    """What of a notebook has to be looked up outside. `cells` are numbers and Python, the magics told apart.

    `broken` are those that do not parse here, `saved` the paths that it writes to, as it says them. It is to
    run with the packages of `subdir`.
    """

    path: str
    subdir: str
    cells: tuple[tuple[int, str], ...]
    broken: frozenset[int]
    saved: tuple[str, ...]


class LookAround(Protocol):
    """Observes what a notebook is judged in."""

    def __call__(self, text: NotebookText) -> NotebookSurroundings: ...


class PrefixReader(Protocol):
    """Reads what is installed, without starting its python."""

    def read(self, path: Path) -> Installed:
        """Raises InputError when `path` is no prefix and no virtual environment."""
        ...


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is known of a prefix after it was left. `notes` are lines for the report."""

    throwaway: Throwaway | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prefix:
    """An installed environment that probes can run in. `environment`: its variables.

    `aftermath` is asked once it was left.
    """

    path: Path
    python: Path
    environment: Mapping[str, str]
    aftermath: Callable[[], Aftermath] = Aftermath


class PrefixFactory(Protocol):
    """Makes throwaway prefixes."""

    def throwaway(
        self,
        lockfile: Lockfile,
        subdir: str,
        *,
        keep: bool | Callable[[], bool],
        progress: Progress,
    ) -> AbstractContextManager[Prefix]:
        """A prefix with everything the lock has for `subdir`, removed on leaving unless `keep`.

        A `keep` that is a function is asked on leaving: what happened in the prefix decides.
        Raises UnavailableError for what cannot be fetched, checked or written: nothing is left.
        """
        ...


class ArchiveSource(Protocol):
    """Finds the very files that a lock names."""

    def look(self, records: Sequence[PackageRecord], progress: Progress) -> tuple[Wanted, ...]:
        """What is here already, checked, and the size of the rest where it is told; in their order.

        Raises UnavailableError for what cannot be checked and for servers that do not answer.
        """
        ...

    def fetch(self, wanted: Sequence[Wanted], progress: Progress) -> tuple[Wanted, ...]:
        """The same, each with a path and a size. Raises UnavailableError; nothing half stays."""
        ...


class OwnEnvironment(Protocol):
    """The environment that the user's own programs run in, and who made it so."""

    def observe(self, prefix: Prefix) -> Surroundings: ...

    def setter_of(self, entry: Entry, prefix: Prefix) -> Setter | None:
        """Who put an entry there: a loaded module, an activation script, the prefix; None = not found out."""
        ...

    def owned(self, loaded: Loaded, prefix: Prefix) -> Loaded:
        """The same with the owner of each library, and the prefix's own copies of those from elsewhere."""
        ...

    def user_site(self, base: str, folder: str) -> UserSite:
        """What is installed in a user site; without distributions where it cannot be read."""
        ...

    def user_base_without(
        self, site: UserSite, left_out: frozenset[str]
    ) -> AbstractContextManager[Path]:
        """A user base of links to all of `site` but some distributions, gone on leaving; raises OSError."""
        ...


class ProbeRunner(Protocol):
    """Runs one probe in a process of its own, and tells how it ended."""

    def run(
        self,
        probe: Probe,
        *,
        python: Path,
        environment: Mapping[str, str | None],
        timeout_s: float,
    ) -> ProbeResult:
        """`environment` goes over the user's own variables; None = not set for the probe.

        Never raises for what the probe does. On ^C the probe's processes are ended first.
        """
        ...

    def run_all(
        self,
        probes: Sequence[Probe],
        *,
        python: Path,
        environment: Mapping[str, str],
        timeout_s: float,
        started: Callable[[Probe], None],
        ended: Callable[[ProbeResult], None],
    ) -> tuple[ProbeResult, ...]:
        """Run all of them, beside each other where that is safe; the results in the order of `probes`.

        `started` and `ended` are called in the calling thread. As `run`, it never raises for what probes do.
        """
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results should know about how they came to be."""
        ...


@dataclass(frozen=True, slots=True)
class NotebookJob:
    """A notebook that is to run. `text` is its file, `folder` where its code runs, `cells` its code cells."""

    text: str
    folder: Path
    cells: int
    cell_timeout_s: float


class NotebookRunner(Protocol):
    """Runs the code of a notebook, and leaves nothing of what it started."""

    def run_all(
        self, job: NotebookJob, prefix: Prefix, *, progress: Progress = SILENT
    ) -> NotebookRun:
        """Restart & Run All in a kernel of `prefix`; each cell is a stage. Never raises for what it does."""
        ...

    def run_script(self, job: NotebookJob, script: Script, prefix: Prefix) -> NotebookRun:
        """The same as a script, by the interpreter of `prefix`."""
        ...
