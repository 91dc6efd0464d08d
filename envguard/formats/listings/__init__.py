"""Files and texts of other tools that list packages."""

from __future__ import annotations

import re
from dataclasses import replace

from envguard.errors import InputError
from envguard.formats.listings.collect_env import is_collect_env, parse_collect_env
from envguard.formats.listings.conda_list import is_conda_list, parse_conda_list
from envguard.formats.listings.explicit import is_explicit, parse_explicit
from envguard.formats.listings.pip_text import parse_pip_text
from envguard.formats.listings.pixi_lock import is_pixi_lock, parse_pixi_lock
from envguard.formats.listings.python_locks import is_python_lock, parse_python_lock
from envguard.model.listing import Listing

_PIP_NAME = re.compile(
    r"(^|[/._-])(requirements|constraints|freeze)[^/]*\.(txt|in)\Z", re.IGNORECASE
)
_PIP_LINES = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?\s*(===?|@ )", re.MULTILINE)


MOST_PACKAGES = 20_000
"""On one platform; ten times the largest environment that is known."""


def parse_listing(text: str, path: str) -> tuple[Listing, ...] | None:
    """The listings in a text, told by what it looks like; None where it looks like none of them.

    A package that is listed again in the same words is one package. Raises InputError for a listing that
    is damaged, and for more than MOST_PACKAGES.
    """
    listings = _parsed(text, path)
    return None if listings is None else tuple(_bounded(listing, path) for listing in listings)


def _bounded(listing: Listing, path: str) -> Listing:
    records = {subdir: tuple(dict.fromkeys(found)) for subdir, found in listing.records.items()}
    most = max(map(len, records.values()), default=0)
    if most > MOST_PACKAGES:
        raise InputError(
            f"{path}: a {listing.kind} of {most:,} packages; at most {MOST_PACKAGES:,} are judged",
            hint="check what was installed: envguard check -p PREFIX",
        )
    return replace(listing, records=records)


def _parsed(text: str, path: str) -> tuple[Listing, ...] | None:
    if is_collect_env(text):
        return (parse_collect_env(text),)
    if is_explicit(text):
        return (parse_explicit(text, path),)
    if is_conda_list(text):
        return (parse_conda_list(text, path),)
    if is_pixi_lock(text, path):
        return parse_pixi_lock(text, path)
    if is_python_lock(text, path):
        return (parse_python_lock(text, path),)
    if _PIP_NAME.search(path) or _looks_frozen(text):
        return (parse_pip_text(text, path),)
    return None


def _looks_frozen(text: str) -> bool:
    """Most lines pin a distribution, as `pip freeze` writes them."""
    lines = [line for line in text.splitlines() if line.strip() and line[0] not in "#-"]
    return bool(lines) and len(_PIP_LINES.findall(text)) * 2 > len(lines)


def expect_packages(listing: Listing, path: str) -> Listing:
    """`listing`, or InputError where it names no package at all."""
    if not any(listing.records.values()):
        raise InputError(f"{path}: a {listing.kind} without a single package")
    return listing
