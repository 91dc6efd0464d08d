"""The GPU code of the PyTorch that lies in a prefix, read without importing it."""

from __future__ import annotations

from pathlib import Path

from envguard.adapters.fatbin import NotReadable, architectures_in
from envguard.model.knowledge import LibraryCode

LIBRARY = "libtorch_cuda.so"


def torch_code(prefix: Path, site: Path | None) -> tuple[LibraryCode | None, tuple[str, ...]]:
    """What libtorch_cuda.so holds, and what could not be read, in words; None where there is none."""
    places = [prefix / "lib" / LIBRARY]
    if site is not None:
        # a pip torch over a conda one is what gets imported
        places.insert(0, site / "torch" / "lib" / LIBRARY)
    library = next((place for place in places if place.is_file()), None)
    if library is None:
        return None, ()
    try:
        architectures = architectures_in(library)
    except (NotReadable, OSError) as error:
        return None, (f"{library}: its GPU code could not be read ({error}); the tables are used",)
    return (LibraryCode(LIBRARY, architectures) if architectures else None), ()
