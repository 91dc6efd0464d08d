"""The contract as other programs enforce it admits the machines that the contract passes, and no others."""

from __future__ import annotations

import re

import kubernetes_validate
import pytest
import yaml

from envguard.adapters.rules import load
from envguard.checks.contract import judge_contract
from envguard.checks.contract_needs import contract_of
from envguard.commands.locking.contract import with_contract
from envguard.errors import InputError
from envguard.formats.renders import render
from envguard.formats.renders.docker_env import NAME
from envguard.model.lockfile import LockedPackage, Lockfile
from envguard.model.rendering import OF_THE_CONTRACT, RenderKind
from envguard.model.report import Status
from envguard.model.version import Dotted
from tests.unit.checks.cases import CPU, CUDA129, record, target

CARDS = ("5.2", "6.1", "7.0", "7.5", "8.0", "8.6", "9.0", "10.0", "12.0")
DRIVERS = ("450.80.02", "525.60.12", "525.60.13", "525.61", "575.51.03", "590.48.01")
KNOWN = [
    (card, driver)
    for card in CARDS
    for driver in DRIVERS
    if all(
        first.driver <= Dotted.parse(driver)
        for first in load().driver_firsts
        if str(first.compute_capability) == card
    )
]
"""A driver that does not know a card yet shows it to nobody, so nothing is to be enforced."""


def lock_of(*lines: str) -> Lockfile:
    lock = Lockfile(
        platforms=("linux-64",),
        packages=tuple(LockedPackage(record(line), "linux-64") for line in lines),
    )
    return with_contract(lock, load())


def text_of(lock: Lockfile, kind: RenderKind) -> str:
    [rendered] = render(lock, kind)
    return rendered.text


def admitted_by_container(text: str, facts: dict[str, Dotted]) -> bool:
    """NVIDIA's runtime: spaces are alternatives, commas hold together."""
    value = next(line for line in text.splitlines() if line.startswith(NAME)).partition("=")[2]
    return any(
        all(holds(facts, constraint) for constraint in alternative.split(","))
        for alternative in value.split(" ")
    )


def holds(facts: dict[str, Dotted], constraint: str) -> bool:
    name, operator, value = re.fullmatch(r"([a-z]+)(>=|<=|<|>)(.+)", constraint).groups()
    fact, limit = facts[name], Dotted.parse(value)
    return {">=": fact >= limit, ">": fact > limit, "<": fact < limit, "<=": fact <= limit}[
        operator
    ]


def admitted_by_node(text: str, facts: dict[str, Dotted]) -> bool:
    """Kubernetes: terms are alternatives, expressions hold together, Gt and Lt compare integers."""
    affinity = yaml.safe_load(text)["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    for fact, label, parts in (
        ("driver", "nvidia.com/cuda.driver", ("major", "minor", "rev")),
        ("cuda", "nvidia.com/cuda.runtime", ("major", "minor")),
        ("arch", "nvidia.com/gpu.compute", ("major", "minor")),
    ):
        numbers = [*facts[fact].parts, 0, 0]
        labels |= {f"{label}.{part}": str(n) for part, n in zip(parts, numbers, strict=False)}
    return any(all(fits(labels, e) for e in term["matchExpressions"]) for term in terms)


def fits(labels: dict[str, str], expression: dict[str, object]) -> bool:
    value, wanted = labels[expression["key"]], expression["values"]
    if expression["operator"] == "In":
        return value in wanted
    [limit] = map(int, wanted)
    return int(value) > limit if expression["operator"] == "Gt" else int(value) < limit


@pytest.mark.parametrize("packages", [CUDA129, "pytorch 2.0.1 py3.10_cuda11.8_cudnn8.7.0_0"])
@pytest.mark.parametrize(("card", "driver"), KNOWN)
def test_what_is_admitted_is_what_the_contract_passes(packages, card, driver):
    knowledge = load()
    lock = lock_of(packages)
    contract = contract_of(lock.records_for("linux-64"), "linux-64", knowledge)
    findings = judge_contract(contract, target(card, driver=driver), knowledge)
    refused = {f.rule for f in findings if f.status in (Status.FAIL, Status.UNKNOWN)}
    cuda = knowledge.driver_cuda(Dotted.parse(driver), os="linux")
    facts = {"driver": Dotted.parse(driver), "cuda": cuda, "arch": Dotted.parse(card)}
    admitted = not refused
    assert admitted_by_container(text_of(lock, RenderKind.DOCKER_ENV), facts) is admitted
    assert admitted_by_node(text_of(lock, RenderKind.NODE_AFFINITY), facts) is admitted


def test_a_pod_with_the_affinity_is_valid():
    affinity = yaml.safe_load(text_of(lock_of(CUDA129), RenderKind.NODE_AFFINITY))
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "train"},
        "spec": {**affinity, "containers": [{"name": "a", "image": "b"}]},
    }
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**pod, "spec": {}}, "1.33", strict=True)
    kubernetes_validate.validate(pod, "1.33", strict=True)


def test_packages_that_need_no_gpu_ask_for_none():
    lock = lock_of(CPU)
    assert NAME not in text_of(lock, RenderKind.DOCKER_ENV)
    assert "gres" not in text_of(lock, RenderKind.SBATCH).replace("no --gres", "")
    assert "nvidia.com" not in text_of(lock, RenderKind.NODE_AFFINITY)


def test_a_job_asks_for_a_gpu_and_ends_on_a_node_that_cannot():
    lines = text_of(lock_of(CUDA129), RenderKind.SBATCH).splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "#SBATCH --gres=gpu:1" in lines
    assert lines[-1] == "envguard check conda-lock.yml --for here || exit 1"
    assert all(line.startswith("#") for line in lines[:-1])


@pytest.mark.parametrize("kind", OF_THE_CONTRACT)
def test_a_lock_without_a_contract_is_told(kind):
    with pytest.raises(InputError, match="says nothing of what linux-64 needs"):
        render(Lockfile(platforms=("linux-64",)), kind)
