"""rules/tables/*.yaml to rows of Knowledge. A row without a source is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from envguard.formats import extension_rows, framework_rows
from envguard.formats.gpu_variant_rows import gpu_variants, ptx_makers
from envguard.formats.image_rows import cuda_images, pytorch_images
from envguard.formats.spec_rows import build_names, python_ends
from envguard.formats.strict_yaml import (
    Keys,
    as_capability,
    as_dotted,
    as_pattern,
    as_text,
    as_texts,
    read_keys,
)
from envguard.model import extension, framework, gpu_variant, image, spec_facts
from envguard.model import knowledge as model
from envguard.model.knowledge import Architecture, Knowledge, Origin
from envguard.model.target import VirtualPackage
from envguard.model.version import ComputeCapability, Dotted

_ARCHITECTURE = re.compile(r"(\d+\.\d)([af]?)(\+PTX)?")
_NO_VERSION = Dotted((0,), "0")
_NO_CAPABILITY = ComputeCapability(0, 0)
_OS = ("linux", "win")
as_date = as_pattern(r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-21")


@dataclass(slots=True)
class Tables:
    """The rows of one file; every list may be in any file."""

    collected: str
    sources: dict[str, str]
    gpus: list[model.GpuModel] = field(default_factory=list)
    branches: list[model.DriverBranch] = field(default_factory=list)
    floors: list[model.DriverFloor] = field(default_factory=list)
    toolkits: list[model.ToolkitDriver] = field(default_factory=list)
    drops: list[model.DriverDrop] = field(default_factory=list)
    firsts: list[model.DriverFirst] = field(default_factory=list)
    architectures: list[model.ToolkitArchitecture] = field(default_factory=list)
    cudnn: list[model.CudnnFloor] = field(default_factory=list)
    builds: list[model.TorchBuilds] = field(default_factory=list)
    defaults: list[model.TorchDefault] = field(default_factory=list)
    pairs: list[model.TorchPairs] = field(default_factory=list)
    requests: list[model.GpuRequest] = field(default_factory=list)
    baselines: list[tuple[str, VirtualPackage]] = field(default_factory=list)
    pypi_names: dict[str, str] = field(default_factory=dict)
    frozen: list[model.FrozenPackage] = field(default_factory=list)
    pytorch_images: list[image.PytorchImages] = field(default_factory=list)
    cuda_images: list[image.CudaImages] = field(default_factory=list)
    framework_builds: list[framework.FrameworkBuilds] = field(default_factory=list)
    framework_cudnn: list[framework.FrameworkCudnn] = field(default_factory=list)
    torch_cudnn: list[framework.TorchCudnn] = field(default_factory=list)
    torch_pins: list[extension.TorchPins] = field(default_factory=list)
    wheel_tags: list[extension.WheelTag] = field(default_factory=list)
    host_compilers: list[extension.HostCompiler] = field(default_factory=list)
    build_names: list[spec_facts.BuildNames] = field(default_factory=list)
    python_ends: list[spec_facts.PythonEnd] = field(default_factory=list)
    gpu_variants: list[gpu_variant.GpuVariants] = field(default_factory=list)
    ptx_makers: list[gpu_variant.PtxMakers] = field(default_factory=list)

    def origin(self, row: Keys) -> Origin:
        """Where `row` was read: a key of `sources`, or a URL."""
        written = row.text("source")
        source = self.sources.get(written, written)
        if written and written not in self.sources and "://" not in written:
            row.problem("source", f"{written!r} is neither in `sources` nor a URL")
        date = row.optional("date", as_date) or self.collected
        confidence = row.choice("confidence", ("high", "medium", "low"), "high")
        row.done()
        return Origin(source, date, confidence)


def parse_tables(text: str, where: str) -> Tables:
    """Read one file; raises InputError whose `problems` are `file:line: key: what`."""
    return read_keys(text, where, _tables)


def knowledge_from(files: Iterable[Tables]) -> Knowledge:
    """All rows of all files, in order."""
    files = tuple(files)
    baselines: dict[str, tuple[VirtualPackage, ...]] = {}
    for file in files:
        for subdir, package in file.baselines:
            baselines[subdir] = (*baselines.get(subdir, ()), package)
    return Knowledge(
        date=max((file.collected for file in files), default=""),
        gpus=tuple(row for file in files for row in file.gpus),
        driver_branches=tuple(row for file in files for row in file.branches),
        baselines=baselines,
        driver_floors=tuple(row for file in files for row in file.floors),
        toolkit_drivers=tuple(row for file in files for row in file.toolkits),
        driver_drops=tuple(row for file in files for row in file.drops),
        driver_firsts=tuple(row for file in files for row in file.firsts),
        toolkit_architectures=tuple(row for file in files for row in file.architectures),
        cudnn_floors=tuple(row for file in files for row in file.cudnn),
        torch_builds=tuple(row for file in files for row in file.builds),
        torch_defaults=tuple(row for file in files for row in file.defaults),
        torch_pairs=tuple(row for file in files for row in file.pairs),
        gpu_requests=tuple(row for file in files for row in file.requests),
        frozen_packages=tuple(row for file in files for row in file.frozen),
        pytorch_images=tuple(row for file in files for row in file.pytorch_images),
        cuda_images=tuple(row for file in files for row in file.cuda_images),
        framework_builds=tuple(row for file in files for row in file.framework_builds),
        framework_cudnn=tuple(row for file in files for row in file.framework_cudnn),
        torch_cudnn=tuple(row for file in files for row in file.torch_cudnn),
        torch_pins=tuple(row for file in files for row in file.torch_pins),
        wheel_tags=tuple(row for file in files for row in file.wheel_tags),
        host_compilers=tuple(row for file in files for row in file.host_compilers),
        build_names=tuple(row for file in files for row in file.build_names),
        python_ends=tuple(row for file in files for row in file.python_ends),
        gpu_variants=tuple(row for file in files for row in file.gpu_variants),
        ptx_makers=tuple(row for file in files for row in file.ptx_makers),
        pypi_names={name: pypi for file in files for name, pypi in file.pypi_names.items()},
    )


def _tables(keys: Keys) -> Tables:
    tables = Tables(keys.read("collected", as_date, ""), keys.texts_by_name("sources"))
    for row in keys.rows("gpus"):
        tables.gpus += _gpus(row, tables)
    _driver_tables(keys, tables)
    _build_tables(keys, tables)
    for row in keys.rows("baselines"):
        package = VirtualPackage(row.text("name"), row.text("version"), row.text("build", "0"))
        tables.baselines.append((row.text("subdir"), package))
        tables.origin(row)
    for row in keys.rows("frozen_packages"):
        tables.frozen.append(
            model.FrozenPackage(
                row.text("channel"), row.text("package"), row.texts("versions"), tables.origin(row)
            )
        )
    tables.pytorch_images = pytorch_images(keys, tables.origin)
    tables.cuda_images = cuda_images(keys, tables.origin)
    _stack_tables(keys, tables)
    tables.build_names = build_names(keys, tables.origin)
    tables.python_ends = python_ends(keys, tables.origin)
    tables.gpu_variants = gpu_variants(keys, tables.origin)
    tables.ptx_makers = ptx_makers(keys, tables.origin)
    for row in keys.rows("pypi_names"):
        tables.pypi_names[row.text("conda")] = row.text("pypi")
        tables.origin(row)
    for row in keys.rows("gpu_requests"):
        tables.requests.append(
            model.GpuRequest(
                names=row.texts("names"),
                kind=row.choice("kind", ("asks", "may_ask")),
                manager=row.maybe("manager"),
                origin=tables.origin(row),
            )
        )
    return tables


def _gpus(row: Keys, tables: Tables) -> list[model.GpuModel]:
    names = row.texts("names")
    capability = _capability(row, "compute_capability")
    family, kind, subdir = row.text("family"), row.text("kind"), row.maybe("subdir")
    origin = tables.origin(row)
    return [model.GpuModel(name, capability, family, kind, origin, subdir) for name in names]


def _driver_tables(keys: Keys, tables: Tables) -> None:
    for row in keys.rows("driver_branches"):
        tables.branches.append(
            model.DriverBranch(
                branch=row.whole("branch"),
                os=row.choice("os", _OS),
                first=_dotted(row, "first"),
                cuda=_dotted(row, "cuda"),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("driver_floors"):
        tables.floors.append(
            model.DriverFloor(
                os=row.choice("os", _OS),
                cuda=_dotted(row, "cuda"),
                before=_dotted(row, "before"),
                driver=_dotted(row, "driver"),
                driver_cuda=_dotted(row, "driver_cuda"),
                disputed_from=row.optional("disputed_from", as_dotted),
                reports=row.optional("reports", as_dotted),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("toolkit_drivers"):
        tables.toolkits.append(
            model.ToolkitDriver(
                cuda=_dotted(row, "cuda"),
                linux=row.optional("linux", as_dotted),
                win=row.optional("win", as_dotted),
                origin=tables.origin(row),
            )
        )
    _card_tables(keys, tables)


def _card_tables(keys: Keys, tables: Tables) -> None:
    for row in keys.rows("driver_drops"):
        tables.drops.append(
            model.DriverDrop(
                driver=_dotted(row, "driver"),
                from_=_capability(row, "from"),
                below=_capability(row, "below"),
                family=row.text("family"),
                last_branch=row.whole("last_branch"),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("driver_firsts"):
        tables.firsts.append(
            model.DriverFirst(
                compute_capability=_capability(row, "compute_capability"),
                driver=_dotted(row, "driver"),
                family=row.text("family"),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("toolkit_architectures"):
        tables.architectures.append(
            model.ToolkitArchitecture(
                compute_capability=_capability(row, "compute_capability"),
                first=_dotted(row, "first"),
                last=row.optional("last", as_dotted),
                origin=tables.origin(row),
            )
        )


def _build_tables(keys: Keys, tables: Tables) -> None:
    for row in keys.rows("cudnn_floors"):
        tables.cudnn.append(
            model.CudnnFloor(
                cudnn=row.text("cudnn"),
                cuda_major=row.whole("cuda_major"),
                compute_capability=_capability(row, "compute_capability"),
                unknown_from=row.optional("unknown_from", as_capability),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("torch_builds"):
        tables.builds.append(
            model.TorchBuilds(
                channel=row.choice("channel", ("conda-forge", "pytorch", "wheel")),
                subdir=row.text("subdir"),
                torch=row.text("torch"),
                cuda=row.read("cuda", _several_dotted, ()),
                architectures=row.read("architectures", _architectures, ()),
                uncertain=row.optional("uncertain", _architectures) or (),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("torch_pypi"):
        tables.defaults.append(
            model.TorchDefault(
                subdir=row.text("subdir"),
                torch=row.text("torch"),
                cuda=row.read("build", _cuda_or_cpu, None),
                origin=tables.origin(row),
            )
        )
    for row in keys.rows("torch_pairs"):
        tables.pairs.append(
            model.TorchPairs(
                package=row.text("package"),
                until=row.text("until"),
                pairs=row.texts_by_name("pairs"),
                after=row.maybe("after"),
                origin=tables.origin(row),
            )
        )


def _stack_tables(keys: Keys, tables: Tables) -> None:
    """What stands on CUDA or on PyTorch: other frameworks, extensions, and what compiles them."""
    origin = tables.origin
    tables.framework_builds = framework_rows.framework_builds(keys, origin, _architectures)
    tables.framework_cudnn = framework_rows.framework_cudnn(keys, origin)
    tables.torch_cudnn = framework_rows.torch_cudnn(keys, origin)
    tables.torch_pins = extension_rows.torch_pins(keys, origin)
    tables.wheel_tags = extension_rows.wheel_tags(keys, origin)
    tables.host_compilers = extension_rows.host_compilers(keys, origin)


def _dotted(row: Keys, key: str) -> Dotted:
    return row.read(key, as_dotted, _NO_VERSION)


def _capability(row: Keys, key: str) -> ComputeCapability:
    return row.read(key, as_capability, _NO_CAPABILITY)


def _several_dotted(value: object) -> tuple[Dotted, ...]:
    return tuple(Dotted.parse(text) for text in as_texts(value))


def _cuda_or_cpu(value: object) -> Dotted | None:
    return None if value == "cpu" else as_dotted(value)


def _architectures(value: object) -> tuple[Architecture, ...]:
    """Read `7.5 9.0a 12.0+PTX`."""
    found = []
    for word in as_text(value).split():
        match = _ARCHITECTURE.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is no architecture such as 9.0, 9.0a or 12.0+PTX")
        found.append(Architecture(ComputeCapability.parse(match[1]), bool(match[3]), match[2]))
    return tuple(found)
