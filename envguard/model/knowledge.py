"""Everything known about drivers, builds and bad combinations, as data with sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envguard.model.architecture import Architecture
from envguard.model.extension import CudaLibraries, HostCompiler, TorchPins, WheelTag
from envguard.model.framework import FrameworkBuilds, FrameworkCudnn, TorchCudnn, TorchNccl
from envguard.model.gpu_peak import GpuPeak
from envguard.model.gpu_variant import GpuVariants, PtxMakers
from envguard.model.image import CudaImages, PytorchImages
from envguard.model.import_names import ImportName, StdlibChange
from envguard.model.loaded import LoadedClash, LoadedFamily
from envguard.model.origin import Origin
from envguard.model.rule import Rule
from envguard.model.spec_facts import (
    BuildNames,
    OnePlatform,
    Processors,
    PythonEnd,
    TorchPythons,
)
from envguard.model.target import VirtualPackage
from envguard.model.version import ComputeCapability, Dotted


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A card: its name without vendor and variant (`A100`, `GeForce RTX 4090`), and what it is."""

    name: str
    compute_capability: ComputeCapability
    family: str
    kind: str
    """data-center, geforce, pro, jetson ..."""
    origin: Origin
    subdir: str | None = None
    """The only platform that the card comes with; None = any."""


@dataclass(frozen=True, slots=True)
class DriverBranch:
    """Drivers from `first` on support CUDA `cuda`, until the next branch. `os`: linux or win."""

    branch: int
    os: str
    first: Dotted
    cuda: Dotted
    origin: Origin


@dataclass(frozen=True, slots=True)
class DriverFloor:
    """The oldest driver for programs of a CUDA from `cuda` on and before `before`. `os`: linux or win.

    A driver that reports at least `driver_cuda` is above the floor for certain, one that reports less
    than `reports` (None: than `cuda`) below it. Sources disagree about the drivers from `disputed_from`
    up to the floor.
    """

    os: str
    cuda: Dotted
    before: Dotted
    driver: Dotted
    driver_cuda: Dotted
    origin: Origin
    disputed_from: Dotted | None = None
    reports: Dotted | None = None


