"""The machine contract as text in a lock: written, read back, edited, of another version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from envguard.adapters.rules import rules_directory
from envguard.checks.contract_needs import contract_of
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.formats.locks.contract_json import KEY, dump_contract, parse_contract
from envguard.model.contract import Contract, RecordedContract, UnreadableContract
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.package import PackageRecord
from tests.unit.checks.cases import CPU, CUDA118, CUDA129, KNOWLEDGE, record

SCHEMA = json.loads((rules_directory() / "schema" / "contract-v1.json").read_text())
LINES = [
    CUDA129,
    "numba 0.61.2 h_0",
    "libcudnn 9.13.1.26 h_0",
    "bitsandbytes 0.45.0 manager:pip",
    "b 1 depends:__glibc~>=2.28",
    "c 1 depends:_x86_64-microarch-level~>=3",
    "torchvision 0.22.0 cuda129_py312_h0_0",
]


def locked(*lines: str) -> Lockfile:
    packages = tuple(LockedPackage(with_url(record(line)), "linux-64") for line in lines)
    contract = contract_of([package.record for package in packages], "linux-64", KNOWLEDGE)
    recorded = RecordedContract(KNOWLEDGE.date, {"linux-64": contract})
    return Lockfile(("linux-64",), packages=packages, contract=recorded)


def with_url(package: PackageRecord) -> PackageRecord:
    build = package.build or "h0_0"
    file = f"{package.name}-{package.version}-{build}.conda"
    url = f"https://conda.anaconda.org/conda-forge/linux-64/{file}"
    if package.manager == "pip":
        return replace(package, url=f"https://index.example/{package.name}.whl", sha256="c" * 64)
    return replace(package, build=build, url=url, sha256="a" * 64, md5="b" * 32)


def text_of(lockfile: Lockfile) -> str:
    assert isinstance(lockfile.contract, RecordedContract)
    return dump_contract(lockfile.contract, lockfile.packages)


def changed(lockfile: Lockfile, *path: Any, to: object) -> str:
    """The text of the contract of linux-64 with one value changed."""
    document = json.loads(text_of(lockfile))
    place = document["subdirs"]["linux-64"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps(document)


def bare(contract: Contract) -> dict[str, Any]:
    """The contract as its own text says it: records lose what is not blamed."""
    recorded = RecordedContract("2026-11-22", {contract.subdir: contract})
    found: dict[str, Any] = json.loads(dump_contract(recorded, ()))
    return found


@pytest.mark.parametrize("lines", [LINES, [CPU], [CUDA118], ["pytorch 9.9.0 cuda990_py312_h0_3"]])
def test_it_is_read_back_from_the_lock_as_it_was_written(lines: list[str]) -> None:
    lockfile = locked(*lines)
    read = parse_conda_lock(dump_conda_lock(lockfile, created_by="a test"), "conda-lock.yml")

    assert isinstance(read.contract, RecordedContract)
    assert isinstance(lockfile.contract, RecordedContract)
    assert read.contract.genuine == {"linux-64"}
    assert read.contract.rules_date == KNOWLEDGE.date
    by_subdir = lockfile.contract.by_subdir
    assert bare(read.contract.by_subdir["linux-64"]) == bare(by_subdir["linux-64"])


@pytest.mark.parametrize("lines", [LINES, [CPU], [CUDA118]])
def test_what_is_written_fits_the_schema(lines: list[str]) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert list(validator.iter_errors(json.loads(text_of(locked(*lines))))) == []


def test_a_lock_without_one_has_none() -> None:
    lockfile = replace(locked(CPU), contract=None)
    text = dump_conda_lock(lockfile, created_by="a test")
    assert KEY not in text
    assert parse_conda_lock(text, "conda-lock.yml").contract is None


EDITS = {
    "a lower driver": (("driver", "floors", 0, "driver"), ">=450"),
    "more cards": (("code", 0, "cards", "none"), []),
    "no rules": (("rules",), []),
    "an older glibc": (("glibc", "glibc"), ">=2.17"),
    "another seal": (("seal",), "0" * 64),
}


@pytest.mark.parametrize(("path", "to"), EDITS.values(), ids=EDITS)
def test_an_edit_of_the_contract_is_seen(path: tuple[Any, ...], to: object) -> None:
    lockfile = locked(*LINES)
    read = parse_contract(changed(lockfile, *path, to=to), lockfile.packages)
    assert isinstance(read, RecordedContract)
    assert read.genuine == frozenset()


def test_an_edit_of_the_packages_is_seen() -> None:
    lockfile = locked(*LINES)
    first, *rest = lockfile.packages
    other = replace(first, record=replace(first.record, sha256="d" * 64))
    for packages in ((other, *rest), tuple(rest), (*lockfile.packages, other)):
        read = parse_contract(text_of(lockfile), packages)
        assert isinstance(read, RecordedContract)
        assert read.genuine == frozenset()


def test_packages_of_another_subdir_are_none_of_its_business() -> None:
    lockfile = locked(*LINES)
    more = replace(lockfile.packages[0], platform="win-64")
    read = parse_contract(text_of(lockfile), (*lockfile.packages, more))
    assert isinstance(read, RecordedContract)
    assert read.genuine == {"linux-64"}


@pytest.mark.parametrize(("version", "age"), [(2, "newer"), (0, "older")])
def test_another_schema_version_says_so_and_is_no_damage(version: int, age: str) -> None:
    document = {**json.loads(text_of(locked(CPU))), "schema_version": version, "more": 1}
    read = parse_contract(json.dumps(document), ())
    assert read == UnreadableContract(
        f"schema version {version} is {age} than 1, which is read here", damaged=False
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="half of it"),
        pytest.param("[" * 100_000, id="nested too deeply"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="nothing in it"),
        pytest.param('{"schema_version": true}', id="true is no number"),
        pytest.param('{"schema_version": 1}', id="no contracts"),
        pytest.param(
            '{"schema_version": 1, "rules_date": "b", "subdirs": {"linux-64": 1}}',
            id="no object",
        ),
    ],
)
def test_what_is_damaged_is_a_value(text: str) -> None:
    read = parse_contract(text, ())
    assert isinstance(read, UnreadableContract)
    assert read.damaged


DAMAGES = {
    "a driver without an operator": (("driver", "floors", 0, "driver"), "525"),
    "a list for text": (("driver", "cuda"), ["12.9"]),
    "a range without an end": (("cards", 0, "compute_capability"), ">=5.0"),
    "a card that is none": (("code", 0, "cards", "sass"), [">=five"]),
    "an unknown answer": (("code", 0, "cards", "maybe"), [">=5.0"]),
    "an unknown key": (("gibc",), {}),
    "no package": (("glibc", "package"), None),
    "a manager that is none": (("glibc", "package", "manager"), "apt"),
    "a status of another kind": (("rules", 0, "status"), "maybe"),
    "no comparison": (("rules", 0, "breaks_where"), [["driver is old"]]),
    "rows that are none": (("rules", 0, "breaks_where"), ["driver <1"]),
    "a row that always holds": (("rules", 0, "breaks_where"), [[]]),
    "no word on programs": (("driver", "program"), None),
    "a list that is none": (("unknown",), {}),
}


@pytest.mark.parametrize(("path", "to"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told_by_reader_and_schema(path: tuple[Any, ...], to: object) -> None:
    text = changed(locked(*LINES), *path, to=to)
    read = parse_contract(text, ())
    assert isinstance(read, UnreadableContract)
    assert read.damaged
    assert read.reason.startswith("envguard_contract: subdirs.linux-64.")
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(json.loads(text)))
