"""Round trip over ENVGUARD_TEST_DATA/corpus: lock, the records as installed, export, lock again: the same?

Every environment.yml is locked for one machine over the real records there (a part of each channel, served
over loopback http). The locked records are written as conda-meta, without a download, read as a prefix,
exported, and the export is locked again. Compared are the leaves that the export names and every choice
between CUDA builds and others. As most environments name a package that the data lacks, those are locked once
more without it (`trimmed`): without the packages of no channel there, and with a bare name where the version
is not there; where that contradicts itself, with nothing but names (`bare names`). The pip section is left
out: no index is asked.

`--leaves` writes neither requested specs nor history, so that what was asked for has to be told from the
dependencies.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from lock_corpus import OrEmpty, mirrored
from loopback import DATA, served

from envguard import api
from envguard.adapters import rules
from envguard.adapters.solver import RattlerSolver
from envguard.commands.locking.prove import Proof, compare
from envguard.errors import EnvguardError, InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_dump import dump_environment
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.channel import channel_urls
from envguard.model.conda import parse_match_spec, record_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.package import PackageRecord

SUBDIR = "linux-64"
LEAST = 0.95


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--for", dest="target", default="linux-64:a100,driver=570.124.06")
    arguments.add_argument(
        "--leaves", action="store_true", help="nothing is recorded of the request"
    )
    arguments.add_argument("--every", type=int, default=1, help="only every Nth environment")
    arguments.add_argument("-v", "--verbose", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch, served(OrEmpty) as url:
        os.environ["ENVGUARD_CACHE_DIR"] = str(Path(scratch, "cache"))
        trip = Trip(Path(scratch), url, options.target)
        ends: Counter[str] = Counter()
        files = sorted((DATA / "corpus" / "environments").glob("*.yml"))[:: options.every]
        for path in files:
            kind, end = trip.end_of(path, recorded=not options.leaves)
            ends[f"{kind}: {end.partition(':')[0]}"] += 1
            if options.verbose or "NOT" in end:
                print(f"{path.name}: {kind}: {end}", flush=True)
    for end, number in ends.most_common():
        print(f"{number:>5}  {end}")
    return told(ends)


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

    def end_of(self, path: Path, *, recorded: bool) -> tuple[str, str]:
        """(`whole` or `trimmed`, what came of it)."""
        try:
            environment = parse_environment(path.read_text(errors="replace"), path.name)
        except InputError as error:
            return "unreadable", error.message.partition(":")[0].replace(path.name, "a file")
        here = replace(environment.for_subdir(SUBDIR), pip=(), platforms=(SUBDIR,), prefix=None)
        kind = "whole" if not environment.pip else "without pip"
        there = tuple(self.there(here))
        bare = tuple(Dependency(parse_match_spec(line.spec).name) for line in there)
        attempts = {kind: here.dependencies, "trimmed": there, "bare names": bare}
        for tried, lines in attempts.items():
            kind = tried
            try:
                first = self.locked(replace(here, dependencies=lines))
                break
            except EnvguardError as error:
                reason = type(error).__name__
        else:
            return "unsolved", reason if there else "nothing of it is in the data"
        try:
            return kind, self.around(first, recorded=recorded)
        except EnvguardError as error:
            lines = " | ".join(error.problems)
            return kind, f"NOT SOLVED AGAIN: {error.message} {lines}"[:600]

    def there(self, environment: Environment) -> Iterator[Dependency]:
        """The lines that the data has a package for, bare where it has no such version."""
        channels = tuple(environment.channels) or ("conda-forge",)
        for line in environment.dependencies:
            spec = parse_match_spec(line.spec)
            own = (spec.channel,) if spec.channel is not None else channels
            records = self.candidates(spec.name, own)
            if any(record_matches(line.spec, record) for record in records):
                yield line
            elif records:
                yield Dependency(spec.name)

    @cache  # noqa: B019  one trip a run
    def candidates(self, name: str, channels: tuple[str, ...]) -> tuple[PackageRecord, ...]:
        urls = [url for channel in channels for url in channel_urls(channel, subdir=SUBDIR)]
        return self.solver(channels).candidates(name, subdir=SUBDIR, channels=urls)

    @cache  # noqa: B019  it keeps what it has read
    def solver(self, channels: tuple[str, ...]) -> RattlerSolver:
        return RattlerSolver(
            cache_dir=self.scratch / "cache" / "repodata",
            mirrors=dict(mirrored(channels, self.url)),
        )

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

    def around(self, first: Sequence[PackageRecord], *, recorded: bool) -> str:
        asked = self.request
        with tempfile.TemporaryDirectory(dir=self.scratch) as prefix:
            install(Path(prefix), first, asked if recorded else None)
            exported = api.export(prefix=Path(prefix))
        again = parse_environment(exported.text, "exported.yml")
        proof = compare(again, SUBDIR, first, self.locked(again), rules.load())
        return in_words(proof)


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
