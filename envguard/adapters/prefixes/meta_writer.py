"""conda-meta of a prefix that stays: records as conda writes them, history, variables, the mark of a half.

rattler leaves out what was asked for and the history, and notes the URLs that files came from: mirrors,
folders that are gone tomorrow, credentials. conda's records: `conda.models.records.PrefixRecord`,
https://github.com/conda/conda/blob/main/conda/models/records.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from envguard import __version__
from envguard.adapters.files import mode_of, write_text
from envguard.adapters.prefixes.conda_meta import HALF, why_unreadable
from envguard.errors import InputError
from envguard.formats.history_writing import (
    NewRevision,
    asked_after,
    dist_string,
    dists_after,
    dump_revision,
    spec_name,
)
from envguard.model.installation import Installation
from envguard.model.package import PackageRecord
from envguard.model.secrets import redacted, without_credentials

_FROM_LOCK = ("name", "version", "build", "depends", "sha256", "md5", "subdir", "size", "fn", "url")
"""Keys that the archive itself does not decide: channels mend dependencies after the fact."""


def mark_half(prefix: Path, lock: str) -> None:
    """Note that an installation is under way; `unmark` takes it back. Raises UnavailableError."""
    meta = prefix / "conda-meta"
    meta.mkdir(exist_ok=True)
    write_text(meta / HALF, json.dumps({"lock": redacted(lock), "envguard": __version__}) + "\n")


def unmark(prefix: Path) -> None:
    """The installation has ended, and everything is in its place."""
    (prefix / "conda-meta" / HALF).unlink(missing_ok=True)


def file_stem(record: PackageRecord) -> str:
    """`numpy-2.1.0-py312_0`, the name of its file in conda-meta."""
    file = (record.url or "").rpartition("/")[2]
    build = record.build or _without_extension(file).rpartition("-")[2]
    return f"{record.name}-{record.version}-{build}"


def complete_records(
    prefix: Path, wanted: Sequence[PackageRecord], linked: Iterable[str], specs: Sequence[str]
) -> Installation:
    """Make the records of `wanted` what conda would have written; `linked` are names of new ones.

    Returns sizes and scripts of the new ones. Raises OSError.
    """
    asked: dict[str, list[str]] = {}
    for spec in specs:
        asked.setdefault(spec_name(spec), []).append(redacted(spec))
    new, size, scripts = set(linked), 0, []
    mode = mode_of(prefix / "conda-meta" / "a new file")  # rattler's are for their owner alone
    for record in wanted:
        path = prefix / "conda-meta" / f"{file_stem(record)}.json"
        data = path.read_bytes()
        told = asked.get(record.name, [])
        if record.name not in new and not told and b'"requested_spec' not in data:
            continue
        entry = json.loads(data)
        if record.name in new:
            entry = _completed(entry, record)
            size += sum(int(p.get("size_in_bytes") or 0) for p in entry["paths_data"]["paths"])
            if f"bin/.{record.name}-post-link.sh" in entry["files"]:
                scripts.append(record.name)
        elif _requested(entry) == told:
            continue
        for key in ("requested_spec", "requested_specs"):
            entry.pop(key, None)
        if told:
            entry |= {"requested_spec": told[0], "requested_specs": told}
        replace_file(path, _dumped(entry), mode=mode if record.name in new else None)
    return Installation(size, tuple(scripts))


def write_history(
    prefix: Path,
    records: Iterable[PackageRecord],
    specs: Sequence[str],
    *,
    command: str,
    now: datetime,
    channels: Sequence[str] = (),
) -> bool:
    """Add a revision where packages or requests differ from the newest one; returns whether one was added.

    `records` are all conda packages that are there now; `specs` all that was asked for.
    """
    path = prefix / "conda-meta" / "history"
    text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    before, after = dists_after(text), frozenset(map(dist_string, records))
    asked = {spec_name(spec): spec for spec in specs}
    had = asked_after(text.splitlines())
    new = tuple(spec for name, spec in asked.items() if had.get(name) != redacted(spec))
    dropped = tuple(sorted(had.keys() - asked.keys())) if specs else ()
    if text.strip() and before == after and not new and not dropped:
        return False
    revision = NewRevision(
        when=now,
        command=command,
        linked=after - before,
        unlinked=before - after,
        specs=new,
        dropped=dropped,
        version=__version__,
        channels=tuple(channels),
    )
    joint = "" if not text or text.endswith("\n") else "\n"
    write_text(path, text + joint + dump_revision(revision))
    return True


def write_variables(prefix: Path, variables: Mapping[str, str]) -> None:
    """Set these in conda-meta/state, as `conda env config vars set` does; others stay."""
    path = prefix / "conda-meta" / "state"
    if not variables:
        return
    state: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"version": 1}
    there = dict(state.get("env_vars") or {})
    if {**there, **variables} != there:
        state["env_vars"] = {**there, **variables}
        write_text(path, json.dumps(state, ensure_ascii=False))


def files_of(prefix: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Path and content of each record. Raises InputError naming all that cannot be read or trusted."""
    problems: list[str] = []
    seen: dict[str, str] = {}
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            entry = json.loads(path.read_bytes())
            if not isinstance(entry, dict):
                raise ValueError("not a JSON object")
            stem = f"{entry['name']}-{entry['version']}-{entry['build']}"
            files = entry.get("files", [])
            if not isinstance(files, list) or not all(isinstance(f, str) for f in files):
                raise ValueError("`files` is no list of paths")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            problems.append(f"conda-meta/{path.name}: {why_unreadable(error)}")
            continue
        if stem != path.stem:
            problems.append(f"conda-meta/{path.name} holds {stem}, and conda ignores such a file")
        elif entry["name"] in seen:
            problems.append(f"conda-meta/{path.name}: {seen[entry['name']]} is there, too")
        seen[entry["name"]] = path.name
        yield path, entry
    if problems:
        raise InputError(
            f"{prefix}: what is installed there cannot be told, and nothing was changed",
            problems=tuple(problems),
            hint=f"make it anew under another name: envguard install LOCK -p {prefix}-new",
        )


