"""What loaded libraries say of an environment: two that clash, strangers, one that is too old. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import combinations, groupby

from envguard.checks.probe_findings import owner_in_words
from envguard.model.knowledge import Knowledge
from envguard.model.loaded import Loaded, LoadedClash, LoadedFamily, LoadedLibrary
from envguard.model.probe import OwnerKind
from envguard.model.report import Finding, Status
from envguard.model.version import Dotted

OPENMP = "OpenMP"
GLIBC = re.compile(
    r"^(lib(c|m|dl|pthread|rt|resolv|util|anl|nsl|crypt|mvec|nss_\w+|BrokenLocale|thread_db)|ld-linux\S*)[.-]"
)
"""The C library and what comes with it: always the system's."""
_WHERE = "/proc/self/maps of a process that imported all frameworks"
SHOWN = 4


def loaded_findings(
    loaded: Loaded, known: Knowledge, *, all_passed: bool = False
) -> tuple[Finding, ...]:
    """An answer to each question. `all_passed`: probes have run with these libraries, all of them well."""
    told = (
        *_openmp(loaded, known, all_passed=all_passed),
        *_twice(loaded, known),
        *_strangers(loaded),
        *_too_old(loaded),
    )
    asked = {"EG730": "one OpenMP runtime", "EG731": "one copy of each CUDA library"}
    asked |= {"EG732": "every library is of the environment", "EG733": "libstdc++ is new enough"}
    answered = {finding.rule for finding in told}
    passed = (
        Finding(rule, Status.PASS, title, evidence=(_WHERE,))
        for rule, title in asked.items()
        if rule not in answered
    )
    return (*told, *passed)


def not_observed(reason: str) -> Finding:
    """Where the process that was to be looked at did not live long enough, and no other died."""
    return Finding("EG732", Status.UNKNOWN, "what is loaded could not be looked at", message=reason)


def system_note(loaded: Loaded) -> str | None:
    """Of an environment without a C++ library of its own: which of the system's it runs with."""
    if loaded.own_glibcxx is not None or OwnerKind.CONDA in map(_kind, loaded.libraries):
        return None
    names = sorted(
        library.name
        for library in loaded.libraries
        if _kind(library) is OwnerKind.SYSTEM
        and not GLIBC.match(library.name)
        and not library.path.startswith(f"{loaded.python}/python")
        and ".cpython-" not in library.path
    )
    if not names:
        return None
    return f"{', '.join(names)} of the system: an environment of wheels brings none of its own"


def _openmp(loaded: Loaded, known: Knowledge, *, all_passed: bool) -> Iterator[Finding]:
    found = [
        (family, library)
        for library in loaded.libraries
        for family in known.loaded_families
        if family.family == OPENMP and _is_of(library, family)
    ]
    clashes = [
        (clash, first, second)
        for (a, first), (b, second) in combinations(found, 2)
        for clash in known.loaded_clashes
        if clash.family == OPENMP and clash.kinds == (min(a.kind, b.kind), max(a.kind, b.kind))
    ]
    if not clashes:
        return
    clash, first, second = min(clashes, key=lambda told: told[0].status is not Status.FAIL)
    status, seen = clash.status, ""
    if status is Status.FAIL and all_passed:
        status, seen = Status.WARN, "; and yet every probe passed with them, which counts for more"
    yield Finding(
        "EG730",
        status,
        f"two OpenMP runtimes in one process: {first.name} and {second.name}",
        message=f"{_of(first)}; {_of(second)}{seen}",
        have=f"{first.path} and {second.path}",
        symptom=clash.symptom,
        evidence=(_WHERE, *_others(clashes)),
        sources=(clash.origin.source,),
    )


def _others(clashes: Sequence[tuple[LoadedClash, LoadedLibrary, LoadedLibrary]]) -> Iterator[str]:
    if len(clashes) > 1:
        paths = dict.fromkeys(lib.path for _, *both in clashes for lib in both)
        yield f"in all: {', '.join(paths)}"


def _twice(loaded: Loaded, known: Knowledge) -> Iterator[Finding]:
    for family in known.loaded_families:
        if family.family == OPENMP:
            continue
        same = [library for library in loaded.libraries if _is_of(library, family)]
        if len(same) > 1:
            yield Finding(
                "EG731",
                Status.WARN,
                f"{family.family} is loaded {len(same)} times",
                message="; ".join(map(_of, same)),
                have=" and ".join(library.path for library in same),
                symptom="an undefined symbol, a status such as NOT_INITIALIZED, or a crash in it",
                evidence=(_WHERE,),
                sources=(family.origin.source,),
            )


