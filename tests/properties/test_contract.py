"""The contract alone and the full check say the same of every machine."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envguard import api
from envguard.adapters.subjects import find_subject
from envguard.checks.case import case_of
from envguard.checks.contract import BUILT_IN, judge_contract
from envguard.checks.contract_answers import contract_rules
from envguard.checks.contract_needs import contract_of
from envguard.checks.judgement import judge
from envguard.formats.locks.contract_json import dump_contract, parse_contract
from envguard.model.contract import Contract, RecordedContract
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.properties.hosts import BUILDS, CARDS, CUDAS, DRIVERS, record_of
from tests.properties.test_facts import BESIDE
from tests.real_data import real_data, serving
from tests.unit.checks.cases import KNOWLEDGE, record

ORDER = (Status.FAIL, Status.UNKNOWN)
MORE = [
    *BESIDE,
    record("b 1 depends:_x86_64-microarch-level~>=3"),
    record("numba 0.61.2 h_0"),
    record("bitsandbytes 0.45.0 manager:pip"),
    record("triton 3.0.0 manager:pip"),
    record("jaxlib 0.4.35 cuda126py312_200"),
    record("cupy 13.4.1 py312_0"),
]
STACKS = {
    "pytorch": "python=3.12, pytorch, torchvision, numba, pandas",
    "older": "python=3.11, pytorch=2.4, numpy",
    "jax": "python=3.12, jaxlib=*=cuda*, numpy",
    "tensorflow": "python, tensorflow-base",
    "cupy": "python, cupy",
    "cpu": "python=3.12, pytorch=*=cpu*, numpy",
}
capabilities = st.sampled_from(CARDS) | st.builds(
    "{}.{}".format, st.integers(1, 16), st.integers(0, 9)
)
drivers = st.one_of(
    st.none(),
    st.sampled_from([DriverState.ABSENT, DriverState.ANY]),
    st.builds(
        Driver,
        st.none() | st.sampled_from(DRIVERS).map(Dotted.parse),
        st.none() | st.sampled_from(CUDAS).map(Dotted.parse),
    ),
)


@st.composite
def machines(draw: st.DrawFn, subdir: str) -> Target:
    gpus = draw(
        st.none()
        | st.lists(st.none() | capabilities.map(ComputeCapability.parse), max_size=3).map(
            lambda cards: tuple(Gpu(i, compute_capability=card) for i, card in enumerate(cards))
        )
    )
    glibc = draw(st.none() | st.sampled_from(["2.17", "2.27", "2.28", "2.35"]).map(Dotted.parse))
    archspec = draw(st.sampled_from([None, "x86_64", "x86_64_v2", "x86_64_v3", "zen4"]))
    machine = Machine(
        subdir,
        glibc=glibc,
        archspec=archspec,
        driver=draw(drivers),
        gpus=gpus,
        platform=draw(st.sampled_from([None, None, "wsl2"])),
        assumed=draw(st.sampled_from([frozenset(), frozenset({"glibc", "archspec"})])),
    )
    return Target("generated", machine, given=draw(st.booleans()))


def worst(findings: Iterable[Finding], rules: Iterable[str]) -> Status | None:
    """FAIL or UNKNOWN; None where there is neither."""
    statuses = {finding.status for finding in findings if finding.rule in rules}
    return next((status for status in ORDER if status in statuses), None)


def read_back(contract: Contract) -> Contract:
    recorded = RecordedContract(KNOWLEDGE.date, {contract.subdir: contract})
    read = parse_contract(dump_contract(recorded, ()), ())
    assert isinstance(read, RecordedContract)
    return read.by_subdir[contract.subdir]


def agree(records: Iterable[PackageRecord], contract: Contract, asked: Target) -> None:
    full = judge(case_of(asked, tuple(records), KNOWLEDGE), asked)
    says = judge_contract(contract, asked, KNOWLEDGE)
    assert worst(says, BUILT_IN) is worst(full, BUILT_IN)
    for rule in contract_rules(KNOWLEDGE) - {"EG210"}:
        assert (worst(says, [rule]) is Status.FAIL) == (worst(full, [rule]) is Status.FAIL), rule


@settings(max_examples=1000, deadline=None)
@given(
    torch=st.sampled_from(BUILDS),
    beside=st.lists(st.sampled_from(MORE), unique_by=lambda r: r.name),
    data=st.data(),
)
def test_for_builds_of_the_tables(
    torch: object, beside: list[PackageRecord], data: st.DataObject
) -> None:
    records = [record_of(torch), *beside]  # type: ignore[arg-type]
    subdir = torch.subdir  # type: ignore[attr-defined]
    contract = read_back(contract_of(records, subdir, KNOWLEDGE))
    agree(records, contract, data.draw(machines(subdir)))


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lockfile]:
    """Locks of real records, as they are read from their files."""
    folder = tmp_path_factory.mktemp("locks")
    with serving(real_data("channels")) as url:
        mirrors = api.parse_mirrors([f"conda-forge={url}/conda-forge"])
        return {name: _locked(folder, name, mirrors) for name in STACKS}


def _locked(folder: Path, name: str, mirrors: dict[str, str]) -> Lockfile:
    asked, output = folder / f"{name}.yml", folder / f"{name}.lock.yml"
    asked.write_text(f"channels: [conda-forge]\ndependencies: [{STACKS[name]}]\n")
    said = "cpu" if name == "cpu" else "a100"
    api.lock(
        asked,
        api.LockOptions(
            output=output,
            targets=(f"linux-64:{said}",),
            mirrors=mirrors,
            allow=frozenset({"known-bad"}),
        ),
    )
    found = find_subject(str(output))[1]
    assert isinstance(found, Lockfile)
    return found


@cache
def _records(packages: tuple[LockedPackage, ...]) -> tuple[PackageRecord, ...]:
    return tuple(package.record for package in packages)


@settings(max_examples=1000, deadline=None)
@given(name=st.sampled_from(sorted(STACKS)), asked=machines("linux-64"))
def test_for_locks_of_real_records(locks: dict[str, Lockfile], name: str, asked: Target) -> None:
    recorded = locks[name].contract
    assert isinstance(recorded, RecordedContract)
    assert recorded.genuine == {"linux-64"}
    agree(_records(locks[name].packages), recorded.by_subdir["linux-64"], asked)
