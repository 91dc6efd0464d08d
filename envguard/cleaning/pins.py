"""Versions by policy, as conda and as pip write them."""

from __future__ import annotations

import re

from envguard.model.cleaning import Pin
from envguard.model.conda import version_matches

_ONE = re.compile(r"={0,2}\s*([\w.+!-]+?)(?:\.?\*)?\Z")
_PLAIN_RELEASE = re.compile(r"\d+(?:\.\d+)*(?:\.post\d+)?\Z")


def minor(version: str) -> str:
    """`2.10` of `2.10.0`; the version itself where it has no more than that."""
    return ".".join(version.split(".")[:2])


def conda_pin(version: str, pin: Pin) -> str | None:
    """A version expression that fits `version`: None, `2.10.*` or `==2.10.0`."""
    if pin is Pin.NONE:
        return None
    if pin is Pin.MINOR:
        series = f"{minor(version)}.*"
        try:
            if version_matches(version, series):
                return series
        except ValueError:
            pass  # a version that conda reads in no other way than as it is
    return f"=={version}"


def pip_pin(version: str, pin: Pin) -> str:
    """A specifier that fits `version`: empty, `==2.10.*` or `==2.10.0`.

    `==X.Y.*` leaves out pre-releases and says nothing of what stands behind `+`, which may be the GPU choice
    (https://packaging.python.org/en/latest/specifications/version-specifiers/): these stay whole.
    """
    if pin is Pin.NONE and "+" not in version:
        return ""
    if pin is Pin.MINOR and _PLAIN_RELEASE.match(version):
        return f"=={minor(version)}.*"
    return f"=={version}"


def single_version(expression: str | None) -> str | None:
    """The version of `==1.26.4`, `1.26.*` or `1.26.4`; None for ranges and alternatives."""
    match = _ONE.match(expression or "")
    return match[1] if match else None


def has_upper_bound(expression: str | None) -> bool:
    """Whether newer versions are left out: by `1.26.*`, `<2`, `~=1.4`, and not by `>=1.24`, `!=1.25`."""
    if expression in (None, "", "*"):
        return False
    alternatives = (expression or "").split("|")
    return all(
        any(not re.match(r"(>=?|!=)", part.strip()) for part in alternative.split(","))
        for alternative in alternatives
    )
