"""Which probes an environment gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import envguard
from envguard.checks.probe_gpus import gpus_to_probe
from envguard.checks.probe_plan import ProbePlan, discovered, discovery, plan_probes
from envguard.checks.probe_steps import (
    NUMPY_STEPS,
    OTHER_STEPS,
    OWN_STEPS,
    TOGETHER,
    TORCH_STEPS,
    selection_of,
)
from envguard.errors import InputError
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.probe import Discovered, Outcome
from envguard.model.probe_step import Level, Selection, Step
from envguard.model.report import Finding, Status
from envguard.model.target import Target

QUICK = [step for step in TORCH_STEPS if step.level is Level.QUICK]
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
    assert (len(plan.probes), plan.findings) == (1 + 2 * len(QUICK), ())


def test_a_gpu_without_uuid_is_named_by_its_index() -> None:
    assert plan_probes(torch("12.6"), (Gpu(3),)).probes[1].device == "3"


def test_without_a_gpu_torch_gets_the_cpu_twins() -> None:
    plan = plan_probes(torch(None), ())
    assert [p.arguments.get("device") for p in plan.probes] == [None, *["cpu"] * len(QUICK)]
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
    assert len(plan.not_run) == 2 * len(QUICK)


def test_a_cpu_build_that_the_static_check_found_is_not_said_twice() -> None:
    known = [Finding("EG401", Status.FAIL, "a CPU build")]
    assert plan_probes(torch(None), GPUS, known=known).findings == ()


def test_a_build_that_could_not_be_read_is_tried_on_the_gpu() -> None:
    plan = plan_probes(torch(None, known=False), GPUS)
    assert len(plan.probes) == 1 + 2 * len(QUICK)


def test_numpy_alone_is_probed_on_the_cpu_even_beside_gpus() -> None:
    plan = plan_probes(Discovered("3.12", frozenset({"numpy"})), GPUS)
    assert {p.arguments.get("framework") for p in plan.probes} == {None, "numpy"}
    assert (len(plan.probes), plan.findings) == (6, ())


@pytest.mark.parametrize("name", ["tensorflow", "jax", "cupy", "onnxruntime"])
def test_another_gpu_framework_is_probed_on_every_gpu_in_a_fresh_interpreter(name: str) -> None:
    plan = plan_probes(Discovered("3.12", frozenset({"numpy", name})), GPUS)
    own = [p for p in plan.probes if p.name == name]
    assert [(p.gpu, p.device, p.preload) for p in own] == [(0, "GPU-aa", None), (1, "GPU-bb", None)]
    assert plan.probes[0].arguments["modules"] == ["numpy", name]
    assert plan.findings == ()


@pytest.mark.parametrize(
    ("name", "unknown"),
    [("jax", True), ("tensorflow", True), ("cupy", True), ("onnxruntime", False)],
)
def test_what_may_be_there_for_a_gpu_is_not_proven_without_one(name: str, unknown: bool) -> None:
    found = Discovered("3.12", frozenset({"numpy", name}))
    assert [f.rule for f in plan_probes(found, ()).findings] == (["EG709"] if unknown else [])
    assert plan_probes(found, (), cpu_wanted=True).findings == ()


def test_two_gpu_frameworks_are_imported_together_in_both_orders_once() -> None:
    plan = plan_probes(Discovered("3.12", frozenset({"torch", "jax"}), torch_cuda="12.6"), GPUS)
    orders = [(p.arguments["modules"], p.gpu) for p in plan.probes if p.name in TOGETHER]
    assert orders == [(["torch", "jax"], 0), (["jax", "torch"], 0)]
    assert not [p for p in plan_probes(torch("12.6"), GPUS).probes if p.name in TOGETHER]


def test_what_asks_for_a_fresh_interpreter_gets_one() -> None:
    fresh = {p.name for p in plan_probes(torch(None), ()).probes if p.preload is None}
    assert fresh == {"import", "collective", "exit"}


def named(plan: ProbePlan, name: str) -> list[tuple[int | None, str | None]]:
    return [(p.gpu, p.device) for p in plan.probes if p.name == name]


STANDARD = Selection(Level.STANDARD)


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        pytest.param(GPUS, [(None, "GPU-aa,GPU-bb")], id="two GPUs: together, and once"),
        pytest.param(GPUS[:1], [], id="one GPU"),
    ],
)
def test_a_probe_of_several_gpus_sees_all_of_them(
    gpus: tuple[Gpu, ...], expected: list[tuple[int | None, str | None]]
) -> None:
    plan = plan_probes(torch("12.6"), gpus, selection=STANDARD)
    assert named(plan, "two_ranks") == named(plan, "peer_to_peer") == expected


def test_what_does_not_apply_says_why_and_is_missed_only_where_it_was_named() -> None:
    for selection, wanted in ((STANDARD, False), (Selection(only=("jiterator",)), True)):
        plan = plan_probes(torch(None), (), selection=selection)
        (result,) = [r for r in plan.not_run if r.name == "jiterator"]
        assert (result.outcome, result.detail, result.wanted) == (
            Outcome.NOT_RUN,
            "it needs an NVIDIA GPU",
            wanted,
        )


@pytest.mark.parametrize(
    ("level", "more"),
    [(Level.QUICK, set()), (Level.STANDARD, {"rnn"}), (Level.LONG, {"rnn", "sustained"})],
)
def test_each_level_holds_the_ones_before_it(level: Level, more: set[str]) -> None:
    names = {p.name for p in plan_probes(torch(None), (), selection=Selection(level)).probes}
    assert names & {"rnn", "sustained"} == more
    assert names >= {"import", *(step.name for step in QUICK)}


def test_only_takes_from_any_level_and_skip_leaves_out() -> None:
    plan = plan_probes(torch(None), (), selection=Selection(only=("sweep", "rnn"), skip=("rnn",)))
    assert [p.name for p in plan.probes] == ["sweep"]
    assert plan.notes == (
        "only what was named was probed: sweep, rnn (--only)",
        "left out: rnn (--skip)",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vision", "this environment has no torchvision"),
        ("jax", "this environment has no jax"),
        ("together", "no two GPU frameworks are in this environment"),
    ],
)
def test_what_was_named_and_cannot_be_had_is_never_a_pass(name: str, reason: str) -> None:
    plan = plan_probes(torch(None), (), selection=Selection(only=(name,)))
    assert [(r.name, r.detail, r.wanted) for r in plan.not_run] == [(name, reason, True)]
    assert plan.probes == ()


def test_a_step_of_a_plug_in_runs_where_its_modules_are() -> None:
    step = Step("kernels", "/plug/in.py", frameworks=("torch", "kernels"))
    assert not named(plan_probes(torch("12.6"), GPUS, more=[step]), "kernels")
    found = Discovered("3.12", frozenset({"torch", "kernels"}), torch_cuda="12.6")
    assert named(plan_probes(found, GPUS, more=[step]), "kernels") == [(0, "GPU-aa"), (1, "GPU-bb")]
    assert "kernels" in str(discovery([step]).arguments["modules"])


@pytest.mark.parametrize(
    ("only", "words"),
    [
        pytest.param(
            ("matmull",), "--only matmull: there is no such probe; did you mean matmul?", id="near"
        ),
        pytest.param(("zzz",), "--only zzz: there is no such probe", id="nothing near"),
    ],
)
def test_a_name_that_no_probe_has_is_an_error_with_the_nearest(
    only: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        selection_of("quick", only, ())
    assert str(caught.value) == words
    assert (
        selection_of("long", ["kernels"], ["import"], [Step("kernels", "/k.py")]).level
        is Level.LONG
    )


def test_a_name_is_a_step_of_one_kind() -> None:
    torch_names = [step.name for step in (*TORCH_STEPS, *OTHER_STEPS)]
    assert len(torch_names) == len(set(torch_names))
    assert {step.name for step in NUMPY_STEPS} <= set(torch_names)
    scripts = Path(envguard.__path__[0]) / "probes"
    assert [s.script for s in OWN_STEPS if not (scripts / s.script).is_file()] == []


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
        pytest.param("MIG-11,MIG-22", [0, 1], id="slices, in the order said"),
    ],
)
def test_cuda_visible_devices_is_obeyed(visible: str | None, expected: list[int]) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    gpus = gpus_to_probe(Machine("linux-64", gpus=GPUS, environment=environment))
    assert gpus is not None
    assert [gpu.index for gpu in gpus] == expected


def test_a_slice_is_seen_by_its_own_uuid_and_is_of_the_one_card_that_is_cut_up() -> None:
    gpus = (GPUS[0], replace(GPUS[1], mig=True))
    machine = Machine("linux-64", gpus=gpus, environment={"CUDA_VISIBLE_DEVICES": "MIG-11"})
    (gpu,) = gpus_to_probe(machine) or ()
    assert (gpu.uuid, gpu.name, gpu.mig) == ("MIG-11", "NVIDIA A100", True)
    (probe, *_) = [p for p in plan_probes(torch("12.6"), (gpu,)).probes if p.gpu is not None]
    assert probe.device == "MIG-11"


def test_a_card_that_is_cut_up_says_which_slice_is_probed() -> None:
    plan = plan_probes(torch("12.6"), (replace(GPUS[0], mig=True),))
    assert plan.notes[0].startswith("gpu0 is cut into slices (MIG)")


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


def test_where_all_is_left_out_nothing_is_proven() -> None:
    selection = selection_of("quick", ("matmul",), ("matmul",))
    plan = plan_probes(Discovered("3.12", frozenset({"numpy"})), (), selection=selection)
    assert not plan.probes
    assert [(f.rule, f.status) for f in plan.findings] == [("EG710", Status.UNKNOWN)]
    assert plan.findings[0].message == "--skip matmul leaves nothing of what was asked for"
