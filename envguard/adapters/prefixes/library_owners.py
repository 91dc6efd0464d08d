"""Who brought which library, for all libraries of a process at once: the records are read one time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from envguard.adapters.prefixes.owners import owner_of
from envguard.model.loaded import Loaded, LoadedLibrary, OwnCopy
from envguard.model.probe import Owner, OwnerKind

LIBRARY = ".so"


def with_owners(loaded: Loaded, prefix: Path, environment: Mapping[str, str]) -> Loaded:
    """The same with the owner of each library, and the prefix's own copies of those from elsewhere."""
    index = dict(_libraries_of(prefix))
    libraries = tuple(_owned(lib, index, prefix, environment) for lib in loaded.libraries)
    inside = (OwnerKind.CONDA, OwnerKind.WHEEL)
    foreign = {lib.name for lib in libraries if lib.owner and lib.owner.kind not in inside}
    own = {
        path.name: OwnCopy(str(path), owner)
        for path, owner in index.items()
        if path.name in foreign and path.exists()
    }
    return replace(loaded, libraries=libraries, own=own)


def _owned(
    library: LoadedLibrary,
    index: Mapping[Path, Owner],
    prefix: Path,
    environment: Mapping[str, str],
) -> LoadedLibrary:
    path = Path(library.path)
    owner = index.get(path) or index.get(path.resolve())
    if owner is None and any(path.is_relative_to(top) for top in (prefix, prefix.resolve())):
        owner = Owner(OwnerKind.OUTSIDE, f"no package of {prefix}")
    return replace(library, owner=owner or owner_of(path, prefix, environment))


def _libraries_of(prefix: Path) -> Iterator[tuple[Path, Owner]]:
    """The shared libraries of all packages; under the path that links lead to, too."""
    top = prefix.resolve()
    for name, owner in (*_of_conda(prefix), *_of_wheels(prefix)):
        path = prefix / name
        yield path, owner
        yield top / name, owner
        if path.is_symlink():
            yield path.resolve(), owner


def _of_conda(prefix: Path) -> Iterator[tuple[str, Owner]]:
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            told = json.loads(record.read_bytes())
            owner = Owner(OwnerKind.CONDA, f"{told['name']} {told['version']}")
            files = told["files"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            continue  # what cannot be read owns nothing
        yield from ((name, owner) for name in _libraries(files))


def _of_wheels(prefix: Path) -> Iterator[tuple[str, Owner]]:
    for record in sorted(prefix.glob("lib*/python3*/site-packages/*.dist-info/RECORD")):
        site = record.parent.parent.relative_to(prefix)
        folder = record.parent.name.removesuffix(".dist-info")
        distribution, _, version = folder.rpartition("-")
        owner = Owner(OwnerKind.WHEEL, f"{distribution.replace('_', '-')} {version}")
        try:
            lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for name in _libraries(line.partition(",")[0] for line in lines):
            if not name.startswith(("/", "../")):
                yield f"{site.as_posix()}/{name}", owner


def _libraries(files: Iterable[object]) -> Iterator[str]:
    return (name for name in files if isinstance(name, str) and LIBRARY in name.rpartition("/")[2])
