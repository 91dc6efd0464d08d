"""A second opinion on EG101, EG105 and EG201: NVIDIA's rules once more, by a reader of its own.

It shares no code with envguard: versions are tuples, tables are the plain YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.properties.versions import Numbers, capability, in_range, numbers

TABLES = Path(__file__).resolve().parents[2] / "rules" / "tables"
READ = (
    "driver_branches",
    "driver_cards",
    "driver_floors",
    "gpus",
    "toolkit_architectures",
    "torch_builds",
)
WORST = ("fail", "unknown", "warn", "pass")


@dataclass(frozen=True)
class Build:
    """A CUDA build of PyTorch."""

    channel: str
    subdir: str
    torch: str
    cuda: str


@dataclass(frozen=True)
class Host:
    """`driver`: a version, None (not observed), `absent` or `any`. `cards`: None = capability unknown."""

    driver: str | None
    driver_cuda: str | None
    cards: tuple[str | None, ...]
    windows: bool


class Oracle:
    """The tables, read once."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        for name in READ:
            text = (TABLES / f"{name}.yaml").read_text(encoding="utf-8")
            document = yaml.load(text, yaml.CSafeLoader)
            self.tables |= {key: rows for key, rows in document.items() if isinstance(rows, list)}
        jetsons = [row for row in self.tables["gpus"] if row["kind"] == "jetson"]
        self.jetson = {capability(row["compute_capability"]) for row in jetsons}
        self.lists = {
            (row["channel"], row["subdir"], row["torch"], cuda): row
            for row in reversed(self.tables["torch_builds"])
            for cuda in row["cuda"]
        }

    def builds(self) -> list[Build]:
        """Every tabled build, at the ends of its range of versions."""
        found = []
        for channel, subdir, spec, cuda in self.lists:
            tried = [*re.findall(r"[\d.]+\d", spec), "1.8.1", "2.0.1", "2.5.1", "2.13.0"]
            versions = [v if v.count(".") > 1 else f"{v}.0" for v in tried]
            found += [Build(channel, subdir, v, cuda) for v in versions if in_range(v, spec)]
        return list(dict.fromkeys(found))

    def verdict(self, build: Build, host: Host) -> str:
        """The worst of the three answers."""
        answers = {self.driver_floor(build, host), *self.cards(host), *self.code(build, host)}
        return min(answers, key=WORST.index)

    def driver_floor(self, build: Build, host: Host) -> str:
        row = self.floor(build.cuda, windows=host.windows)
        if host.driver == "absent":
            return "fail"
        if host.driver is None and host.driver_cuda is None:
            return "unknown"
        if row is None:
            return "unknown"
        if host.driver == "any":
            return self._any_driver(row, host)
        return {True: "pass", False: "fail", None: "unknown"}[self._reaches(row, host)]

    def _reaches(self, row: dict[str, Any], host: Host) -> bool | None:
        tegra = self._tegra(host)
        says: set[bool] = set()
        if host.driver is not None and not tegra:
            have = numbers(host.driver)
            if have >= numbers(row["driver"]):
                says.add(True)
            elif have < numbers(row.get("disputed_from", row["driver"])):
                says.add(False)
        if host.driver_cuda is not None:
            reported = numbers(host.driver_cuda)
            if reported >= numbers(row["cuda"] if tegra else row["driver_cuda"]):
                says.add(True)
            elif reported < numbers(row.get("reports", row["cuda"])):
                says.add(False)
        return says.pop() if len(says) == 1 else None

    def _any_driver(self, row: dict[str, Any], host: Host) -> str:
        lowest: Numbers = numbers(row["driver"])
        ceiling: Numbers = (9999,)
        for card in self._known(host):
            if card in self.jetson:
                continue
            lowest = max([lowest, *(numbers(r["driver"]) for r in self._firsts(card))])
            ceiling = min([ceiling, *(numbers(r["driver"]) for r in self._drops(card))])
        return "fail" if ceiling <= lowest else "pass"

    def cards(self, host: Host) -> Iterator[str]:
        """Whether the driver knows each card: still, and already."""
        if host.driver in ("absent", "any") or (host.driver, host.driver_cuda) == (None, None):
            return
        for card in self._known(host):
            if card in self.jetson:
                continue
            gone = [self._since(row["driver"], host) for row in self._drops(card)]
            here = [self._since(row["driver"], host) for row in self._firsts(card)]
            if True in gone or (False in here and None not in gone):
                yield "fail"
            elif None in gone or None in here:
                yield "unknown"
            else:
                yield "pass"

    def _since(self, driver: str, host: Host) -> bool | None:
        says: set[bool] = set()
        if host.driver is not None:
            says.add(numbers(host.driver) >= numbers(driver))
        rows = [
            r for r in self.tables["driver_branches"] if r["branch"] == int(driver.split(".")[0])
        ]
        if host.driver_cuda is not None and rows:
            says.add(numbers(host.driver_cuda) >= min(numbers(row["cuda"]) for row in rows))
        return says.pop() if len(says) == 1 else None

    def code(self, build: Build, host: Host) -> Iterator[str]:
        """Machine code, else PTX, else nothing; one answer for each card."""
        if host.driver == "absent" or not host.cards:
            return
        row = next(
            r
            for (channel, subdir, spec, cuda), r in self.lists.items()
            if (channel, subdir, cuda) == (build.channel, build.subdir, build.cuda)
            and in_range(build.torch, spec)
        )
        for card in host.cards:
            yield "unknown" if card is None else self._code_for(row, build, capability(card), host)

    def _code_for(
        self, row: dict[str, Any], build: Build, card: tuple[int, int], host: Host
    ) -> str:
        words = row["architectures"].split()
        if any(self._runs(word, card) for word in words):
            return "pass"
        ptx = [word for word in words if word.endswith("+PTX")]
        if any(capability(word[:-4]) <= card for word in ptx):
            return self._compiled(build, card, host)
        doubted = any(self._runs(word, card) for word in row.get("uncertain", "").split())
        related = any(self._runs(word, card, exact=False) for word in words)
        return "unknown" if doubted or (card in self.jetson and related) else "fail"

    def _runs(self, word: str, card: tuple[int, int], *, exact: bool | None = None) -> bool:
        word = word.removesuffix("+PTX")
        built = capability(word.rstrip("a"))
        if word.endswith("a") or (exact is None and card in self.jetson):
            return built == card
        return built[0] == card[0] and built[1] <= card[1]

    def _compiled(self, build: Build, card: tuple[int, int], host: Host) -> str:
        for row in self.tables["toolkit_architectures"]:
            too_old = numbers(build.cuda) < numbers(row["first"])
            if capability(row["compute_capability"]) == card and too_old:
                return "unknown"
        if host.driver == "any":
            return "warn"
        knows = self._driver_cuda(host)
        if knows is None:
            return "unknown"
        return "warn" if knows >= numbers(build.cuda) else "fail"

    def _driver_cuda(self, host: Host) -> Numbers | None:
        if host.driver_cuda is not None:
            return numbers(host.driver_cuda)
        if host.driver is None or self._tegra(host):
            return None
        os = "win" if host.windows else "linux"
        reached = [
            row
            for row in self.tables["driver_branches"]
            if row["os"] == os and numbers(row["first"]) <= numbers(host.driver)
        ]
        newest = max(reached, key=lambda row: numbers(row["first"]), default=None)
        return numbers(newest["cuda"]) if newest else None

    def floor(self, cuda: str, *, windows: bool) -> dict[str, Any] | None:
        for row in self.tables["driver_floors"]:
            fits = numbers(row["cuda"]) <= numbers(cuda) < numbers(row["before"])
            if row["os"] == ("win" if windows else "linux") and fits:
                return row
        return None

    def _known(self, host: Host) -> list[tuple[int, int]]:
        return [capability(card) for card in host.cards if card is not None]

    def _tegra(self, host: Host) -> bool:
        return any(card in self.jetson for card in self._known(host))

    def _drops(self, card: tuple[int, int]) -> list[dict[str, Any]]:
        rows = self.tables["driver_drops"]
        return [r for r in rows if capability(r["from"]) <= card < capability(r["below"])]

    def _firsts(self, card: tuple[int, int]) -> list[dict[str, Any]]:
        rows = self.tables["driver_firsts"]
        return [r for r in rows if capability(r["compute_capability"]) == card]
