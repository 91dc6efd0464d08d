"""Unknown is never a pass: a fact that is taken away never mends a failure."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from envguard.checks.case import case_of
from envguard.checks.judgement import judge
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import PackageRecord
from envguard.model.report import Report, Status, Subject
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from tests.properties.hosts import BUILDS, CARDS, CUDAS, DRIVERS, record_of
from tests.unit.checks.cases import CPU, KNOWLEDGE, record

BESIDE = [
    record("libcudnn 9.10.2.21 h_0"),
    record("libcudnn 9.13.1.26 h_0"),
    record("a 1 depends:__glibc~>=2.28"),
    record("numpy 2.1.0 py312_0"),
    record("onnxruntime-gpu 1.20.0 manager:pip"),
    record("cuda-cudart 13.0.96 h_0"),
]
SUBDIRS = ["linux-64", "win-64", "linux-aarch64"]

drivers = st.one_of(
    st.just(DriverState.ABSENT),
    st.builds(
        Driver,
        st.sampled_from(DRIVERS).map(Dotted.parse),
        st.none() | st.sampled_from(CUDAS).map(Dotted.parse),
    ),
)
cards = st.lists(st.sampled_from(CARDS).map(ComputeCapability.parse), max_size=3)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    gpus = tuple(Gpu(i, compute_capability=card) for i, card in enumerate(draw(cards)))
    return Machine(
        draw(st.sampled_from(SUBDIRS)),
        glibc=Dotted.parse(draw(st.sampled_from(["2.17", "2.27", "2.28"]))),
        driver=draw(drivers),
        gpus=gpus,
    )


@st.composite
def packages(draw: st.DrawFn) -> list[PackageRecord]:
    torch = draw(st.sampled_from(BUILDS).map(record_of) | st.just(record(CPU)))
    return [torch, *draw(st.lists(st.sampled_from(BESIDE), unique_by=lambda r: r.name))]


def without(machine: Machine, draw: st.DataObject) -> Machine:
    """The machine with one or more facts not observed."""
    names = ["glibc", "driver", "gpus", "version", "cuda", "capability"]
    taken = draw.draw(st.sets(st.sampled_from(names), min_size=1))
    if isinstance(machine.driver, Driver):
        known = machine.driver
        for field in taken & {"version", "cuda"}:
            known = replace(known, **{field: None})
        machine = replace(machine, driver=known)
    if "capability" in taken and machine.gpus:
        index = draw.draw(st.integers(0, len(machine.gpus) - 1))
        gpus = list(machine.gpus)
        gpus[index] = replace(gpus[index], compute_capability=None)
        machine = replace(machine, gpus=tuple(gpus))
    whole: dict[str, None] = dict.fromkeys(taken & {"glibc", "driver", "gpus"})
    return replace(machine, **whole)  # type: ignore[arg-type]


def verdict(machine: Machine, records: list[PackageRecord]) -> Status:
    asked = Target("given", machine)
    findings = judge(case_of(asked, records, KNOWLEDGE), asked)
    return Report("check", Subject("conda-lock", "x"), findings=findings).verdict


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(machine=machines(), records=packages(), draw=st.data())
def test_less_knowledge_never_turns_a_failure_into_a_pass(
    machine: Machine, records: list[PackageRecord], draw: st.DataObject
) -> None:
    assume(verdict(machine, records) is Status.FAIL)
    assert verdict(without(machine, draw), records) in (Status.FAIL, Status.UNKNOWN)
