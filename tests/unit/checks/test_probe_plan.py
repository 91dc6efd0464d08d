"""Which probes an environment gets."""

from __future__ import annotations

import pytest

from envguard.checks.probe_plan import discovered, gpus_to_probe, plan_probes
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.probe import Discovered, Outcome
from envguard.model.report import Finding, Status
from envguard.model.target import Target

GPUS = (Gpu(0, name="NVIDIA A100", uuid="GPU-aa"), Gpu(1, name="NVIDIA A100", uuid="GPU-bb"))


def torch(cuda: str | None, *, known: bool = True) -> Discovered:
    return Discovered(
        "3.12.1",
        frozenset({"numpy", "torch"}),
        torch_version="2.7.1",
        torch_cuda=cuda,
        torch_build_known=known,
    )


def test_torch_is_probed_on_every_gpu_by_uuid_and_imported_once() -> None:
    plan = plan_probes(torch("12.6"), GPUS)
    assert [p.name for p in plan.probes].count("import") == 1
    assert [(p.gpu, p.device) for p in plan.probes if p.name == "conv"] == [
        (0, "GPU-aa"),
        (1, "GPU-bb"),
    ]
    assert {p.arguments["device"] for p in plan.probes[1:]} == {"cuda"}
    assert (len(plan.probes), plan.findings) == (11, ())


def test_a_gpu_without_uuid_is_named_by_its_index() -> None:
    assert plan_probes(torch("12.6"), (Gpu(3),)).probes[1].device == "3"


def test_without_a_gpu_torch_gets_the_cpu_twins() -> None:
    plan = plan_probes(torch(None), ())
    assert [p.arguments.get("device") for p in plan.probes] == [None, *["cpu"] * 5]
    assert plan.findings == ()


@pytest.mark.parametrize("gpus", [(), None], ids=["no GPU", "GPUs not observed"])
def test_a_cuda_build_without_a_gpu_is_not_proven(gpus: tuple[Gpu, ...] | None) -> None:
    (finding,) = plan_probes(torch("12.6"), gpus).findings
    assert (finding.rule, finding.status) == ("EG709", Status.UNKNOWN)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(Finding("EG101", Status.PASS, "the driver runs CUDA 12.6"), id="what passed"),
        pytest.param(Finding("EG501", Status.UNKNOWN, "glibc"), id="what is no question of GPUs"),
    ],
)
def test_another_answer_of_the_static_check_proves_no_kernel(known: Finding) -> None:
    (finding,) = plan_probes(torch("12.6"), (), known=[known]).findings
    assert finding.rule == "EG709"
    assert finding.message.startswith("torch 2.7.1 brings CUDA 12.6")


def test_what_the_static_check_does_not_know_is_not_said_twice() -> None:
    known = [Finding("EG101", Status.UNKNOWN, "the driver is not known")]
    assert plan_probes(torch("12.6"), (), known=known).findings == ()


def test_a_cpu_build_on_a_gpu_machine_is_a_finding_and_never_probed_on_the_cpu() -> None:
    plan = plan_probes(torch(None), GPUS)
    assert [p.name for p in plan.probes] == ["import"]
    assert [(f.rule, f.status) for f in plan.findings] == [("EG708", Status.FAIL)]
    assert {(r.outcome, r.wanted, r.detail) for r in plan.not_run} == {
        (Outcome.NOT_RUN, True, "torch 2.7.1 is a CPU build")
    }
    assert len(plan.not_run) == 10


def test_a_cpu_build_that_the_static_check_found_is_not_said_twice() -> None:
    known = [Finding("EG401", Status.FAIL, "a CPU build")]
    assert plan_probes(torch(None), GPUS, known=known).findings == ()


def test_a_build_that_could_not_be_read_is_tried_on_the_gpu() -> None:
    plan = plan_probes(torch(None, known=False), GPUS)
    assert len(plan.probes) == 11


def test_numpy_alone_is_probed_on_the_cpu_even_beside_gpus() -> None:
    plan = plan_probes(Discovered("3.12", frozenset({"numpy"})), GPUS)
    assert {p.arguments.get("framework") for p in plan.probes} == {None, "numpy"}
    assert (len(plan.probes), plan.findings) == (6, ())


def test_a_gpu_framework_without_probes_is_unknown() -> None:
    plan = plan_probes(Discovered("3.12", frozenset({"numpy", "jax"})), GPUS)
    assert [f.status for f in plan.findings] == [Status.UNKNOWN]
    assert plan.probes[0].arguments["modules"] == ["numpy", "jax"]


def test_nothing_to_probe_is_unknown() -> None:
    plan = plan_probes(Discovered("3.12", frozenset()), ())
    assert plan.probes == ()
    assert [(f.rule, f.status) for f in plan.findings] == [("EG710", Status.UNKNOWN)]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        pytest.param(None, [0, 1], id="not set"),
        pytest.param("", [], id="empty: none"),
        pytest.param("-1", [], id="-1: none"),
        pytest.param("1", [1], id="one index"),
        pytest.param("1,0", [1, 0], id="in the order said"),
        pytest.param("GPU-bb", [1], id="a UUID"),
        pytest.param("GPU-b", [1], id="the start of a UUID"),
        pytest.param("0,7,1", [0], id="nothing after a GPU that is not there"),
    ],
)
def test_cuda_visible_devices_is_obeyed(visible: str | None, expected: list[int]) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    gpus = gpus_to_probe(Machine("linux-64", gpus=GPUS, environment=environment))
    assert gpus is not None
    assert [gpu.index for gpu in gpus] == expected


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        pytest.param(DriverState.ABSENT, (), id="--for cpu: no GPU is probed"),
        pytest.param(Driver(), GPUS, id="--for a card: the GPUs here are"),
    ],
)
def test_the_named_target_decides_whether_gpus_are_meant(
    driver: Driver | DriverState, expected: tuple[Gpu, ...]
) -> None:
    target = Target("named", Machine("linux-64", driver=driver, gpus=()))
    assert gpus_to_probe(Machine("linux-64", gpus=GPUS), [target]) == expected


def test_gpus_nobody_looked_for_stay_unknown() -> None:
    assert gpus_to_probe(Machine("linux-64")) is None


def test_what_discovery_did_not_report_is_not_known() -> None:
    found = discovered({"python": "3.12.1", "modules": "torch"})
    assert (found.torch_cuda, found.torch_build_known, found.compiled) == (None, False, False)
    assert (found.python_version, discovered({}).python_version) == ("3.12.1", "")
