"""rules/tables/*.yaml to Knowledge. A row without a source is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from envguard.formats.strict_yaml import Keys, read_keys
from envguard.formats.tables import (
    driver_rows,
    extension_rows,
    framework_rows,
    gpu_variant_rows,
    image_rows,
    loaded_rows,
    notebook_rows,
    peak_rows,
    spec_rows,
    torch_rows,
)
from envguard.formats.tables.table_values import Sources, as_date
from envguard.model.knowledge import Knowledge
from envguard.model.target import VirtualPackage


def parse_tables(text: str, where: str) -> Knowledge:
    """What one file knows; every list may be in any file.

    Raises InputError whose `problems` are `file:line: key: what`.
    """
    return read_keys(text, where, _knowledge)


def knowledge_from(files: Iterable[Knowledge]) -> Knowledge:
    """All rows of all files, in order; the date is that of the newest file."""
    files = tuple(files)
    rows: dict[str, Any] = {
        field.name: tuple(row for file in files for row in getattr(file, field.name))
        for field in fields(Knowledge)
        if field.default == ()
    }
    baselines: dict[str, tuple[VirtualPackage, ...]] = {}
    for file in files:
        for subdir, packages in file.baselines.items():
            baselines[subdir] = (*baselines.get(subdir, ()), *packages)
    names = {name: pypi for file in files for name, pypi in file.pypi_names.items()}
    date = max((file.date for file in files), default="")
    return Knowledge(date=date, baselines=baselines, pypi_names=names, **rows)


def _knowledge(keys: Keys) -> Knowledge:
    collected = keys.read("collected", as_date, "")
    origin = Sources(keys.texts_by_name("sources"), collected)
    return Knowledge(
        date=collected,
        gpus=tuple(driver_rows.gpus(keys, origin)),
        driver_branches=tuple(driver_rows.branches(keys, origin)),
        driver_floors=tuple(driver_rows.floors(keys, origin)),
        toolkit_drivers=tuple(driver_rows.toolkits(keys, origin)),
        driver_drops=tuple(driver_rows.drops(keys, origin)),
        driver_firsts=tuple(driver_rows.firsts(keys, origin)),
        cuda_compat=tuple(driver_rows.cuda_compat(keys, origin)),
        cuda_compat_cards=tuple(driver_rows.cuda_compat_cards(keys, origin)),
        toolkit_architectures=tuple(driver_rows.toolkit_architectures(keys, origin)),
        cudnn_floors=tuple(driver_rows.cudnn_floors(keys, origin)),
        baselines=driver_rows.baselines(keys, origin),
        torch_builds=tuple(torch_rows.builds(keys, origin)),
        torch_defaults=tuple(torch_rows.defaults(keys, origin)),
        torch_pairs=tuple(torch_rows.pairs(keys, origin)),
        frozen_packages=tuple(torch_rows.frozen(keys, origin)),
        gpu_requests=tuple(torch_rows.requests(keys, origin)),
        pypi_names=torch_rows.pypi_names(keys, origin),
        pytorch_images=tuple(image_rows.pytorch_images(keys, origin)),
        cuda_images=tuple(image_rows.cuda_images(keys, origin)),
        framework_builds=tuple(framework_rows.framework_builds(keys, origin)),
        framework_cudnn=tuple(framework_rows.framework_cudnn(keys, origin)),
        torch_cudnn=tuple(framework_rows.torch_cudnn(keys, origin)),
        torch_nccl=tuple(framework_rows.torch_nccl(keys, origin)),
        torch_pins=tuple(extension_rows.torch_pins(keys, origin)),
        wheel_tags=tuple(extension_rows.wheel_tags(keys, origin)),
        host_compilers=tuple(extension_rows.host_compilers(keys, origin)),
        cuda_libraries=tuple(extension_rows.cuda_libraries(keys, origin)),
        build_names=tuple(spec_rows.build_names(keys, origin)),
        python_ends=tuple(spec_rows.python_ends(keys, origin)),
        gpu_variants=tuple(gpu_variant_rows.gpu_variants(keys, origin)),
        ptx_makers=tuple(gpu_variant_rows.ptx_makers(keys, origin)),
        processors=tuple(spec_rows.processors(keys, origin)),
        one_platform=tuple(spec_rows.one_platform(keys, origin)),
        gpu_peaks=tuple(peak_rows.gpu_peaks(keys, origin)),
        torch_pythons=tuple(spec_rows.torch_pythons(keys, origin)),
        loaded_families=tuple(loaded_rows.families(keys, origin)),
        loaded_clashes=tuple(loaded_rows.clashes(keys, origin)),
        import_names=tuple(notebook_rows.import_names(keys, origin)),
        stdlib_changes=tuple(notebook_rows.stdlib_changes(keys, origin)),
    )
