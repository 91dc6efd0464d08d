"""Packages and machines that several tests of the checks use, in one line each."""

from __future__ import annotations

from envguard.adapters.rules import load
from envguard.checks.case import Case, case_of
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

KNOWLEDGE = load()
CUDA129 = "pytorch 2.7.1 cuda129_mkl_py312_h43be9e4_302"
CUDA126 = "pytorch 2.7.0 cuda126_mkl_py312_h5ee0071_300"
CUDA130 = "pytorch 2.10.0 cuda130_mkl_py312_hbad622b_305"
CUDA118 = "pytorch 2.4.0 cuda118_py311h4ee7bbc_300"
FROZEN118 = "pytorch 2.0.1 py3.10_cuda11.8_cudnn8.7.0_0 channel:pytorch"
CPU = "pytorch 2.10.0 cpu_mkl_py313_h626f1c5_101"
UNSAID = "unsaid"


def record(line: str) -> PackageRecord:
    """`name version [build] [manager:pip] [channel:NAME] [url:URL] [depends:SPEC_WITH_UNDERSCORES]`."""
    words = line.split()
    options = dict(word.split(":", 1) for word in words[2:] if ":" in word)
    build = next((word for word in words[2:] if ":" not in word), None)
    manager = Manager(options.get("manager", "conda"))
    channel = options.get("channel", "conda-forge" if manager is Manager.CONDA else None)
    depends = (options["depends"].replace("~", " "),) if "depends" in options else ()
    return PackageRecord(
        words[0],
        words[1],
        manager=manager,
        build=build,
        channel=channel,
        url=options.get("url"),
        depends=depends,
    )


def target(
    *cards: str | None,
    driver: str | DriverState | None = None,
    cuda: str | None = None,
    subdir: str = "linux-64",
    given: bool = True,
    seen: bool = True,
    **machine: object,
) -> Target:
    """Cards by compute capability (None = not known). `seen` false: nobody looked for cards."""
    state: Driver | DriverState | None
    if isinstance(driver, str) or cuda is not None:
        state = Driver(
            Dotted.parse(driver) if isinstance(driver, str) else None,
            Dotted.parse(cuda) if cuda else None,
        )
    else:
        state = driver
    gpus = tuple(
        Gpu(index, compute_capability=ComputeCapability.parse(card) if card else None)
        for index, card in enumerate(cards)
    )
    return Target(
        "the-target",
        Machine(subdir, driver=state, gpus=gpus if seen else None, **machine),  # type: ignore[arg-type]
        given=given,
    )


def case(asked: Target, *lines: str, **more: object) -> Case:
    return case_of(asked, [record(line) for line in lines], KNOWLEDGE, **more)  # type: ignore[arg-type]


def answers(findings: object) -> list[tuple[str, Status]]:
    """Rule and status of each finding."""
    return [(f.rule, f.status) for f in findings if isinstance(f, Finding)]  # type: ignore[attr-defined]
