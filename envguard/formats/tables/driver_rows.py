"""The rows about drivers, cards and toolkits."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.formats.strict_yaml import Keys, as_capability, as_dotted, as_wholes
from envguard.formats.tables.table_values import OS, Sources, capability, dotted
from envguard.model import knowledge as model
from envguard.model.target import VirtualPackage


def gpus(keys: Keys, origin: Sources) -> Iterator[model.GpuModel]:
    """The rows of `gpus`, one for each of their names."""
    for row in keys.rows("gpus"):
        names, device = row.texts("names"), capability(row, "compute_capability")
        family, kind, subdir = row.text("family"), row.text("kind"), row.maybe("subdir")
        source = origin(row)
        for name in names:
            yield model.GpuModel(name, device, family, kind, source, subdir)


def branches(keys: Keys, origin: Sources) -> Iterator[model.DriverBranch]:
    """The rows of `driver_branches`."""
    for row in keys.rows("driver_branches"):
        yield model.DriverBranch(
            branch=row.whole("branch"),
            os=row.choice("os", OS),
            first=dotted(row, "first"),
            cuda=dotted(row, "cuda"),
            origin=origin(row),
        )


def floors(keys: Keys, origin: Sources) -> Iterator[model.DriverFloor]:
    """The rows of `driver_floors`."""
    for row in keys.rows("driver_floors"):
        yield model.DriverFloor(
            os=row.choice("os", OS),
            cuda=dotted(row, "cuda"),
            before=dotted(row, "before"),
            driver=dotted(row, "driver"),
            driver_cuda=dotted(row, "driver_cuda"),
            disputed_from=row.optional("disputed_from", as_dotted),
            reports=row.optional("reports", as_dotted),
            origin=origin(row),
        )


def toolkits(keys: Keys, origin: Sources) -> Iterator[model.ToolkitDriver]:
    """The rows of `toolkit_drivers`."""
    for row in keys.rows("toolkit_drivers"):
        yield model.ToolkitDriver(
            cuda=dotted(row, "cuda"),
            linux=row.optional("linux", as_dotted),
            win=row.optional("win", as_dotted),
            origin=origin(row),
        )


def drops(keys: Keys, origin: Sources) -> Iterator[model.DriverDrop]:
    """The rows of `driver_drops`."""
    for row in keys.rows("driver_drops"):
        yield model.DriverDrop(
            driver=dotted(row, "driver"),
            from_=capability(row, "from"),
            below=capability(row, "below"),
            family=row.text("family"),
            last_branch=row.whole("last_branch"),
            origin=origin(row),
        )


def firsts(keys: Keys, origin: Sources) -> Iterator[model.DriverFirst]:
    """The rows of `driver_firsts`."""
    for row in keys.rows("driver_firsts"):
        yield model.DriverFirst(
            compute_capability=capability(row, "compute_capability"),
            driver=dotted(row, "driver"),
            family=row.text("family"),
            origin=origin(row),
        )


def cuda_compat(keys: Keys, origin: Sources) -> Iterator[model.CudaCompat]:
    """The rows of `cuda_compat`."""
    for row in keys.rows("cuda_compat"):
        yield model.CudaCompat(dotted(row, "cuda"), row.read("drivers", as_wholes, ()), origin(row))


def cuda_compat_cards(keys: Keys, origin: Sources) -> Iterator[model.CudaCompatCards]:
    """The rows of `cuda_compat_cards`."""
    said = {"yes": True, "no": False, "unknown": None}
    for row in keys.rows("cuda_compat_cards"):
        works = said.get(row.choice("works", tuple(said)))
        yield model.CudaCompatCards(row.text("kind"), works, origin(row))


def toolkit_architectures(keys: Keys, origin: Sources) -> Iterator[model.ToolkitArchitecture]:
    """The rows of `toolkit_architectures`."""
    for row in keys.rows("toolkit_architectures"):
        yield model.ToolkitArchitecture(
            compute_capability=capability(row, "compute_capability"),
            first=dotted(row, "first"),
            last=row.optional("last", as_dotted),
            origin=origin(row),
        )


def cudnn_floors(keys: Keys, origin: Sources) -> Iterator[model.CudnnFloor]:
    """The rows of `cudnn_floors`."""
    for row in keys.rows("cudnn_floors"):
        yield model.CudnnFloor(
            cudnn=row.text("cudnn"),
            cuda_major=row.whole("cuda_major"),
            compute_capability=capability(row, "compute_capability"),
            unknown_from=row.optional("unknown_from", as_capability),
            origin=origin(row),
        )


def baselines(keys: Keys, origin: Sources) -> dict[str, tuple[VirtualPackage, ...]]:
    """The rows of `baselines`, by subdir."""
    found: dict[str, tuple[VirtualPackage, ...]] = {}
    for row in keys.rows("baselines"):
        package = VirtualPackage(row.text("name"), row.text("version"), row.text("build", "0"))
        subdir = row.text("subdir")
        found[subdir] = (*found.get(subdir, ()), package)
        origin(row)
    return found
