"""Round trip over ENVGUARD_TEST_DATA/corpus: lock, the records as installed, export, lock again: the same?

Every environment.yml is locked for one machine over the real records there (a part of each channel, served
over loopback http). The locked records are written as conda-meta, without a download, read as a prefix,
exported, and the export is locked again. Compared are the leaves that the export names and every choice
between CUDA builds and others. As most environments name a package that the data lacks, those are locked
without it (`trimmed`): without what cannot be installed from there even alone, and with a bare name where the
version is not there; where that contradicts itself, with nothing but names (`bare names`). The pip section is
left out: no index is asked. What is not the same is tried with `--pin exact`, too: where that is, the export
has named a series of versions and a newer one is there.

`--leaves` writes neither requested specs nor history, so that what was asked for has to be told from the
dependencies.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from lock_corpus import OrEmpty, mirrored
from loopback import DATA, served

from envguard import api
from envguard.adapters import rules
from envguard.adapters.solver import RattlerSolver
from envguard.commands.locking.prove import Proof, compare
from envguard.commands.locking.request import solve_request
from envguard.errors import EnvguardError, InputError, UnsatisfiableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_dump import dump_environment
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.cleaning import Pin, Policy
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment
from envguard.model.package import PackageRecord
from envguard.model.subdir import SUBDIRS
from envguard.model.virtual import shared_virtual_packages, virtual_packages

SUBDIR = "linux-64"
FILES = sorted((DATA / "corpus" / "environments").glob("*.yml"))
LEAST = 0.95


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--for", dest="target", default="linux-64:a100,driver=570.124.06")
    arguments.add_argument(
        "--leaves", action="store_true", help="nothing is recorded of the request"
    )
    arguments.add_argument("--every", type=int, default=1, help="only every Nth environment")
    arguments.add_argument("-v", "--verbose", action="store_true")
    arguments.add_argument("--match", default="", help="only files with this in their name")
    arguments.add_argument("--jobs", type=int, default=2, help="processes [2]")
    options = arguments.parse_args()
    files = [path for path in FILES if options.match in path.name][:: options.every]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, served(OrEmpty) as url:
        begin = partial(_begin, Path(scratch), url, options.target)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(options.jobs, mp_context=spawn, initializer=begin) as pool:
            ends: Counter[str] = Counter()
            answers = pool.map(partial(_end_of, recorded=not options.leaves), files)
            for path, (kind, end, seconds) in zip(files, answers, strict=True):
                ends[f"{kind}: {end.partition(':')[0]}"] += 1
                if options.verbose or "NOT" in end:
                    print(f"{path.name}: {kind}: {end}   {seconds:.1f} s", flush=True)
    print(f"{len(files)} files in {time.monotonic() - started:.0f} s")
    for end, number in ends.most_common():
        print(f"{number:>5}  {end}")
    return told(ends)


_trip: list[Trip] = []
"""That of this process."""


def _begin(scratch: Path, url: str, target: str) -> None:
    own = Path(tempfile.mkdtemp(dir=scratch))
    os.environ["ENVGUARD_CACHE_DIR"] = str(own / "cache")
    _trip.append(Trip(own, url, target))


def _end_of(path: Path, *, recorded: bool) -> tuple[str, str, float]:
    started = time.monotonic()
    return *_trip[0].end_of(path, recorded=recorded), time.monotonic() - started


def told(ends: Counter[str]) -> int:
    """The share of round trips that gave the same; 1 where it is too small."""
    same = sum(n for end, n in ends.items() if end.endswith("the same"))
    tried = same + sum(n for end, n in ends.items() if "NOT" in end)
    whole = sum(n for end, n in ends.items() if end == "whole: the same")
    share = same / tried if tried else 0.0
    print(
        f"{same} of {tried} ({share:.1%}, at least {LEAST:.0%} wanted); {whole} of them untrimmed"
    )
    return int(share < LEAST)


class Trip:
    """One machine, one server, one folder for all files."""

    def __init__(self, scratch: Path, url: str, target: str) -> None:
        self.scratch, self.url, self.target = scratch, url, target
        knowledge = rules.load()
        targets = api.resolve_targets([target])
        self.packages = shared_virtual_packages(
            [virtual_packages(t, knowledge.baselines) for t in targets]
        )
        self.solver = RattlerSolver(
            cache_dir=scratch / "cache" / "repodata",
            mirrors=dict(mirrored(channels_in(FILES), url)),
        )

    def end_of(self, path: Path, *, recorded: bool) -> tuple[str, str]:
        """(`whole` or `trimmed`, what came of it)."""
        try:
            environment = parse_environment(path.read_text(errors="replace"), path.name)
        except InputError as error:
            return "unreadable", error.message.partition(":")[0].replace(path.name, "a file")
        here = replace(environment.for_subdir(SUBDIR), pip=(), platforms=(SUBDIR,), prefix=None)
        attempts = self.attempts(here, "whole" if not environment.pip else "without pip")
        for kind, lines in attempts:
            asked = replace(here, dependencies=lines)
            if not self.solves(asked):
                continue
            try:
                first = self.locked(asked)
            except UnsatisfiableError:
                continue  # what the machine cannot run is set aside, and nothing is left
            return kind, self.compared(first, recorded=recorded)
        return "unsolved", attempts[-1][0] if attempts else "nothing of it is in the data"

    def attempts(self, here: Environment, whole: str) -> list[tuple[str, tuple[Dependency, ...]]]:
        """As it is, then what of it the data has, then only the names of that; each once."""
        there = tuple(self.there(here))
        bare = tuple(dict.fromkeys(Dependency(parse_match_spec(x.spec).name) for x in there))
        kinds = {bare: "bare names", there: "trimmed", here.dependencies: whole}
        return [(kind, lines) for lines, kind in reversed(kinds.items()) if lines]

    def there(self, environment: Environment) -> Iterator[Dependency]:
        """The lines that the data can install, bare where it has only other versions."""
        for line in environment.dependencies:
            bare = Dependency(parse_match_spec(line.spec).name)
            for tried in (line, bare):
                if self.has(environment.channels, tried.spec):
                    yield tried
                    break

    @cache  # noqa: B019  one trip a run
    def has(self, channels: tuple[str, ...], spec: str) -> bool:
        """Whether a line can be installed by itself."""
        return self.solves(Environment(channels=channels, dependencies=(Dependency(spec),)))

    def solves(self, environment: Environment) -> bool:
        """Whether it has any solution: `lock` would look long for the reason why it has none."""
        return self.solver.solve([solve_request(environment, SUBDIR, self.packages)])[0].solved

    def compared(self, first: Sequence[PackageRecord], *, recorded: bool) -> str:
        """What a round trip brings; where it is not the same, whether `--pin exact` is."""
        asked = self.request
        ends = []
        for pin in (Pin.MINOR, Pin.EXACT):
            self.request = asked
            try:
                ends.append(self.around(first, pin, recorded=recorded))
            except EnvguardError as error:
                lines = " | ".join(error.problems)
                ends.append(f"NOT SOLVED AGAIN: {error.message} {lines}"[:600])
            if "NOT" not in ends[0]:
                return ends[0]
        return f"{ends[0]}   with --pin exact: {ends[1]}"

    def locked(self, environment: Environment) -> tuple[PackageRecord, ...]:
        """The records of a lock; the file of the request is written, because `lock` reads one."""
        source, output = self.scratch / "environment.yml", self.scratch / "conda-lock.yml"
        source.write_text(dump_environment(replace(environment, name=None)))
        output.unlink(missing_ok=True)
        named = [parse_match_spec(line.spec).channel for line in environment.dependencies]
        channels = [*environment.channels, *(c for c in named if c is not None)]
        api.lock(
            source,
            api.LockOptions(
                output=output,
                targets=(self.target,),
                platforms=(SUBDIR,),
                mirrors=dict(mirrored(channels, self.url)),
                allow=frozenset({"known-bad", "cpu"}),
            ),
        )
        self.request = environment
        return parse_conda_lock(output.read_text(), str(output)).records_for(SUBDIR)

    def around(self, first: Sequence[PackageRecord], pin: Pin, *, recorded: bool) -> str:
        asked = self.request
        with tempfile.TemporaryDirectory(dir=self.scratch) as prefix:
            install(Path(prefix), first, asked if recorded else None)
            exported = api.export(prefix=Path(prefix), policy=Policy(pin))
        again = parse_environment(exported.text, "exported.yml")
        proof = compare(again, SUBDIR, first, self.locked(again), rules.load())
        return in_words(proof)


def channels_in(files: Sequence[Path]) -> Iterator[str]:
    """Every channel that a file, or a spec in it, names."""
    for path in files:
        with suppress(InputError):
            environment = parse_environment(path.read_text(errors="replace"), path.name)
            specs = [parse_match_spec(line.spec) for line in environment.dependencies]
            named = (*environment.channels, *(spec.channel or "" for spec in specs))
            # `conda-forge/linux-64::x` as a channel would lie over the folder of another
            yield from (c for c in named if c and c.rpartition("/")[2] not in SUBDIRS)


def install(prefix: Path, records: Sequence[PackageRecord], asked: Environment | None) -> None:
    """conda-meta as an installation leaves it, and the python that it says is there."""
    meta = prefix / "conda-meta"
    meta.mkdir(parents=True)
    for record in records:
        document = {
            "name": record.name,
            "version": record.version,
            "build": record.build,
            "build_number": record.build_number,
            "channel": record.channel,
            "subdir": record.subdir,
            "depends": list(record.depends),
            "url": record.url,
            "files": [],
        }
        name = f"{record.name}-{record.version}-{record.build}.json"
        (meta / name).write_text(json.dumps(document))
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").touch()
    history = ["==> 2026-11-22 00:00:00 <=="]
    if asked is not None:
        flags = " ".join(f"-c {channel}" for channel in asked.channels)
        specs = [line.spec for line in asked.dependencies]
        history += [f"# cmd: conda create {flags}", f"# update specs: {specs!r}"]
    (meta / "history").write_text("\n".join(history) + "\n")


def in_words(proof: Proof) -> str:
    if proof.same:
        return f"the same: {proof.compared} packages named"
    changes = (*proof.gpu, *proof.leaves)
    named = ", ".join(f"{name} {old} -> {new}" for name, old, new in changes[:8])
    return f"NOT THE SAME: {named}"


if __name__ == "__main__":
    sys.exit(main())
