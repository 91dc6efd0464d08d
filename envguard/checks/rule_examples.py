"""The examples that a rule carries: each is a case, and says whether the rule finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envguard.checks.case import Case, case_of
from envguard.checks.packages import evaluate
from envguard.checks.record_lines import record_of_line
from envguard.model.knowledge import Knowledge
from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.rule import Rule, RuleExample
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

FINDS = {True: "yes", False: "no", None: "unknown"}


def failed_examples(rules: Iterable[Rule], knowledge: Knowledge) -> Iterator[str]:
    """One line for each example that its rule does not answer as it says."""
    for rule in rules:
        for number, example in enumerate(rule.examples, start=1):
            found = FINDS[evaluate(rule.when, case_of_example(example, knowledge))]
            if found != example.finds:
                yield f"{rule.id}: example {number} finds {found!r}, and says {example.finds!r}"


def case_of_example(example: RuleExample, knowledge: Knowledge) -> Case:
    """The packages of an example on its machine. What it does not say was not observed."""
    site = example.user_site
    machine, variables = _machine(example)
    return case_of(
        Target("example", machine),
        [record_of_line(line) for line in example.packages],
        knowledge,
        channels=example.channels,
        installed=site is not None,
        user_site=None if site is None else tuple(map(record_of_line, site)),
        variables=variables,
    )


def _machine(example: RuleExample) -> tuple[Machine, dict[str, str] | None]:
    """The machine, and its variables: what is no fact of a machine; `variables: none` says so."""
    said = dict(example.machine)
    driver, capability = said.pop("driver", None), said.pop("compute_capability", None)
    glibc, flags = said.pop("glibc", None), said.pop("cpu_flags", None)
    shared, mig = said.pop("shm_mb", None), said.pop("mig", None)
    gpu = Gpu(
        0,
        compute_capability=ComputeCapability.parse(capability) if capability else None,
        mig=None if mig is None else mig == "yes",
    )
    machine = Machine(
        example.subdir,
        glibc=Dotted.parse(glibc) if glibc else None,
        cpu_flags=frozenset(flags.split()) if flags is not None else None,
        driver=Driver(Dotted.parse(driver)) if driver else None,
        gpus=(gpu,) if capability or mig else None,
        container=said.pop("container", None),
        shm_bytes=int(shared) * 2**20 if shared else None,
    )
    variables = {name: value for name, value in said.items() if name != "variables"}
    return machine, variables if said else None
