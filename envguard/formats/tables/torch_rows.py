"""The rows about PyTorch's builds, and about the packages that ask for a GPU."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.formats.strict_yaml import Keys
from envguard.formats.tables.table_values import Sources, architectures, cuda_or_cpu, several_dotted
from envguard.model import knowledge as model

CHANNELS = ("conda-forge", "pytorch", "wheel")


def builds(keys: Keys, origin: Sources) -> Iterator[model.TorchBuilds]:
    """The rows of `torch_builds`."""
    for row in keys.rows("torch_builds"):
        yield model.TorchBuilds(
            channel=row.choice("channel", CHANNELS),
            subdir=row.text("subdir"),
            torch=row.text("torch"),
            cuda=row.read("cuda", several_dotted, ()),
            architectures=row.read("architectures", architectures, ()),
            uncertain=row.optional("uncertain", architectures) or (),
            origin=origin(row),
        )


def defaults(keys: Keys, origin: Sources) -> Iterator[model.TorchDefault]:
    """The rows of `torch_pypi`."""
    for row in keys.rows("torch_pypi"):
        yield model.TorchDefault(
            subdir=row.text("subdir"),
            torch=row.text("torch"),
            cuda=row.read("build", cuda_or_cpu, None),
            origin=origin(row),
        )


def pairs(keys: Keys, origin: Sources) -> Iterator[model.TorchPairs]:
    """The rows of `torch_pairs`."""
    for row in keys.rows("torch_pairs"):
        yield model.TorchPairs(
            package=row.text("package"),
            until=row.text("until"),
            pairs=row.texts_by_name("pairs"),
            after=row.maybe("after"),
            origin=origin(row),
        )


def frozen(keys: Keys, origin: Sources) -> Iterator[model.FrozenPackage]:
    """The rows of `frozen_packages`."""
    for row in keys.rows("frozen_packages"):
        yield model.FrozenPackage(
            row.text("channel"), row.text("package"), row.texts("versions"), origin(row)
        )


def requests(keys: Keys, origin: Sources) -> Iterator[model.GpuRequest]:
    """The rows of `gpu_requests`."""
    for row in keys.rows("gpu_requests"):
        yield model.GpuRequest(
            names=row.texts("names"),
            kind=row.choice("kind", ("asks", "may_ask")),
            manager=row.maybe("manager"),
            origin=origin(row),
        )


def pypi_names(keys: Keys, origin: Sources) -> dict[str, str]:
    """The rows of `pypi_names`: conda's name to PyPI's."""
    found = {}
    for row in keys.rows("pypi_names"):
        found[row.text("conda")] = row.text("pypi")
        origin(row)
    return found
