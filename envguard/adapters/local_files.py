"""Files of this machine that a lock names: local wheels and archives of the pip section."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envguard.errors import UnavailableError
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager
from envguard.model.pip_source import located


def digests(lockfile: Lockfile, folder: Path) -> dict[str, str | None]:
    """The sha256 that each local file has now, by its URL in the lock; None = it is not there.

    Paths of the lock are relative to `folder`. Raises UnavailableError for a file that cannot be read.
    """
    found: dict[str, str | None] = {}
    absolute = located(lockfile, folder.resolve())
    for said, there in zip(lockfile.packages, absolute.packages, strict=True):
        record = said.record
        if (
            record.manager is Manager.PIP
            and record.sha256
            and (record.url or "").startswith("file:")
        ):
            path = Path(unquote(urlsplit(there.record.url or "").path))
            found[record.url or ""] = _sha256(path)
    return found


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
