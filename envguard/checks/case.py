"""One question: these packages, on that machine, by this knowledge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from envguard.checks.torch_build import TorchBuild, build_cuda, major_minor, torch_build
from envguard.model.architecture import LibraryCode
from envguard.model.knowledge import DriverFloor, Knowledge
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted

_RUNTIMES = re.compile(
    r"cudatoolkit|cuda-cudart|pytorch-cuda|nvidia-cuda-runtime(-cu\d+)?|cuda-toolkit"
)
_NAMED_MAJOR = re.compile(r"(?:cupy-cuda|jax-cuda)(\d+)(?:x|-plugin|-pjrt)?")


@dataclass(frozen=True, slots=True)
class CudaNeed:
    """The newest CUDA that a package was built for or brings.

    `program` is false where there are only libraries: nothing here is useless without a GPU.
    """

    cuda: Dotted
    record: PackageRecord
    program: bool


@dataclass(frozen=True, slots=True)
class Case:
    """What every check gets. `driver` is the machine's, with the user's overrides obeyed.

    `cards` are the NVIDIA GPUs; None = not observed. `os` is whose driver floors apply: linux or win.
    `user_site` and `variables` are None where nobody looked; `installed` is false where there is no
    environment on disk that could have a user site.
    """

    target: Target
    records: tuple[PackageRecord, ...]
    knowledge: Knowledge
    driver: Driver | DriverState | None
    cards: tuple[Gpu, ...] | None
    os: str
    torch: TorchBuild | None
    need: CudaNeed | None
    channels: tuple[str, ...] = ()
    installed: bool = False
    complete: bool = True
    """Whether `records` is all there is; false for the pins of an environment.yml."""
    user_site: tuple[PackageRecord, ...] | None = None
    variables: Mapping[str, str] | None = None
    torch_code: LibraryCode | None = None
    """What PyTorch's library holds, where it is on disk: it beats the tables."""
    by_name: Mapping[str, tuple[PackageRecord, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grouped: dict[str, tuple[PackageRecord, ...]] = {}
        for record in self.records:
            grouped[record.name] = (*grouped.get(record.name, ()), record)
        object.__setattr__(self, "by_name", grouped)

    def named(self, names: tuple[str, ...]) -> tuple[PackageRecord, ...]:
        """The packages of these names; a name may be a glob."""
        found: list[PackageRecord] = []
        for name in names:
            if "*" not in name:
                found += self.by_name.get(name, ())
                continue
            for known, records in self.by_name.items():
                if fnmatchcase(known, name):
                    found += records
        return tuple(found)

    @property
    def machine(self) -> Machine:
        return self.target.machine

    @property
    def subdir(self) -> str:
        return self.target.subdir

    @property
    def driver_cuda(self) -> Dotted | None:
        """The newest CUDA that the driver reports, or that the table gives for its version."""
        if not isinstance(self.driver, Driver):
            return None
        if self.driver.cuda is not None or self.driver.version is None or self.tegra:
            return self.driver.cuda
        return self.knowledge.driver_cuda(self.driver.version, os=self.os)

    @property
    def tegra(self) -> bool:
        """Whether a card is a Jetson: its driver numbers are not those of the tables."""
        return any(is_tegra(card, self.knowledge) for card in self.cards or ())

    def floor(self, cuda: Dotted) -> DriverFloor | None:
        """The driver floor of a CUDA; None = not tabled."""
        for floor in self.knowledge.driver_floors:
            if floor.os == self.os and floor.cuda <= cuda < floor.before:
                return floor
        return None

    def with_torch(self, torch: TorchBuild) -> Case:
        """The same question about another build of PyTorch."""
        return replace(self, torch=torch, need=_need_of_torch(torch), torch_code=None)


def case_of(
    target: Target,
    records: Sequence[PackageRecord],
    knowledge: Knowledge,
    *,
    channels: tuple[str, ...] = (),
    installed: bool = False,
    complete: bool = True,
    user_site: tuple[PackageRecord, ...] | None = None,
    variables: Mapping[str, str] | None = None,
    torch_code: LibraryCode | None = None,
) -> Case:
    """Everything that can be read off packages and machine before judging."""
    judged = target.for_judging()
    judged = replace(judged, machine=_obeying_overrides(judged.machine))
    torch = torch_build(records, judged.subdir, knowledge)
    return Case(
        target=judged,
        records=tuple(records),
        knowledge=knowledge,
        driver=judged.machine.driver,
        cards=judged.machine.nvidia_gpus,
        os="win" if _windows_driver(judged.machine) else "linux",
        torch=torch,
        need=_cuda_need(records, torch),
        channels=channels,
        installed=installed,
        complete=complete,
        user_site=user_site,
        variables=variables,
        torch_code=torch_code,
    )


def is_tegra(card: Gpu, knowledge: Knowledge) -> bool:
    """Whether a card is a Jetson, by its compute capability."""
    return any(
        gpu.kind == "jetson" and gpu.compute_capability == card.compute_capability
        for gpu in knowledge.gpus
    )


def _windows_driver(machine: Machine) -> bool:
    return machine.subdir.startswith("win-") or machine.platform == "wsl2"


def _obeying_overrides(machine: Machine) -> Machine:
    return replace(machine, driver=_driver(machine), gpus=_gpus(machine))


def _driver(machine: Machine) -> Driver | DriverState | None:
    """The driver, with CONDA_OVERRIDE_CUDA obeyed: the empty text hides it."""
    if machine.cuda_override is None:
        return machine.driver
    if not machine.cuda_override:
        return DriverState.ABSENT
    return Driver(version=None, cuda=Dotted.parse(machine.cuda_override))


def _gpus(machine: Machine) -> tuple[Gpu, ...] | None:
    """The GPUs, with CONDA_OVERRIDE_CUDA_ARCH obeyed: the empty text hides what NVIDIA's cards are."""
    override = machine.cuda_arch_override
    if override is None:
        return machine.gpus
    if not override:
        if machine.gpus is None:
            return None
        return tuple(
            replace(gpu, compute_capability=None) if gpu.vendor == "nvidia" else gpu
            for gpu in machine.gpus
        )
    others = tuple(gpu for gpu in machine.gpus or () if gpu.vendor != "nvidia")
    return (Gpu(index=0, compute_capability=ComputeCapability.parse(override)), *others)


def _need_of_torch(torch: TorchBuild) -> CudaNeed | None:
    if torch.cuda is None:
        return None
    return CudaNeed(torch.cuda, torch.record, program=True)


def _cuda_need(records: Sequence[PackageRecord], torch: TorchBuild | None) -> CudaNeed | None:
    """The newest CUDA; PyTorch's own where it has that major. None = nothing here has CUDA."""
    ours = _need_of_torch(torch) if torch is not None else None
    names = {"pytorch", "libtorch", "torch"}
    others = [
        CudaNeed(cuda, record, program=_is_program(record))
        for record in records
        if record.name not in names and (cuda := record_cuda(record)) is not None
    ]
    newest = max(others, key=lambda need: (need.cuda, need.program), default=None)
    if ours is not None and (newest is None or newest.cuda.major <= ours.cuda.major):
        return ours
    if newest is None:
        return None
    program = next((need for need in others if need.program and need.cuda == newest.cuda), None)
    return program or replace(newest, program=any(need.program for need in others))


def record_cuda(record: PackageRecord) -> Dotted | None:
    """The CUDA that a package brings or was built for; None = it has none, or does not say.

    cuda-version alone says nothing: it constrains CPU environments, too.
    """
    if _RUNTIMES.fullmatch(record.name):
        return major_minor(record.version)
    if match := _NAMED_MAJOR.fullmatch(record.name):
        return Dotted.parse(match[1])
    return build_cuda(record.build or "") if record.manager is Manager.CONDA else None


def _is_program(record: PackageRecord) -> bool:
    return bool(_NAMED_MAJOR.fullmatch(record.name)) or any(
        depend.split(" ")[0] == "__cuda" for depend in record.depends
    )
