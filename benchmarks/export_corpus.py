"""`export` of all of ENVGUARD_TEST_DATA/corpus, in every format: what crashes, is lost, or is not stable?

Of an environment.yml, by three policies: every spec is read by rattler, no package that was asked for is gone
(pip's only where a note says that conda gives it), and the second time brings the very bytes of the first; as
pixi.toml it has the shapes of pixi's schema. Of a lock: the request and every format of exact packages, for
each platform. Exit status 1 where anything of that does not hold.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name
from rattler import MatchSpec

from benchmarks.loopback import DATA
from envguard import api
from envguard.api.exporting import PIXI_TOML, REQUIREMENTS, Exported
from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.pip_lines import requirement_name
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.cleaning import Pin, Policy
from envguard.model.environment import Environment
from envguard.model.rendering import RenderKind
from tests.pixi_manifest import mistakes

Check = Callable[[Path, Path, Counter[str]], Iterator[str]]
POLICIES = (Policy(), Policy(Pin.NONE, "urls"), Policy(Pin.EXACT, "conda-forge"))


def main() -> int:
    started, counts, wrong = time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted((DATA / "corpus").glob("*/*.yml")):
            check = lock_problems if path.parent.name == "locks" else file_problems
            problems = list(told(check, path, Path(scratch), counts))
            wrong += bool(problems)
            for problem in problems:
                print(f"{path.name}: {problem}")
    for what, count in counts.items():
        print(f"{count:>6}  {what}")
    print(f"{wrong} files with a problem, {time.monotonic() - started:.0f} s")
    return int(wrong > 0)


def told(check: Check, path: Path, scratch: Path, counts: Counter[str]) -> Iterator[str]:
    try:
        yield from check(path, scratch, counts)
    except InputError:
        counts[f"refused with a reason, of {path.parent.name}"] += 1
    except Exception as error:  # what this is for
        yield f"CRASHED: {type(error).__name__}: {error}"


def file_problems(path: Path, scratch: Path, counts: Counter[str]) -> Iterator[str]:
    before = parse_environment(path.read_text(), path.name)
    counts["environment.yml files"] += 1
    for policy in POLICIES:
        exported = api.export(str(path), policy=policy)
        counts["cleaned, read again and cleaned again"] += 1
        yield from request_problems(exported, before)
        again = scratch / path.name
        again.write_bytes(exported.text.encode())
        if api.export(str(again), policy=policy).text != exported.text:
            yield f"{policy}: cleaned twice it is another file"
    yield from mistakes(tomllib.loads(api.export(str(path), format_=PIXI_TOML).text))
    api.export(str(path), format_=REQUIREMENTS)
    counts["as pixi.toml and as requirements"] += 1


def request_problems(exported: Exported, before: Environment) -> Iterator[str]:
    after = parse_environment(exported.text, "exported.yml")
    kept = [MatchSpec(line.spec) for line in after.dependencies]
    asked = {MatchSpec(line.spec).name.normalized for line in before.dependencies}
    if lost := asked - {spec.name.normalized for spec in kept}:
        yield f"lost: {', '.join(sorted(lost))}"
    names = {requirement_name(line.spec) for line in after.pip}
    for line in before.pip:
        name = requirement_name(line.spec)
        answered = any(
            note == f"pip's {line.spec}: left out, conda gives it" for note in exported.notes
        )
        if name is not None and canonicalize_name(name) not in names and not answered:
            yield f"pip's {line.spec} is lost, and nothing says so"


def lock_problems(path: Path, scratch: Path, counts: Counter[str]) -> Iterator[str]:
    del scratch
    lock = parse_conda_lock(path.read_text(), path.name)
    counts["locks"] += 1
    for line in parse_environment(api.export(str(path)).text, path.name).dependencies:
        MatchSpec(line.spec)
    for kind in RenderKind:
        for platform in lock.platforms:
            if not api.export(str(path), format_=kind, platforms=(platform,)).text:
                yield f"{kind} for {platform} is empty"
            counts["files of exact packages"] += 1


if __name__ == "__main__":
    sys.exit(main())
