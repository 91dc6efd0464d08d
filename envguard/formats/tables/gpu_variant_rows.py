"""The rows of rules/tables/gpu_variants.yaml."""

from __future__ import annotations

from envguard.formats.strict_yaml import Keys
from envguard.formats.tables.table_values import Sources
from envguard.model.gpu_variant import GpuVariants, PtxMakers


def gpu_variants(keys: Keys, origin: Sources) -> list[GpuVariants]:
    """The rows of `gpu_variants`, each with its source."""
    return [
        GpuVariants(row.texts("names"), row.texts("subdirs"), origin(row))
        for row in keys.rows("gpu_variants")
    ]


def ptx_makers(keys: Keys, origin: Sources) -> list[PtxMakers]:
    """The rows of `ptx_makers`, each with its source."""
    return [PtxMakers(row.texts("names"), origin(row)) for row in keys.rows("ptx_makers")]
