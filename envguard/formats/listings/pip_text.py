"""requirements.txt and the output of `pip freeze`."""

from __future__ import annotations

import re

from envguard.model.listing import Listing
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import without_credentials

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*(?P<version>[\w.+!-]+)\s*(?:;|\s#|\s--|\\|\Z)"
)
_AT_URL = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*@\s*(?P<url>\S+)")
_FILE = re.compile(
    r"/[A-Za-z0-9._]+-(?P<version>[^-/]+)-[^/]*\.whl|/[A-Za-z0-9._-]+-(?P<source>\d[^-/]*)\.(?:tar\.gz|zip)(?:#|\Z)"
)
_SHA256 = re.compile(r"[#&]sha256=([0-9a-f]{64})")


def parse_pip_text(text: str, path: str) -> Listing:
    """The distributions that are pinned exactly; `complete` where every line pins one.

    Options, ranges and markers leave open what will be installed: then the listing is not complete.
    """
    from envguard.formats.listings import expect_packages

    stripped = (line.strip() for line in text.replace("\\\n", " ").splitlines())
    lines = list(
        dict.fromkeys(stripped)
    )  # a file of millions of lines may be one line again and again
    lines = [line for line in lines if line and not line.startswith("#")]
    found = [_record(line) for line in lines if not line.startswith("--hash")]
    records = tuple(record for record in found if record is not None)
    complete = len(records) == len(found) and not any(";" in line for line in lines)
    listing = Listing("pip", {None: records}, complete=complete)
    return listing if found and not records else expect_packages(listing, path)


def _record(line: str) -> PackageRecord | None:
    if match := _PINNED.match(line):
        return PackageRecord(match["name"], match["version"].replace("%2B", "+"), Manager.PIP)
    if match := _AT_URL.match(line):
        url = without_credentials(match["url"])
        file, digest = _FILE.search(url.replace("%2B", "+")), _SHA256.search(url)
        if file is not None:
            return PackageRecord(
                match["name"],
                file["version"] or file["source"],
                Manager.PIP,
                url=url,
                sha256=digest[1] if digest else None,
            )
    return None
