"""The rows of rules/tables/extensions.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envguard.formats.strict_yaml import Keys, as_dotted, as_text, as_texts
from envguard.formats.tables.table_values import Sources, architectures, several_dotted
from envguard.model.extension import CudaLibraries, CudaLibrary, HostCompiler, TorchPins, WheelTag
from envguard.model.version import Dotted


def torch_pins(keys: Keys, origin: Sources) -> list[TorchPins]:
    """The rows of `torch_pins`, one for each of their `pairs`."""
    found = []
    for row in keys.rows("torch_pins"):
        package = row.text("package")
        subdirs: tuple[str, ...] = row.read("subdirs", as_texts, ())
        symptom, pairs = row.text("symptom"), row.texts_by_name("pairs")
        source = origin(row)
        found += [
            TorchPins(package, versions, torch, subdirs, symptom, source)
            for versions, torch in pairs.items()
        ]
    return found


def wheel_tags(keys: Keys, origin: Sources) -> list[WheelTag]:
    """The rows of `wheel_tags`, each with its source."""
    return [
        WheelTag(
            names=row.read("names", as_texts, ()),
            pattern=row.read("pattern", _as_tag, ""),
            origin=origin(row),
        )
        for row in keys.rows("wheel_tags")
    ]


def host_compilers(keys: Keys, origin: Sources) -> list[HostCompiler]:
    """The rows of `host_compilers`, each with its source."""
    return [
        HostCompiler(
            cuda=row.read("cuda", as_dotted, Dotted((0,), "0")),
            gcc=row.text("gcc"),
            subdirs=row.read("subdirs", as_texts, ()),
            origin=origin(row),
        )
        for row in keys.rows("host_compilers")
    ]


def cuda_libraries(keys: Keys, origin: Sources) -> list[CudaLibraries]:
    """The rows of `cuda_libraries`; each of their `libraries` is of some CUDAs."""
    return [
        CudaLibraries(
            package=row.text("package"),
            versions=row.read("versions", as_texts, ()),
            subdirs=row.read("subdirs", as_texts, ()),
            libraries=tuple(_libraries(row)),
            nearest=row.flag("nearest"),
            symptom=row.text("symptom"),
            origin=origin(row),
        )
        for row in keys.rows("cuda_libraries")
    ]


def _libraries(row: Keys) -> Iterator[CudaLibrary]:
    for library in row.rows("libraries"):
        cudas: tuple[Dotted, ...] = library.read("cuda", several_dotted, ())
        code = library.optional("architectures", architectures) or ()
        library.done()
        for cuda in cudas:
            yield CudaLibrary(cuda, code)


def _as_tag(value: object) -> str:
    """A regular expression that has the CUDA of a wheel as its group."""
    text = as_text(value)
    try:
        groups = set(re.compile(text).groupindex)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    if groups != {"cuda"}:
        raise ValueError(f"{text!r} needs one named group, `cuda`")
    return text
