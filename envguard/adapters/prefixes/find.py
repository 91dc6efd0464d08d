"""`-n NAME`: where conda, mamba and micromamba keep environments."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from envguard.errors import InputError

_INSTALLATIONS = (
    "miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba",
    ".local/share/mamba", ".conda",
)  # fmt: skip


def find_prefix(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The prefix of the environment `name`; `base` is an installation itself.

    Raises InputError with the nearest names where there is none.
    """
    known = dict(_known(environment))
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    raise InputError(
        f"there is no conda environment named {name!r}",
        problems=tuple(f"{each}  {known[each]}" for each in near or sorted(known)[:8]),
        hint="name its folder: -p /path/to/it" if not near else f"-n {near[0]}",
    )


def place_for(
    name: str, envs_dirs: Sequence[str] = (), environment: Mapping[str, str] = os.environ
) -> Path:
    """Where the environment `name` is, or is to be: the first of conda's folders that is writable.

    `envs_dirs` are those of the .condarc. Raises InputError for what is no name, and for `base`.
    """
    if name in ("base", "root", ".", "..") or set(name) & set("/ :#\\") or not name:
        raise InputError(
            f"{name!r} is no name for an environment"
            + (": it is conda itself" if name in ("base", "root") else ""),
            hint="name its folder instead: -p /path/to/it",
        )
    folders = [*(Path(folder) for folder in envs_dirs), *_folders(environment)]
    folders.append(_home(environment) / ".conda" / "envs")
    for folder in folders:
        if (folder / name).is_dir():
            return (folder / name).absolute()
    for folder in folders:
        above = next((p for p in (folder, *folder.parents) if p.exists()), None)
        installation = folder.parent.is_dir() or folder.parent == _home(environment) / ".conda"
        told = str(folder) in envs_dirs
        writable = above is not None and above.is_dir() and os.access(above, os.W_OK)
        if writable and (installation or told):
            return (folder / name).absolute()
    raise InputError(
        "no folder for environments can be written to",
        problems=tuple(map(str, dict.fromkeys(folders))),
        hint="name a place: -p /path/to/it",
    )


def _known(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Names and prefixes; of one name the *first* place wins, so it comes last here."""
    found: list[tuple[str, Path]] = []
    for folder in (*_configured(environment), *_folders(environment)):
        if folder.is_dir():
            found += [(path.name, path) for path in sorted(folder.iterdir()) if _is_prefix(path)]
    found += [(path.name, path) for path in _registered(environment) if _is_prefix(path)]
    found += [("base", root) for root in _roots(environment) if _is_prefix(root)]
    yield from reversed(found)


def _configured(environment: Mapping[str, str]) -> Iterator[Path]:
    """`envs_dirs` of the .condarc files."""
    from envguard.adapters import conda_config

    yield from map(Path, conda_config.load(environment).envs_dirs)


def _folders(environment: Mapping[str, str]) -> Iterator[Path]:
    for variable in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"):
        for folder in environment.get(variable, "").split(os.pathsep):
            if folder:
                yield Path(folder).expanduser()
    for root in _roots(environment):
        yield root / "envs"


def _roots(environment: Mapping[str, str]) -> Iterator[Path]:
    if root := environment.get("MAMBA_ROOT_PREFIX"):
        yield Path(root)
    if conda := environment.get("CONDA_EXE"):
        yield Path(conda).parent.parent
    if prefix := environment.get("CONDA_PREFIX"):
        path = Path(prefix)
        yield path.parent.parent if path.parent.name == "envs" else path
    home = _home(environment)
    for name in _INSTALLATIONS:
        yield home / name


def _registered(environment: Mapping[str, str]) -> Iterator[Path]:
    """What conda notes in ~/.conda/environments.txt: prefixes made with -p too."""
    path = _home(environment) / ".conda" / "environments.txt"
    if path.is_file():
        for line in path.read_text("utf-8", errors="replace").splitlines():
            if line.strip():
                yield Path(line.strip())


def _is_prefix(path: Path) -> bool:
    return (path / "conda-meta").is_dir()


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or Path.home())
