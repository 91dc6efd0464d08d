"""Which entry of an environment decides: what to leave out next, by what came of the last try. Pure.

A search is a generator: it yields what to leave out, is sent whether the probe passed without it, and returns
a smallest set of entries whose absence lets the probe pass. No set is returned that was not tried.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from envguard.model.culprit import Entry, EntryKind, Surroundings

KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_|TERM|COLORTERM|LANG|LANGUAGE|TZ|HOSTNAME|DISPLAY"
    r"|TMPDIR|TEMP|TMP|EDITOR|PAGER|MAIL|LC_\w+|XDG_\w+|SSH_\w+|DBUS_\w+|GPG_\w+|PS\d|LS_COLORS|LESS\w*"
    r"|CONDA_\w+|_CE_\w+|MAMBA_\w+|PIXI_\w+|ENVGUARD_\w+|PYTEST_\w+|UV_\w+|PIP_\w+"
    r"|PYTHONNOUSERSITE|PYTHONUSERBASE|PYTHONPYCACHEPREFIX|PYTHONDONTWRITEBYTECODE"
    r"|CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|NVIDIA_VISIBLE_DEVICES|NVIDIA_DRIVER_CAPABILITIES"
    r"|LOADEDMODULES|_LMFILES_|MODULE\w+|LMOD_\w+|__LMOD_\w+|_ModuleTable\w*|BASH_\w+(%%)?"
)
"""What a clean run keeps: where things are, who one is, which cards are meant, records of what others did."""
NUMERIC = re.compile(
    r"(OMP|KMP|GOMP|MKL|OPENBLAS|GOTO|BLIS|VECLIB|NUMEXPR|TBB|CUDA|CUBLAS|CUDNN|NCCL|NVIDIA|TORCH|PYTORCH"
    r"|TF|XLA|JAX|TRITON|NPY|NUMPY|ARROW|LD|DYLD|MALLOC|GLIBC|PYTHON)[_A-Z0-9]*"
)
"""What numeric libraries and the loader read; they are tried before all others."""
_PRELOADED = re.compile(r"[ :]+")
_PATHS = {
    EntryKind.LIBRARY_PATH: "LD_LIBRARY_PATH",
    EntryKind.PRELOAD: "LD_PRELOAD",
    EntryKind.PYTHON_PATH: "PYTHONPATH",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Try again without `left_out`. One of `suspects` is at fault, as far as is known."""

    left_out: frozenset[Entry]
    words: str
    suspects: tuple[Entry, ...]


Search = Generator[Step, bool, tuple[Entry, ...]]


def entry_groups(around: Surroundings, user_site: str | None) -> tuple[tuple[Entry, ...], ...]:
    """Everything that a clean run leaves out, the most likely first; the driver's folders last.

    `user_site` is the folder that the interpreter reads, None where it reads none.
    """
    variables = around.variables
    libraries = _of_path(EntryKind.LIBRARY_PATH, variables)
    site = () if user_site is None else (Entry(EntryKind.USER_SITE, user_site),)
    modules = (
        *_of_path(EntryKind.PRELOAD, variables),
        *_of_path(EntryKind.PYTHON_PATH, variables),
        *site,
    )
    single = [
        Entry(EntryKind.VARIABLE, value, name)
        for name, value in sorted(variables.items())
        if name not in _PATHS.values() and not KEPT.fullmatch(name)
    ]
    return tuple(
        group
        for group in (
            tuple(entry for entry in libraries if entry.value not in around.driver_folders),
            modules,
            tuple(entry for entry in single if NUMERIC.fullmatch(entry.name)),
            tuple(entry for entry in single if not NUMERIC.fullmatch(entry.name)),
            tuple(entry for entry in libraries if entry.value in around.driver_folders),
        )
        if group
    )


def _of_path(kind: EntryKind, variables: Mapping[str, str]) -> tuple[Entry, ...]:
    words = _split(kind, variables.get(_PATHS[kind], ""))
    return tuple(Entry(kind, word) for word in dict.fromkeys(words) if word)