@dataclass(frozen=True, slots=True)
class ToolkitDriver:
    """The driver that the first release of a CUDA came with; None = it came with none on that OS."""

    cuda: Dotted
    linux: Dotted | None
    win: Dotted | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class DriverDrop:
    """Drivers from `driver` on do not drive cards of `from_` <= compute capability < `below`."""

    driver: Dotted
    from_: ComputeCapability
    below: ComputeCapability
    family: str
    last_branch: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class DriverFirst:
    """The first driver that knows cards of a compute capability."""

    compute_capability: ComputeCapability
    driver: Dotted
    family: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class CudaCompat:
    """The driver branches that a cuda-compat for a CUDA runs on."""

    cuda: Dotted
    branches: tuple[int, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class CudaCompatCards:
    """Whether a cuda-compat works on a kind of card (see GpuModel); None = the sources do not say which."""

    kind: str
    works: bool | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class ToolkitArchitecture:
    """First and last CUDA with code for an architecture; `last` is None while it is supported."""

    compute_capability: ComputeCapability
    first: Dotted
    last: Dotted | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class CudnnFloor:
    """The oldest cards that a cuDNN (a version spec) for a CUDA major has kernels for.

    No source was found for the cards from `unknown_from` up to them; None = it has none for older ones.
    """

    cudnn: str
    cuda_major: int
    compute_capability: ComputeCapability
    origin: Origin
    unknown_from: ComputeCapability | None = None


@dataclass(frozen=True, slots=True)
class TorchBuilds:
    """The architectures that CUDA builds of PyTorch hold. `torch` is a version spec.

    `channel` is conda-forge, pytorch or wheel. Sources disagree about `uncertain`.
    """

    channel: str
    subdir: str
    torch: str
    cuda: tuple[Dotted, ...]
    architectures: tuple[Architecture, ...]
    uncertain: tuple[Architecture, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class TorchDefault:
    """What the wheel of PyTorch on PyPI is: `cuda` is None for a CPU build."""

    subdir: str
    torch: str
    cuda: Dotted | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class TorchPairs:
    """Which release of `package` belongs to which of PyTorch, up to version `until` of it."""

    package: str
    until: str
    pairs: Mapping[str, str]
    """PyTorch's X.Y to the package's X.Y."""
    origin: Origin
    after: str | None = None
    """The PyTorch that versions past `until` take, as a version spec; None = not tabled."""


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """Names (globs) that ask for a GPU (`asks`), or may (`may_ask`). `manager` None = conda and pip."""

    names: tuple[str, ...]
    kind: str
    manager: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class FrozenPackage:
    """A package of a channel that gets no more releases; `versions` are all it has, oldest first."""

    channel: str
    package: str
    versions: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All tables and rules, loaded once."""

    date: str
    gpus: tuple[GpuModel, ...] = ()
    driver_branches: tuple[DriverBranch, ...] = ()
    baselines: Mapping[str, tuple[VirtualPackage, ...]] = field(default_factory=dict)
    """By subdir: the virtual packages a machine of that subdir is taken to have when nobody says."""
    driver_floors: tuple[DriverFloor, ...] = ()
    toolkit_drivers: tuple[ToolkitDriver, ...] = ()
    driver_drops: tuple[DriverDrop, ...] = ()
    driver_firsts: tuple[DriverFirst, ...] = ()
    cuda_compat: tuple[CudaCompat, ...] = ()
    cuda_compat_cards: tuple[CudaCompatCards, ...] = ()
    toolkit_architectures: tuple[ToolkitArchitecture, ...] = ()
    cudnn_floors: tuple[CudnnFloor, ...] = ()
    torch_builds: tuple[TorchBuilds, ...] = ()
    torch_defaults: tuple[TorchDefault, ...] = ()
    torch_pairs: tuple[TorchPairs, ...] = ()
    gpu_requests: tuple[GpuRequest, ...] = ()
    frozen_packages: tuple[FrozenPackage, ...] = ()
    pytorch_images: tuple[PytorchImages, ...] = ()
    cuda_images: tuple[CudaImages, ...] = ()
    framework_builds: tuple[FrameworkBuilds, ...] = ()
    framework_cudnn: tuple[FrameworkCudnn, ...] = ()
    torch_cudnn: tuple[TorchCudnn, ...] = ()
    torch_nccl: tuple[TorchNccl, ...] = ()
    torch_pins: tuple[TorchPins, ...] = ()
    wheel_tags: tuple[WheelTag, ...] = ()
    host_compilers: tuple[HostCompiler, ...] = ()
    cuda_libraries: tuple[CudaLibraries, ...] = ()
    build_names: tuple[BuildNames, ...] = ()
    processors: tuple[Processors, ...] = ()
    python_ends: tuple[PythonEnd, ...] = ()
    gpu_variants: tuple[GpuVariants, ...] = ()
    ptx_makers: tuple[PtxMakers, ...] = ()
    torch_pythons: tuple[TorchPythons, ...] = ()
    one_platform: tuple[OnePlatform, ...] = ()
    gpu_peaks: tuple[GpuPeak, ...] = ()
    loaded_families: tuple[LoadedFamily, ...] = ()
    loaded_clashes: tuple[LoadedClash, ...] = ()
    import_names: tuple[ImportName, ...] = ()
    stdlib_changes: tuple[StdlibChange, ...] = ()
    rules: tuple[Rule, ...] = ()
    lint: bool = False
    """Whether rules that stop no GPU are asked, too."""
    pypi_names: Mapping[str, str] = field(default_factory=dict)
    """conda names to those of PyPI, where they differ."""

    def newest_branch(self, *, os: str) -> DriverBranch | None:
        """The newest branch of drivers that is tabled for linux or win; None where none is."""
        branches = [branch for branch in self.driver_branches if branch.os == os]
        return max(branches, key=lambda branch: branch.first, default=None)

    def driver_cuda(self, version: Dotted, *, os: str) -> Dotted | None:
        """The newest CUDA that a driver supports; None where no branch is tabled for it."""
        fitting = [b for b in self.driver_branches if b.os == os and b.first <= version]
        return max(fitting, key=lambda branch: branch.first).cuda if fitting else None
