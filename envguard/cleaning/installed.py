"""What a prefix or a virtual environment was asked to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.utils import canonicalize_name

from envguard.cleaning.asked import (
    ALL_RECORDED,
    NOT_RECORDED,
    clean_specs,
    leaves,
    without_the_rest,
)
from envguard.cleaning.channels import by_package, clean_channels
from envguard.cleaning.pins import minor
from envguard.cleaning.pip_lines import PipInstalled, installed_lines
from envguard.cleaning.platforms import with_platforms
from envguard.cleaning.specs import Known, parsed
from envguard.model.cleaning import Policy
from envguard.model.environment import Dependency, Environment
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import public_variables
from envguard.model.spec_facts import OnePlatform
from envguard.ports.prefixes import Installed

_FROM_WHEEL = re.compile(r"pypi_\d+\Z")
UNTOLD_CHANNELS = (
    "nobody recorded the priority of the channels: the first is the one that most packages are from; "
    "put them right where that is another"
)
DEFAULT_CHANNEL = "conda-forge"


def clean_installed(
    installed: Installed,
    policy: Policy = Policy(),  # noqa: B008  frozen
    *,
    bounds: Mapping[str, str] | None = None,
    pypi_names: Mapping[str, str] | None = None,
    one_platform: Sequence[OnePlatform] = (),
) -> Environment:
    """What was asked for, as far as anybody recorded it, else what nothing else needs.

    `bounds` are upper bounds by name (`<2`), `pypi_names` conda's names to PyPI's where they differ.
    """
    conda, pip, notes = _by_manager(installed)
    specs, more = _asked(installed, conda)
    channels = clean_channels(installed.channels, policy) or (DEFAULT_CHANNEL,)
    names = pypi_names or {}
    provided: dict[str, str] = {
        canonicalize_name(names.get(r.name, r.name)): r.version for r in conda
    }
    lines, told = installed_lines(
        PipInstalled(
            pip,
            installed.pip_origins or {},
            installed.pip_requested,
            provided,
            venv=installed.kind == "venv",
        ),
        policy.pin,
    )
    known = Known(
        records={record.name: record for record in conda},
        bounds=bounds or {},
        channels=by_package(conda, channels, policy),
    )
    cleaned, added = clean_specs(specs, conda, known, policy.pin, pip=bool(lines))
    if not conda and installed.python_version:
        cleaned = [f"python={minor(installed.python_version)}", *(["pip"] if lines else [])]
    variables, secret = public_variables(installed.variables or {})
    dependencies, behind = with_platforms(tuple(map(Dependency, cleaned)), one_platform)
    return Environment(
        name=installed.path.name if installed.kind == "prefix" else None,
        channels=channels,
        dependencies=dependencies,
        pip=tuple(map(Dependency, lines)),
        variables=variables,
        notes=(
            *installed.problems,
            *notes,
            *more,
            *([] if installed.channels_told else [UNTOLD_CHANNELS]),
            *added,
            *behind,
            *told,
            *(f"variables: {name} looks like a secret and is left out" for name in secret),
        ),
    )


def incomplete(installed: Installed) -> Iterator[str]:
    """Why what is there is not all of it: records that cannot be read, packages that miss what they need."""
    if installed.half is not None:
        yield installed.half
    yield from (problem for problem in installed.problems if problem.startswith("conda-meta/"))
    conda = [r for r in installed.records if r.manager is Manager.CONDA]
    names = {record.name for record in conda}
    missing: dict[str, list[str]] = {}
    for record in conda:
        for spec in record.depends:
            name = spec.split(" ")[0]
            if name not in names and not name.startswith("__"):
                missing.setdefault(name, []).append(record.name)
    for name, users in sorted(missing.items()):
        yield f"{name} is not installed, and {', '.join(sorted(set(users))[:3])} needs it"
    if "python" in names and installed.python is None:
        yield "python is recorded as installed, and there is no bin/python"


def _by_manager(
    installed: Installed,
) -> tuple[list[PackageRecord], list[PackageRecord], tuple[str, ...]]:
    """conda's packages, pip's, and a word on wheels that conda-pypi installed as packages of conda's.

    conda-pypi makes builds named `pypi_0` of wheels, in a channel of the machine's own
    (https://github.com/conda-incubator/conda-pypi).
    """
    records, notes = with_wheels_as_pip(installed.records)
    conda = [record for record in records if record.manager is Manager.CONDA]
    return conda, [record for record in records if record.manager is Manager.PIP], notes


def with_wheels_as_pip(
    installed: Sequence[PackageRecord],
) -> tuple[tuple[PackageRecord, ...], tuple[str, ...]]:
    """The records, those of conda-pypi as pip packages, and what there is to say of them."""
    wheels = [r for r in installed if r.manager is Manager.CONDA and _is_wheel(r)]
    others = [record for record in installed if record not in wheels]
    as_pip = [replace(r, manager=Manager.PIP, build=None, depends=(), url=None) for r in wheels]
    named = ", ".join(record.name for record in wheels)
    notes = (f"{named}: wheels that conda-pypi installed; no channel has them, so pip does",)
    return (*others, *as_pip), notes if wheels else ()


def _is_wheel(record: PackageRecord) -> bool:
    return bool(_FROM_WHEEL.match(record.build or "")) or (record.url or "").endswith(".whl")


def _asked(
    installed: Installed, conda: Sequence[PackageRecord]
) -> tuple[list[str], tuple[str, ...]]:
    if not conda:
        return [], ()
    if not installed.requested:
        return leaves(conda), (NOT_RECORDED,)
    names = {record.name for record in conda}
    specs = [spec for spec in installed.requested if parsed(spec).name in names]
    rest = without_the_rest(specs, conda)
    return (specs, ()) if rest is None else (rest, (ALL_RECORDED,))
