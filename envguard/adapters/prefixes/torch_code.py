"""The GPU code of the PyTorch that lies in a prefix, read without importing it."""

from __future__ import annotations

import re
from pathlib import Path

from envguard.adapters.fatbin import NotReadable, architectures_in
from envguard.formats.tables.table_values import architectures
from envguard.model.architecture import Architecture, LibraryCode

LIBRARY = "libtorch_cuda.so"
SCRIPT = "etc/conda/activate.d/libtorch_activate.sh"
"""conda-forge's libtorch, from 2.10 on, exports there what it was built for:
https://github.com/conda-forge/pytorch-cpu-feedstock/pull/464"""
_LIST = re.compile(r'^\s*export CF_TORCH_CUDA_ARCH_LIST="?([^"\n]*)"?\s*$', re.MULTILINE)
_LARGEST_SCRIPT = 64 * 1024


def torch_code(prefix: Path, site: Path | None) -> tuple[LibraryCode | None, tuple[str, ...]]:
    """What libtorch was built for, and what could not be read, in words; None where there is no CUDA build.

    The activation script of conda-forge's libtorch says it; else libtorch_cuda.so itself is read.
    """
    places = [prefix / "lib" / LIBRARY]
    if site is not None:
        # a pip torch over a conda one is what gets imported
        places.insert(0, site / "torch" / "lib" / LIBRARY)
    library = next((place for place in places if place.is_file()), None)
    if library is None:
        return None, ()
    problems: tuple[str, ...] = ()
    if library.resolve() == places[-1].resolve():  # conda-forge links one to the other
        said, problems = _said_by_script(prefix / SCRIPT)
        if said:
            return LibraryCode(SCRIPT, said), ()
    try:
        found = architectures_in(library)
    except (NotReadable, OSError) as error:
        unread = f"{library}: its GPU code could not be read ({error}); the tables are used"
        return None, (*problems, unread)
    return (LibraryCode(LIBRARY, found) if found else None), problems


def _said_by_script(script: Path) -> tuple[tuple[Architecture, ...], tuple[str, ...]]:
    """The list in the script, as text: nothing is run. Empty where there is none, or it cannot be read."""
    try:
        with script.open("rb") as stream:
            text = stream.read(_LARGEST_SCRIPT + 1).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return (), ()
    except OSError as error:
        return (), (f"{script} could not be read ({error.strerror or error})",)
    match = _LIST.search(text) if len(text) <= _LARGEST_SCRIPT else None
    try:
        return architectures(re.sub(r"[;,\s]+", " ", match[1]).strip() if match else ""), ()
    except ValueError:
        return (), (f"{script}: no list of architectures; {LIBRARY} is read instead",)
