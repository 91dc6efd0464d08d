"""The running interpreter, copied into a scratch prefix so that it can be packed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from envguard.adapters.local_channel.elf import point_runpath_to_lib
from envguard.errors import UnavailableError

_FACTS = """
import json, os, platform, sys, sysconfig
v = sysconfig.get_config_var
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": platform.python_version(), "minor": "%d.%d" % sys.version_info[:2],
    "base_prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
    "shared_library": os.path.join(v("LIBDIR") or "", v("INSTSONAME") or "")
        if v("Py_ENABLE_SHARED") else "",
}))
"""
_LEFT_OUT = (
    "test", "tests", "idlelib", "ensurepip", "turtledemo", "site-packages", "dist-packages",
    "__pycache__", "config-*", "EXTERNALLY-MANAGED", "*.a",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What an interpreter says of itself. `minor` is 3.12."""

    executable: Path
    version: str
    minor: str
    base_prefix: Path
    stdlib: Path
    shared_library: Path | None


def ask_interpreter(python: Path) -> Interpreter:
    """The base interpreter behind `python`, which may be that of a virtual environment."""
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", _FACTS],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UnavailableError(f"{python} did not say what it is: {error}") from error
    shared = Path(facts["shared_library"]) if facts["shared_library"] else None
    return Interpreter(
        executable=Path(facts["executable"]),
        version=facts["version"].rstrip("+"),
        minor=facts["minor"],
        base_prefix=Path(facts["base_prefix"]),
        stdlib=Path(facts["stdlib"]),
        shared_library=shared if shared is not None and shared.is_file() else None,
    )


def bundled_pip(interpreter: Interpreter) -> str | None:
    """The pip wheel that came with the interpreter; Debian's has none."""
    wheels = sorted(interpreter.stdlib.glob("ensurepip/_bundled/pip-*.whl"))
    return str(wheels[-1]) if wheels else None


def copy_interpreter(interpreter: Interpreter, prefix: Path) -> None:
    """Copy executable, libpython and standard library (without tests) into `prefix`."""
    binaries, library = prefix / "bin", prefix / "lib"
    binaries.mkdir(parents=True)
    library.mkdir()
    name = f"python{interpreter.minor}"
    shutil.copy2(interpreter.executable, binaries / name)
    point_runpath_to_lib(binaries / name)
    for alias in ("python3", "python"):
        (binaries / alias).symlink_to(name)
    if interpreter.shared_library is not None:
        shutil.copy2(interpreter.shared_library, library / interpreter.shared_library.name)
    stdlib = library / name
    shutil.copytree(
        interpreter.stdlib,
        stdlib,
        ignore=shutil.ignore_patterns(*_LEFT_OUT),
        ignore_dangling_symlinks=True,
    )
    (stdlib / "site-packages").mkdir()
    # Debian's site.py looks into dist-packages only
    (stdlib / "dist-packages").symlink_to("site-packages")
    _forget_old_prefix(stdlib, old=interpreter.base_prefix, new=prefix)


def _forget_old_prefix(stdlib: Path, *, old: Path, new: Path) -> None:
    """Let sysconfig name the new prefix; /usr is left alone, it is part of too many other names."""
    if old == Path("/usr"):
        return
    for path in stdlib.glob("_sysconfigdata*.py"):
        path.write_text(path.read_text("utf-8").replace(str(old), str(new)), encoding="utf-8")


def scratch_root(needed_bytes: int) -> Path | None:
    """/dev/shm where it has room, else None: the usual temporary directory."""
    shm = Path("/dev/shm")
    try:
        room = shutil.disk_usage(shm).free
    except OSError:
        return None
    return shm if room > needed_bytes and os.access(shm, os.W_OK | os.X_OK) else None
