"""The pip part of a lock as a pylock.toml (PEP 751, https://packaging.python.org/specifications/pylock-toml/)."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from envguard.formats.renders.pip_lines import has_digest, is_repository
from envguard.formats.renders.wording import HEADER, counted, named
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind
from envguard.model.secrets import without_credentials
from envguard.model.subdir import environment_marker

_COMMIT = re.compile(r"git\+(?P<url>.+)@(?P<commit>[0-9a-f]{40})(?:#(?P<fragment>.*))?\Z")
_SUBDIRECTORY = re.compile(r"(?:^|&)subdirectory=([^&]*)")


def render_pylock(lockfile: Lockfile, subdir: str) -> Rendered:
    """The pip packages of `subdir`; one without a hash and without a commit has no place in the format."""
    records = lockfile.records_for(subdir)
    pip = sorted((r for r in records if r.manager is Manager.PIP), key=lambda r: r.name)
    sources = [(record, _source(record)) for record in pip]
    left_out = [record for record, source in sources if source is None]
    notes = [f"{subdir}: not in it: {counted(len(records) - len(pip), 'conda package')}"]
    if not pip:
        notes = [f"{subdir}: no pip package is locked, so there is nothing in it"]
    if left_out:
        notes.append(
            f"{subdir}: a pylock.toml wants a hash of each file: left out {named(left_out)}"
        )
    head = [
        'lock-version = "1.0"',
        *_environments(subdir),
        *_requires_python(records),
        'created-by = "conda-envguard"',
    ]
    body = [_entry(record, source) for record, source in sources if source is not None]
    text = HEADER + "\n".join(head) + "\n" + ("".join(body) or "packages = []\n")
    return Rendered(RenderKind.PYLOCK, subdir, text, tuple(notes))


def _environments(subdir: str) -> list[str]:
    marker = environment_marker(subdir)
    return [f"environments = [{_text(marker)}]"] if marker is not None else []


def _requires_python(records: tuple[PackageRecord, ...]) -> list[str]:
    """The minor version that the packages were chosen for."""
    python = next((r.version for r in records if r.name == "python"), "")
    minor = re.match(r"\d+\.\d+", python)
    return [f'requires-python = "=={minor[0]}.*"'] if minor else []


def _entry(record: PackageRecord, source: str) -> str:
    """A version only where a file holds it: what a commit builds may name itself otherwise."""
    version = [] if is_repository(record) else [f"version = {_text(record.version)}"]
    lines = [
        "",
        "[[packages]]",
        f"name = {_text(canonicalize_name(record.name))}",
        *version,
        source,
    ]
    return "\n".join(lines) + "\n"


def _source(record: PackageRecord) -> str | None:
    url = without_credentials(record.url or "")
    if match := _COMMIT.match(url):
        inside = _SUBDIRECTORY.search(match["fragment"] or "")
        fields = {"type": "git", "url": match["url"], "commit-id": match["commit"]}
        return f"vcs = {_table(fields | ({'subdirectory': inside[1]} if inside else {}))}"
    if not url or not has_digest(record):
        return None
    url, _, fragment = url.partition("#")
    inside = _SUBDIRECTORY.search(fragment)
    file = unquote(url.rpartition("/")[2])
    fields = {"name": file, "url": url}
    hashes = f"hashes = {_table({'sha256': record.sha256 or ''})}"
    if file.endswith(".whl"):
        return f"wheels = [{_table(fields, hashes)}]"
    if inside:
        return f"archive = {_table({'url': url, 'subdirectory': inside[1]}, hashes)}"
    return f"sdist = {_table(fields, hashes)}"


def _table(fields: dict[str, str], *more: str) -> str:
    return "{ " + ", ".join([*(f"{k} = {_text(v)}" for k, v in fields.items()), *more]) + " }"


def _text(text: str) -> str:
    """A TOML basic string; JSON's differ in DEL alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
