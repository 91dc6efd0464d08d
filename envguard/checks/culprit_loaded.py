"""What is loaded and what died, told together: one cause is one finding. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from envguard.checks.loaded_libraries import is_openmp_clash, loaded_findings, missing_glibcxx
from envguard.checks.probe_findings import owner_in_words
from envguard.model.culprit import Blame, Entry, EntryKind, Fault
from envguard.model.knowledge import Knowledge
from envguard.model.loaded import Loaded
from envguard.model.report import Finding, Status

OPENMP_RULE = "EG730"
PATHS = (EntryKind.LIBRARY_PATH, EntryKind.PRELOAD, EntryKind.PYTHON_PATH)
OF_PACKAGES = (Fault.PACKAGES, Fault.ORDER, Fault.TOGETHER)
SHOWN = 3


def told_together(
    told: Sequence[tuple[Blame, Finding]],
    loaded: Loaded | None,
    known: Knowledge,
    *,
    all_passed: bool,
) -> tuple[Finding, ...]:
    """The findings of deaths, with what is loaded in them, then those of libraries alone.

    What a culprit brought is said of the culprit; what is loaded twice explains a death that it caused.
    """
    culprits = tuple(entry for blame, _ in told for entry in blame.entries)
    audit: dict[str, Finding] = {}
    rest: tuple[Finding, ...] = ()
    if loaded is not None:
        others = (lib for lib in loaded.libraries if not _brought(lib.path, culprits))
        rest = loaded_findings(
            replace(loaded, libraries=tuple(others)), known, all_passed=all_passed
        )
        audit = {f.rule: f for f in rest if f.rule == OPENMP_RULE and f.status is not Status.PASS}
    deaths = tuple(_death(blame, finding, loaded, audit) for blame, finding in told)
    said = {finding.rule for finding in deaths}
    return (*deaths, *(finding for finding in rest if finding.rule not in said))


def _brought(path: str, culprits: Sequence[Entry]) -> bool:
    tops = (entry.value.rstrip("/") for entry in culprits if entry.kind in PATHS)
    return any(path == top or path.startswith(f"{top}/") for top in tops)


def _death(
    blame: Blame, finding: Finding, loaded: Loaded | None, audit: dict[str, Finding]
) -> Finding:
    if blame.fault is Fault.ENTRIES and loaded is not None:
        return replace(finding, evidence=(*_loaded_from(blame.entries, loaded), *finding.evidence))
    if blame.fault not in OF_PACKAGES:
        return finding
    died = blame.results[0]
    said = f"{died.detail}\n{died.output}"
    cause = audit.get(OPENMP_RULE) if is_openmp_clash(said) else missing_glibcxx(said, loaded)
    return finding if cause is None else _because(cause, finding)


def _because(cause: Finding, death: Finding) -> Finding:
    """What is loaded is why it died; what was tried stays."""
    return replace(
        cause,
        status=Status.FAIL,
        message=f"{death.message}; {cause.message}".strip("; "),
        evidence=(*death.evidence, *cause.evidence),
        fix=death.fix,
        gpu=death.gpu,
        sources=tuple(dict.fromkeys((*death.sources, *cause.sources))),
    )


def _loaded_from(entries: Sequence[Entry], loaded: Loaded) -> Iterator[str]:
    """`loaded libcudnn.so.9 from /apps/cudnn/9.1/lib, before that of nvidia-cudnn-cu12 9.5.1 (wheel)`."""
    found = [library for library in loaded.libraries if _brought(library.path, entries)]
    for library in found[:SHOWN]:
        own = loaded.own.get(library.name)
        before = f", before that{owner_in_words(own.owner)}" if own is not None else ""
        yield f"loaded {library.path}{before}"