def _split(kind: EntryKind, text: str) -> list[str]:
    return _PRELOADED.split(text) if kind is EntryKind.PRELOAD else text.split(os.pathsep)


def environment_without(
    variables: Mapping[str, str], left_out: frozenset[Entry]
) -> dict[str, str | None]:
    """What to say of the variables, so that `left_out` is not there; None = not set at all."""
    changed: dict[str, str | None] = {}
    for kind, name in _PATHS.items():
        gone = {entry.value for entry in left_out if entry.kind is kind}
        if gone:
            rest = [word for word in _split(kind, variables.get(name, "")) if word not in gone]
            changed[name] = os.pathsep.join(rest) if any(rest) else None
    for entry in left_out:
        if entry.kind is EntryKind.VARIABLE:
            changed[entry.name] = None
        elif entry.kind is EntryKind.USER_SITE:
            changed["PYTHONNOUSERSITE"] = "1"
    return changed


def search(groups: Sequence[tuple[Entry, ...]], driver_folders: frozenset[str]) -> Search:
    """All at once, one group after the other, then halves. Empty where it fails without all of them, too.

    The driver's folders are left out only where it fails without the rest: without a driver much fails.
    """
    every = tuple(entry for group in groups for entry in group)
    suspects = tuple(entry for entry in every if entry.value not in driver_folders)
    passed = bool(suspects) and (yield Step(frozenset(suspects), "a clean environment", suspects))
    if not passed and len(every) > len(suspects):
        suspects = every
        words = "a clean environment, without the driver's folders too"
        passed = yield Step(frozenset(suspects), words, suspects)
    if not passed:
        return ()
    several = [group for group in groups if set(group) <= set(suspects)]
    for group in several if len(several) > 1 else ():
        if (yield Step(frozenset(group), f"again without {group_in_words(group)}", suspects)):
            suspects = group
            break
    return (yield from smallest(suspects))


def smallest(suspects: tuple[Entry, ...], left_out: frozenset[Entry] = frozenset()) -> Search:
    """A smallest part of `suspects` that has to go, where it passes without all of them and `left_out`.

    By halves: of n suspects with one culprit it takes log2(n) to 2 log2(n) tries.
    """
    if len(suspects) == 1:
        return suspects
    half = len(suspects) // 2
    parts = (suspects[:half], suspects[half:])
    for part in parts:
        words = f"one entry at a time: {group_in_words(part)}"
        if (yield Step(left_out | frozenset(part), words, suspects)):
            return (yield from smallest(part, left_out))
    first = yield from smallest(parts[0], left_out | frozenset(parts[1]))
    second = yield from smallest(parts[1], left_out | frozenset(first))
    return first + second


def group_in_words(group: Sequence[Entry]) -> str:
    """`LD_LIBRARY_PATH`, `OMP_NUM_THREADS and 3 more`, `/apps/cudnn/9.1/lib`."""
    if len(group) == 1:
        return entry_in_words(group[0])
    kinds = dict.fromkeys(entry.kind for entry in group)
    if EntryKind.DISTRIBUTION in kinds or EntryKind.IMPORT in kinds:
        return f"{group[0].value} and {len(group) - 1} more"
    if EntryKind.VARIABLE in kinds:
        return f"{group[0].name} and {len(group) - 1} more"
    return ", ".join("the user site" if k is EntryKind.USER_SITE else k.value for k in kinds)


def entry_in_words(entry: Entry) -> str:
    """An entry by its place or name, without the value of a variable."""
    match entry.kind:
        case EntryKind.VARIABLE:
            return entry.name
        case EntryKind.USER_SITE:
            return f"the user site {entry.value}"
        case EntryKind.DISTRIBUTION:
            return f"{entry.value} of the user site"
        case EntryKind.IMPORT:
            return f"import {entry.value}"
        case _:
            return f"{entry.value} ({entry.kind.value})"
