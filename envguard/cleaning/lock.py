"""What a lock was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.utils import canonicalize_name

from envguard.cleaning.asked import NOT_RECORDED, clean_specs, leaves
from envguard.cleaning.channels import by_package, clean_channels
from envguard.cleaning.pip_lines import PipInstalled, asked_line, index_lines, installed_lines
from envguard.cleaning.platforms import with_platforms
from envguard.cleaning.selectors import agreed, with_selectors
from envguard.cleaning.specs import Known
from envguard.model.cleaning import Policy
from envguard.model.environment import Environment
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.secrets import public_variables
from envguard.model.spec_facts import OnePlatform


def clean_lock(
    lockfile: Lockfile,
    policy: Policy = Policy(),  # noqa: B008  frozen
    *,
    bounds: Mapping[str, Mapping[str, str]] | None = None,
    pypi_names: Mapping[str, str] | None = None,
    one_platform: Sequence[OnePlatform] = (),
) -> Environment:
    """What a lock was made from; where nobody recorded it, the packages that nothing else needs.

    `bounds` are upper bounds (`<2`) by subdir and name; `pypi_names` as in `clean_installed`.
    """
    request = lockfile.request
    asked_channels = request.channels if request is not None and request.channels else None
    channels = clean_channels(asked_channels or lockfile.channels, policy)
    conda: dict[str, list[str]] = {}
    pip: dict[str, list[str]] = {}
    notes: list[str] = [] if request is not None else [NOT_RECORDED]
    for subdir in lockfile.platforms:
        pip[subdir], told = _pip(lockfile, subdir, policy, pypi_names or {})
        conda[subdir], added = _conda(
            lockfile,
            subdir,
            policy,
            channels,
            (bounds or {}).get(subdir, {}),
            pip=bool(pip[subdir]),
        )
        notes += [*added, *told]
    dependencies, behind = with_platforms(with_selectors(agreed(conda)), one_platform)
    variables, secret = public_variables(request.variables if request is not None else {})
    notes += behind
    notes += [f"variables: {name} looks like a secret and is left out" for name in secret]
    return Environment(
        name=request.name if request is not None else None,
        channels=channels,
        dependencies=dependencies,
        pip=with_selectors(pip),
        platforms=lockfile.platforms,
        variables=variables,
        notes=tuple(dict.fromkeys(notes)),
    )


def _conda(
    lockfile: Lockfile,
    subdir: str,
    policy: Policy,
    channels: Sequence[str],
    bounds: Mapping[str, str],
    *,
    pip: bool,
) -> tuple[list[str], tuple[str, ...]]:
    records = [r for r in lockfile.records_for(subdir) if r.manager is Manager.CONDA]
    asked = lockfile.request.dependencies.get(subdir, ()) if lockfile.request is not None else ()
    known = Known(
        records={record.name: record for record in records},
        bounds=bounds,
        channels={} if asked else by_package(records, channels, policy),
    )
    return clean_specs(list(asked) or leaves(records), records, known, policy.pin, pip=pip)


def _pip(
    lockfile: Lockfile, subdir: str, policy: Policy, pypi_names: Mapping[str, str]
) -> tuple[list[str], tuple[str, ...]]:
    records = lockfile.records_for(subdir)
    if lockfile.request is None:
        provided: dict[str, str] = {
            canonicalize_name(pypi_names.get(r.name, r.name)): r.version
            for r in records
            if r.manager is Manager.CONDA
        }
        return installed_lines(PipInstalled(records, provided=provided), policy.pin)
    by_name: dict[str, PackageRecord] = {
        canonicalize_name(r.name): r for r in records if r.manager is Manager.PIP
    }
    asked = lockfile.request.pip.get(subdir, ())
    lines = [asked_line(line, by_name, policy.pin) for line in asked]
    return [*index_lines(lines), *lines], ()