def replace_file(path: Path, text: str, *, mode: int | None = None) -> None:
    """Whole or not at all, without waiting for the disk: the mark says whether all are done.

    `mode` None = that of the file that was there.
    """
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, "utf-8")
    temporary.chmod(path.stat().st_mode & 0o777 if mode is None else mode)
    os.replace(temporary, path)  # noqa: PTH105


def _completed(entry: dict[str, Any], record: PackageRecord) -> dict[str, Any]:
    """The record with what its own index.json says, and where the lock says that it is from."""
    index: dict[str, Any] = {}
    source = entry.get("extracted_package_dir")
    if source and (path := Path(source) / "info" / "index.json").is_file():
        index = json.loads(path.read_bytes())
    own = {k: v for k, v in index.items() if k not in _FROM_LOCK}
    url = without_credentials(record.url or entry["url"])
    entry = {**entry, **own, "url": url, "fn": url.rpartition("/")[2]}
    entry["channel"] = url.rpartition("/")[0].rpartition("/")[0]
    if not record.depends:
        entry["depends"] = index.get("depends", entry.get("depends", []))
    return entry


def _dumped(entry: Mapping[str, Any]) -> str:
    """A key a line, as conda sorts them; readers pass over the long lists without parsing them."""
    if "paths_data" in entry:
        paths = {key: entry["paths_data"].get(key) for key in ("paths", "paths_version")}
        entry = {**entry, "paths_data": paths}
    lines = (
        f"  {json.dumps(k)}: {json.dumps(entry[k], ensure_ascii=False)}" for k in sorted(entry)
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _requested(entry: Mapping[str, Any]) -> list[str]:
    return list(entry.get("requested_specs") or ())


def _without_extension(file: str) -> str:
    return file.removesuffix(".conda").removesuffix(".tar.bz2")
