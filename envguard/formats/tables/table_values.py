"""What the cells of rules/tables/*.yaml can hold, and where a row says that it was read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from envguard.formats.strict_yaml import (
    Keys,
    as_capability,
    as_dotted,
    as_pattern,
    as_text,
    as_texts,
)
from envguard.model.architecture import Architecture
from envguard.model.origin import Origin
from envguard.model.version import ComputeCapability, Dotted

OS = ("linux", "win")
_ARCHITECTURE = re.compile(r"(\d+\.\d)([af]?)(\+PTX)?")
_NO_VERSION = Dotted((0,), "0")
_NO_CAPABILITY = ComputeCapability(0, 0)
as_date = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one file. Called with a row, it is the row's Origin; a row without one is refused."""

    by_name: Mapping[str, str]
    collected: str

    def __call__(self, row: Keys) -> Origin:
        """Where `row` was read: a key of `sources`, or a URL. Reads the last keys of the row.

        What was read in a package's metadata says `PyPI, what, when`.
        """
        written = row.text("source")
        source = self.by_name.get(written, written)
        if written and written not in self.by_name and "://" not in written:
            row.problem("source", f"{written!r} is neither in `sources` nor a URL")
        elif written and "://" not in source and not source.startswith("PyPI"):
            row.problem(
                "source", f"{source!r} cannot be opened: a URL is needed, or what PyPI says"
            )
        date = row.optional("date", as_date) or self.collected
        confidence = row.choice("confidence", ("high", "medium", "low"), "high")
        row.done()
        return Origin(source, date, confidence)


def dotted(row: Keys, key: str) -> Dotted:
    """A version that has to be there."""
    return row.read(key, as_dotted, _NO_VERSION)


def capability(row: Keys, key: str) -> ComputeCapability:
    """A compute capability that has to be there."""
    return row.read(key, as_capability, _NO_CAPABILITY)


def several_dotted(value: object) -> tuple[Dotted, ...]:
    """One version, or a list of them."""
    return tuple(Dotted.parse(text) for text in as_texts(value))


def cuda_or_cpu(value: object) -> Dotted | None:
    """None for `cpu`."""
    return None if value == "cpu" else as_dotted(value)


def architectures(value: object) -> tuple[Architecture, ...]:
    """`7.5 9.0a 12.0+PTX`."""
    found = []
    for word in as_text(value).split():
        match = _ARCHITECTURE.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is no architecture such as 9.0, 9.0a or 12.0+PTX")
        found.append(Architecture(ComputeCapability.parse(match[1]), bool(match[3]), match[2]))
    return tuple(found)
