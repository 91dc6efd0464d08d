"""Which functions each test calls, and runs of chosen tests in a chosen order: for mutants.py.

`python reach.py measure FILE TEST...` runs the tests and writes, for each, how long it took and which
functions of the package it entered; those that FILE has already are not run again. `python reach.py run
FILE` runs the tests that FILE lists, in that order, until one fails. `python reach.py each FILE TEST...`
collects the tests once, and does the same in a forked child for each line of FILE, in which one function
has another body: a line `survived NUMBER` or `noticed NUMBER` for each is added to FILE.out, or `not tried
NUMBER` where that body does not fit.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

PACKAGE = Path.cwd() / "envguard"
_SURVIVED, _NOTICED, _NOT_TRIED = 0, 1, 2


def _name(code: CodeType) -> str | None:
    """`checks/arch.py:check_architectures` for code of the package."""
    path = Path(code.co_filename)
    inside = path.is_relative_to(PACKAGE)
    return f"{path.relative_to(PACKAGE).as_posix()}:{code.co_qualname}" if inside else None


class Measured:
    """A plugin: what each test entered, fixtures that are set up for it included."""

    def __init__(self, known: dict[str, dict[str, object]]) -> None:
        self.tests = known
        self._ours: dict[CodeType, str | None] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        there = {item.nodeid for item in items}
        self.tests = {test: said for test, said in self.tests.items() if test in there}
        items[:] = [item for item in items if item.nodeid not in self.tests]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        entered: set[str] = set()

        def watch(frame: FrameType, *_: object) -> None:
            if frame.f_code not in self._ours:
                self._ours[frame.f_code] = _name(frame.f_code)
            name = self._ours[frame.f_code]
            if name is not None:
                entered.add(name)

        started = time.perf_counter()
        sys.settrace(watch)
        try:
            yield
        finally:
            sys.settrace(None)
        seconds = time.perf_counter() - started
        self.tests[item.nodeid] = {"seconds": seconds, "entered": sorted(entered)}


class Chosen:
    """A plugin: only these tests, in this order."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._place = {test: place for place, test in enumerate(wanted)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._place]
        items.sort(key=lambda item: self._place[item.nodeid])


class Forked:
    """A plugin: nothing runs in this process; a child for each job runs the job's tests."""

    def __init__(self, jobs: Path) -> None:
        self._jobs = [json.loads(line) for line in jobs.read_text(encoding="utf-8").splitlines()]
        self._out = jobs.with_name(f"{jobs.name}.out")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        words = {_SURVIVED: "survived", _NOT_TRIED: "not tried"}
        for number, job in enumerate(self._jobs):
            child = os.fork()
            if child == 0:
                os._exit(_tried(session, job))
            _, status = os.waitpid(child, 0)
            word = words.get(os.waitstatus_to_exitcode(status), "noticed")
            with self._out.open("a", encoding="utf-8") as out:
                out.write(f"{word} {number}\n")
        return True


def _tried(session: pytest.Session, job: Mapping[str, Any]) -> int:
    """Run the job's tests until one fails; by SIGALRM where they take too long."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    if not _put(Path.cwd() / job["path"], job["function"], job["text"]):
        return _NOT_TRIED
    signal.alarm(int(job["timeout_s"]))
    by_id = {item.nodeid: item for item in session.items}
    items = [by_id[test] for test in job["tests"]]
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return _NOTICED
    return _SURVIVED


def _put(path: Path, function: str, text: str) -> bool:
    """Give every function that was made of this definition the body that it has in `text`."""
    codes = [c for c in _codes(compile(text, str(path), "exec")) if c.co_qualname == function]
    found = [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, FunctionType)
        and thing.__code__.co_filename == str(path)
        and thing.__code__.co_qualname == function
    ]
    if len(codes) != 1 or not found:
        return False
    for thing in found:
        try:
            thing.__code__ = codes[0]
        except ValueError:  # it closes over other variables
            return False
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def main(action: str, file: str, *tests: str) -> int:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    if action == "measure":
        known = json.loads(Path(file).read_text(encoding="utf-8")) if Path(file).is_file() else {}
        measured = Measured(known)
        code = pytest.main([*quiet, *tests], plugins=[measured])
        Path(file).write_text(json.dumps(measured.tests), encoding="utf-8")
        return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else int(code)
    if action == "each":
        return int(pytest.main([*quiet, "-s", *tests], plugins=[Forked(Path(file))]))
    wanted = json.loads(Path(file).read_text(encoding="utf-8"))
    files = dict.fromkeys(test.partition("::")[0] for test in wanted)
    return int(pytest.main([*quiet, "-x", *files], plugins=[Chosen(wanted)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
