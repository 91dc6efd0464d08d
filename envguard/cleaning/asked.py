"""What was asked for: the packages that nobody else needs, python, pip, and what decides about the GPU."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.cleaning.gpu import METAPACKAGES, undecided
from envguard.cleaning.pins import minor
from envguard.cleaning.specs import Known, clean_spec, is_whole_build, parsed
from envguard.model.cleaning import Pin
from envguard.model.package import PackageRecord

_MOST = 0.9
NOT_RECORDED = (
    "nobody recorded what was asked for: these are the packages that no other package needs"
)
ALL_RECORDED = (
    "what was asked for is a list of all packages: these are the ones that no other package needs"
)


def leaves(records: Sequence[PackageRecord]) -> list[str]:
    """Names of the packages that no other one needs; what begins with `_` only tells builds apart."""
    needed = {spec.split(" ")[0] for record in records for spec in record.depends}
    names = sorted(record.name for record in records if record.name not in needed)
    return [name for name in names if not name.startswith("_")]


def without_the_rest(specs: Sequence[str], records: Sequence[PackageRecord]) -> list[str] | None:
    """The leaves of a request that names the builds of nearly all packages; None for a person's."""
    parsed_specs = {parsed(text).name: text for text in specs}
    whole = [text for text in specs if is_whole_build(parsed(text).build)]
    if not records or len(whole) < _MOST * len(records) or len(whole) < _MOST * len(specs):
        return None
    return [parsed_specs.get(name, name) for name in leaves(records)]


def clean_specs(
    specs: Sequence[str], records: Sequence[PackageRecord], known: Known, pin: Pin, *, pip: bool
) -> tuple[list[str], tuple[str, ...]]:
    """The specs, then what was not said and has to be: python, pip for pip packages, the GPU build.

    The second value tells what was added.
    """
    cleaned = [clean_spec(spec, known, pin) for spec in specs]
    found = [parsed(spec) for spec in cleaned]
    names = {spec.name for spec in found}
    deciding = [s.name for s in found if s.name in METAPACKAGES or "cuda" in (s.build or "")]
    gpu = [record.name for record in undecided(records, deciding) if record.name not in names]
    notes = [f"{name}: added, because its build is the choice of the GPU" for name in gpu]
    cleaned += [clean_spec(name, known, pin) for name in gpu]
    cleaned += _python(names, known, pin)
    cleaned += ["pip"] if pip and "pip" not in names else []
    return list(dict.fromkeys(cleaned)), tuple(notes)


def _python(names: set[str], known: Known, pin: Pin) -> list[str]:
    """python at its minor version at least: packages are built for it."""
    record = known.records.get("python")
    if record is None or "python" in names:
        return []
    return [
        f"python={minor(record.version)}" if pin is not Pin.EXACT else f"python=={record.version}"
    ]
