"""Dotted numbers as NVIDIA and glibc write them: 570.124.06, 12.8, 2.28."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_DOTTED = re.compile(r"\d+(\.\d+)*\Z")


@dataclass(frozen=True, order=True, slots=True)
class Dotted:
    """A version made of numbers only; compares as numbers, prints as it was written.

    Trailing zeros do not count: 580 equals 580.0. Not for conda or PEP 440 versions.
    """

    parts: tuple[int, ...]
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Dotted:
        """Read `text`; raises ValueError when it is not numbers and dots."""
        text = text.strip()
        if not _DOTTED.match(text):
            raise ValueError(f"{text!r} is not a version of numbers and dots")
        parts = [int(part) for part in text.split(".")]
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        return cls(tuple(parts), text)

    @property
    def major(self) -> int:
        return self.parts[0]

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, order=True, slots=True)
class ComputeCapability:
    """What NVIDIA calls the generation of a GPU: 9.0 is sm_90."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> ComputeCapability:
        """Read '9.0', 'sm_90' or 'compute_120'; raises ValueError otherwise."""
        text = text.strip().lower()
        if match := re.fullmatch(r"(\d+)\.(\d)", text):
            return cls(int(match[1]), int(match[2]))
        if match := re.fullmatch(r"(?:sm|compute)_(\d+)(\d)", text):
            return cls(int(match[1]), int(match[2]))
        raise ValueError(f"{text!r} is not a compute capability such as 8.6 or sm_86")

    @property
    def sm(self) -> str:
        return f"sm_{self.major}{self.minor}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"
