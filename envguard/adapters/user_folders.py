"""The user's own folders, where platformdirs has them.

On Linux without it: its import takes as long as a twentieth of a check.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from envguard.adapters import posix
from envguard.model.subdir import current_subdir

CACHE_VARIABLE = "ENVGUARD_CACHE_DIR"
DATA_VARIABLE = "ENVGUARD_DATA_DIR"


def cache_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where packages (`pkgs`) live, and prefixes (`scratch`) where nothing speaks for another place."""
    if told := environment.get(CACHE_VARIABLE):
        return Path(told).expanduser().absolute()
    if _linux():
        return _base(environment, "XDG_CACHE_HOME", ".cache") / "envguard"
    import platformdirs

    return Path(platformdirs.user_cache_dir("envguard"))


def data_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where what `rules update` brings is kept."""
    if told := environment.get(DATA_VARIABLE):
        return Path(told).expanduser().absolute()
    if _linux():
        return _base(environment, "XDG_DATA_HOME", ".local/share") / "envguard"
    import platformdirs

    return Path(platformdirs.user_data_dir("envguard"))


def config_folder(name: str, author: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where another program of `author` keeps its configuration."""
    if _linux():
        return _base(environment, "XDG_CONFIG_HOME", ".config") / name
    import platformdirs

    return Path(platformdirs.user_config_dir(name, author))


def make_ours(folder: Path) -> Path:
    """Make `folder` for us alone, and where somebody else has it, one of our own beside it; returns it.

    Indexes of channels lie there, with the credentials that their URLs were asked with. Raises OSError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for ours in (folder, folder.with_name(f"{folder.name}-{posix.user_number()}")):
        with suppress(FileExistsError):
            ours.mkdir(mode=0o700)
        facts = ours.lstat()
        if stat.S_ISDIR(facts.st_mode) and posix.is_ours(facts):
            if stat.S_IMODE(facts.st_mode) & 0o077:
                ours.chmod(0o700)
            return ours
    raise FileExistsError(errno.EEXIST, "somebody else has it", str(ours))


def _linux() -> bool:
    return current_subdir().startswith("linux")


def _base(environment: Mapping[str, str], variable: str, below_home: str) -> Path:
    told = environment.get(variable, "").strip()
    return Path(told) if told else Path.home() / below_home
