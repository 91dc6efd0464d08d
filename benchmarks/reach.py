"""Which functions each test calls, and a run of chosen tests in a chosen order: for mutants.py.

`python reach.py measure FILE TEST...` runs the tests and writes, for each, how long it took and which
functions of the package it entered; `python reach.py run FILE` runs the tests that FILE lists, in that
order, until one fails.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType

import pytest

PACKAGE = Path.cwd() / "envguard"


class Measured:
    """A plugin: what each test entered, fixtures that are set up for it included."""

    def __init__(self) -> None:
        self.tests: dict[str, dict[str, object]] = {}
        self._ours: dict[CodeType, str | None] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        entered: set[str] = set()

        def watch(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                name = self._name(frame.f_code)
                if name is not None:
                    entered.add(name)

        started = time.perf_counter()
        sys.setprofile(watch)
        try:
            yield
        finally:
            sys.setprofile(None)
        seconds = time.perf_counter() - started
        self.tests[item.nodeid] = {"seconds": seconds, "entered": sorted(entered)}

    def _name(self, code: CodeType) -> str | None:
        """`checks/arch.py:check_architectures` for code of the package."""
        if code not in self._ours:
            path = Path(code.co_filename)
            inside = path.is_relative_to(PACKAGE)
            name = f"{path.relative_to(PACKAGE).as_posix()}:{code.co_qualname}" if inside else None
            self._ours[code] = name
        return self._ours[code]


class Chosen:
    """A plugin: only these tests, in this order."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._place = {test: place for place, test in enumerate(wanted)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._place]
        items.sort(key=lambda item: self._place[item.nodeid])


def main(action: str, file: str, *tests: str) -> int:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    if action == "measure":
        measured = Measured()
        code = pytest.main([*quiet, *tests], plugins=[measured])
        Path(file).write_text(json.dumps(measured.tests), encoding="utf-8")
        return int(code)
    wanted = json.loads(Path(file).read_text(encoding="utf-8"))
    files = dict.fromkeys(test.partition("::")[0] for test in wanted)
    return int(pytest.main([*quiet, "-x", *files], plugins=[Chosen(wanted)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