def _strangers(loaded: Loaded) -> Iterator[Finding]:
    """Libraries from outside of the prefix that are no part of the system, or stand before an own copy."""
    strange = [library for library in loaded.libraries if _is_strange(library, loaded)]
    strange.sort(key=lambda library: _place(library, loaded))
    for place, group in groupby(strange, key=lambda library: _place(library, loaded)):
        same = list(group)
        names = ", ".join(library.name for library in same[:SHOWN])
        more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
        own = [lib for lib in same if lib.name in loaded.own]
        before = ", ".join(
            f"{lib.name}{owner_in_words(loaded.own[lib.name].owner)}" for lib in own[:SHOWN]
        )
        yield Finding(
            "EG732",
            Status.WARN,
            f"{names}{more}: loaded from {place}, not from the environment",
            message=f"the environment has its own, which came second: {before}" if own else "",
            have=", ".join(library.path for library in same[:SHOWN]),
            symptom="another version than the package lists show; undefined symbols, crashes",
            evidence=(_WHERE,),
        )


def _is_strange(library: LoadedLibrary, loaded: Loaded) -> bool:
    if GLIBC.match(library.name) or _kind(library) in (
        None,
        OwnerKind.CONDA,
        OwnerKind.WHEEL,
        OwnerKind.DRIVER,
    ):
        return False
    if _is_below(library.path, loaded.prefix) or _is_below(library.path, loaded.python):
        return False
    if _kind(library) is OwnerKind.SYSTEM:
        return library.name in loaded.own and loaded.own_glibcxx is not None
    return True


def _place(library: LoadedLibrary, loaded: Loaded) -> str:
    if loaded.user_site is not None and _is_below(library.path, loaded.user_site):
        return f"the user site {loaded.user_site}"
    owner = library.owner
    if owner is not None and owner.kind is OwnerKind.MODULE:
        return f"the module {owner.name}"
    if _kind(library) is OwnerKind.SYSTEM:
        return "the system"
    packages = _PACKAGES.match(library.path)
    return packages[1] if packages else library.path.rpartition("/")[0]


_PACKAGES = re.compile(r"(.*?/(?:site|dist)-packages)/")


def _too_old(loaded: Loaded) -> Iterator[Finding]:
    """A libstdc++ that stands before a newer one of the environment."""
    own = loaded.own_glibcxx
    for library in loaded.libraries:
        has = library.has_glibcxx
        if own is None or has is None or Dotted.parse(has) >= Dotted.parse(own):
            continue
        yield Finding(
            "EG733",
            Status.WARN,
            f"{library.name}{owner_in_words(library.owner)} is loaded, the environment's own is newer",
            have=f"GLIBCXX_{has}   {library.path}",
            need=f"GLIBCXX_{own}, with which its packages were built",
            symptom=f'"version `GLIBCXX_{own}\' not found" at the next import that wants it',
            evidence=(_WHERE,),
        )


def missing_glibcxx(said: str, loaded: Loaded | None) -> Finding | None:
    """What an import error of the loader means: who wants which version, and whose libstdc++ lacks it."""
    match = _MISSING.search(said)
    if match is None:
        return None
    path, wanted, wanting = match.groups()
    libraries = loaded.libraries if loaded is not None else ()
    there = next((lib for lib in libraries if lib.path == path or lib.name in path), None)
    whose = owner_in_words(there.owner) if there is not None else ""
    has = f"GLIBCXX up to {there.has_glibcxx}" if there and there.has_glibcxx else "no such version"
    return Finding(
        "EG733",
        Status.FAIL,
        f"libstdc++{whose} is older than {wanting.rpartition('/')[2]} wants",
        have=f"{has}   {path}",
        need=f"GLIBCXX_{wanted}, for {wanting}",
        symptom=match[0],
    )


_MISSING = re.compile(
    r"(\S*libstdc\+\+\.so\.6\S*): version `GLIBCXX_([\d.]+)' not found \(required by ([^)\n]+)\)"
)


def is_openmp_clash(said: str) -> bool:
    """Whether a process died of what its second OpenMP runtime said."""
    return "OMP: Error #15" in said


def _is_of(library: LoadedLibrary, family: LoadedFamily) -> bool:
    file = library.path.rpartition("/")[2]
    return any(fnmatchcase(file, glob) for glob in family.libraries)


def _of(library: LoadedLibrary) -> str:
    by = f", loaded by {library.module}" if library.module else ""
    return f"{library.name}{owner_in_words(library.owner)}{by}"


def _kind(library: LoadedLibrary) -> OwnerKind | None:
    return library.owner.kind if library.owner is not None else None


def _is_below(path: str, folder: str) -> bool:
    return bool(folder) and path.startswith(folder.rstrip("/") + "/")
