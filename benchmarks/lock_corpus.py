"""`lock` of every environment.yml of ENVGUARD_TEST_DATA/corpus for one machine: how each ends, counted.

The channels are the real records there, a part of each channel, read over loopback http; what they lack is
counted as such, and a channel that is not there at all is an empty one. Every lock that is written is read by
conda-lock's own parser (where it is installed), and its explicit and pixi renders by rattler.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from loopback import DATA, Quiet, served

from envguard import api
from envguard.errors import EnvguardError, InputError, UnavailableError, UnsatisfiableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.channel import channel_urls
from envguard.model.conda import parse_match_spec
from envguard.model.rendering import RenderKind

EMPTY = b'{"info": {}, "packages": {}, "packages.conda": {}}'


class OrEmpty(Quiet):
    """What is not there is an index without packages."""

    def send_error(self, code: int, *_: object, **__: object) -> None:
        empty = code == 404 and self.path.endswith("/repodata.json")
        self.send_response(200 if empty else code)
        self.send_header("Content-Length", str(len(EMPTY) if empty else 0))
        self.end_headers()
        if empty:
            self.wfile.write(EMPTY)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--for", dest="target", default="linux-64:a100,driver=570.124.06")
    arguments.add_argument("-v", "--verbose", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch, served(OrEmpty) as url:
        os.environ["ENVGUARD_CACHE_DIR"] = str(Path(scratch, "cache"))
        ends: Counter[str] = Counter()
        for path in sorted((DATA / "corpus" / "environments").iterdir()):
            end = locked(path, Path(scratch), url, options.target)
            ends[end.partition(":")[0]] += 1
            if options.verbose:
                print(f"{path.name}: {end}")
    print(f"{sum(ends.values())} environments for {options.target}")
    for end, number in ends.most_common():
        print(f"{number:>5}  {end}")


def mirrored(channels: Iterable[str], url: str) -> Iterator[tuple[str, str]]:
    """Where each channel is read from; one that there are no records of is read from an empty place."""
    for channel in ("conda-forge", "defaults", *channels):
        for canonical in channel_urls(channel, subdir="linux-64"):
            name = canonical.rstrip("/").rpartition("/")[2]
            here = (DATA / "channels" / name).is_dir()
            yield canonical, f"{url}/{name if here else 'empty/' + name}"


def locked(path: Path, scratch: Path, url: str, target: str) -> str:
    """How one file ends, in words that can be counted."""
    output = scratch / "conda-lock.yml"
    try:
        environment = parse_environment(path.read_text(errors="replace"), path.name)
        selected = environment.for_subdir("linux-64")
        named = [parse_match_spec(line.spec).channel for line in selected.dependencies]
        channels = [*environment.channels, *(c for c in named if c is not None)]
        api.lock(
            path,
            api.LockOptions(
                output=output,
                targets=(target,),
                platforms=("linux-64",),
                mirrors=dict(mirrored(channels, url)),
                renders=(RenderKind.EXPLICIT, RenderKind.PIXI),
            ),
        )
        return read_back(output)
    except InputError as error:
        return f"input refused: {error.message}"
    except UnsatisfiableError as error:
        told = " | ".join(error.problems)
        if re.search(r"no channel has a package|has no package", told):
            return f"a package that is not in the data: {told}"
        if "matches no" in told:
            return f"a version that is not in the data: {told}"
        return f"{error.message}: {told}"
    except UnavailableError as error:
        return f"the outside: {error.message}"
    except EnvguardError as error:
        return f"{type(error).__name__}: {error.message}"
    except Exception as error:  # what this is for
        return f"CRASHED: {type(error).__name__}: {error}"


def read_back(lock: Path) -> str:
    """Read what was written by other tools' own readers."""
    from rattler import LockFile, MatchSpec

    LockFile.from_path(lock.parent / "pixi.lock")
    for line in (lock.parent / "conda-linux-64.lock").read_text().splitlines():
        if line.startswith("https://"):
            MatchSpec(line.partition("#")[0])
    try:
        from conda_lock.lockfile import parse_conda_lock_file
    except ImportError:
        return "locked, without conda-lock to read it"
    parse_conda_lock_file(lock)
    return "locked, and read by conda-lock and rattler"


if __name__ == "__main__":
    sys.exit(main())
