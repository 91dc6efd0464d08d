"""A stamp: what `verify` has proven of a lock on a machine, where it lies, and whether it holds.

It is read before anything else is imported (`stamp_check`): the standard library only, and of that neither
pathlib, dataclasses nor typing. A stamp is a JSON object (rules/schema/stamp-v1.json); a key that is absent
was not observed, `"driver": null` was looked for and is not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, Literal, TypedDict

    Json = dict[str, object]

    class FactsOfHost(TypedDict):
        machine: str
        cpu: str
        glibc: str | None
        variables: dict[str, str]
        probes: dict[str, str]


SCHEMA_VERSION: Literal[1] = 1
STATE_VARIABLE = "ENVGUARD_STATE_DIR"
MAX_BYTES = 262_144
MAX_LOCK_BYTES = 268_435_456
PACK_START, PACK_LOCK, BLOCK = b"envguard-pack.json\0", b"conda-lock.yml\0", 512
"""How a pack begins, and its second member (formats.pack_index)."""
DEFAULT_LOCK = "conda-lock.yml"
CPU = "cpu"
"""Where a probe ran that ran on no GPU."""
HERE = "here"
"""Where the cells of a notebook ran: on which GPUs they computed, nobody saw."""
LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH")
_CPU_KEYS = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU architecture", "CPU part")
# the rest of the flags are of the kernel and of the microcode, and change with them
_CPU_FLAGS = ("sse", "ssse", "avx", "amx", "fma", "f16c", "bmi", "sve", "asimd", "popcnt")
_REQUIRED: Mapping[str, type] = {
    **dict.fromkeys(("lock", "machine", "tier", "verdict", "date", "envguard", "cpu"), str),
    **dict.fromkeys(("rules_date", "seal"), str),
    **dict.fromkeys(("probes", "variables", "ran"), dict),
}
_OPTIONAL: Mapping[str, tuple[type, ...]] = {
    "driver": (str, type(None)),
    "gpus": (list,),
    "device": (str,),
    "glibc": (str,),
    "until": (str,),
}


class Damaged(Exception):
    """A stamp that is there and cannot be believed; says why."""


def digest_of_lock(path: str) -> str:
    """The sha256 of a lock as it is; of a pack, that of the lock in it. Raises OSError."""
    with open(path, "rb", buffering=0) as stream:
        if stream.read(len(PACK_START)) == PACK_START:
            return hashlib.sha256(_lock_in_pack(stream)).hexdigest()
        stream.seek(0)
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_notebook(path: str, lock: str) -> str:
    """The sha256 of a notebook's code, cell by cell, and of the lock that it runs in; outputs do not count.

    Raises OSError, and ValueError for what is no notebook.
    """
    with open(path, "rb") as stream:
        content = stream.read(MAX_LOCK_BYTES)
    try:
        cells = json.loads(content)["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("it is no notebook of nbformat 4") from None
    told = json.dumps(["notebook", digest_of_lock(lock), code])
    return hashlib.sha256(told.encode()).hexdigest()


def lock_of_notebook(path: str) -> str:
    """The lock beside it, else the one here."""
    beside = os.path.join(os.path.dirname(path), DEFAULT_LOCK)
    return beside if os.path.isfile(beside) else DEFAULT_LOCK


def digest_of(path: str) -> str:
    """That by which a stamp of a lock, a pack or a notebook (.ipynb) is found. Raises OSError, ValueError."""
    if path.endswith(".ipynb"):
        return digest_of_notebook(path, lock_of_notebook(path))
    return digest_of_lock(path)


def _lock_in_pack(stream: IO[bytes]) -> bytes:
    """The second member of a pack; less where it is cut short: then no stamp is of it."""
    stream.seek(0)
    size = _member_size(stream.read(BLOCK))
    stream.seek(BLOCK + size + -size % BLOCK)
    header = stream.read(BLOCK)
    if not header.startswith(PACK_LOCK):
        raise OSError(f"there is no {PACK_LOCK[:-1].decode()} in this pack")
    return stream.read(min(_member_size(header), MAX_LOCK_BYTES))


def _member_size(header: bytes) -> int:
    """Of a tar header: https://www.gnu.org/software/tar/manual/html_node/Standard.html"""
    digits = header[124:136].strip(b" \0")
    if not digits.isdigit():
        raise OSError("the pack is damaged")
    return int(digits, 8)


def name_of(lock: str) -> str:
    """What a stamp is called: `eg-7f3a91b2`, by the digest of its lock."""
    return f"eg-{lock[:8]}"


def state_root(environment: Mapping[str, str] = os.environ) -> str:
    """The user's folder for what is known of runs: ENVGUARD_STATE_DIR, else as platformdirs has it."""
    if told := environment.get(STATE_VARIABLE):
        return os.path.abspath(os.path.expanduser(told))
    if sys.platform in ("darwin", "win32"):
        import platformdirs

        return platformdirs.user_state_dir("envguard")
    base = environment.get("XDG_STATE_HOME", "").strip()
    return os.path.join(base or os.path.expanduser("~/.local/state"), "envguard")


def folder_of(machine: str) -> str:
    """Where the stamps of a machine are: a home may be shared by many."""
    return os.path.join(state_root(), f"stamps-v{SCHEMA_VERSION}", machine)


def place_of(lock_path: str) -> str:
    """The name of the file that says which lock was stamped last at this path; it does not tell the path."""
    return f"at-{_digest(os.path.realpath(lock_path))}"


def machine_id(root: str = "/") -> str:
    """Which machine this is, as a digest that nothing else of it can be told by.

    Of /etc/machine-id, which is not to be shown itself (machine-id(5)); where there is none, as in many
    containers, of this boot of the kernel: then a stamp lasts until the next one.
    """
    for file in ("etc/machine-id", "proc/sys/kernel/random/boot_id"):
        text = _text(os.path.join(root, file)).strip()
        if len(text) >= 32:
            return _digest(text)
    return _digest(os.uname().nodename if hasattr(os, "uname") else "")


def facts_of_host(environment: Mapping[str, str] = os.environ, root: str = "/") -> FactsOfHost:
    """What a stamp remembers of a machine besides its driver and its GPUs, and of the probes."""
    return {
        "machine": machine_id(root),
        "cpu": _cpu(root),
        "variables": {
            name: _digest(environment[name]) for name in LIBRARY_VARIABLES if environment.get(name)
        },
        "probes": probe_digests(),
        "glibc": _glibc(),
    }


_PLAN = ("gaps", "gpus", "plan", "steps")
"""Modules of `checks` that say which probes run, and what none can prove."""


def probe_digests() -> dict[str, str]:
    """The sha256 of every probe and of the plan that says which run, by file name."""
    here = os.path.dirname(os.path.abspath(__file__))
    probes = os.path.join(here, "probes")
    files = [os.path.join(probes, name) for name in os.listdir(probes) if name.endswith(".py")]
    files += [os.path.join(here, "checks", f"probe_{part}.py") for part in _PLAN]
    return {os.path.basename(path): digest_of_lock(path) for path in sorted(files)}


def seal_of(stamp: Mapping[str, object]) -> str:
    """The sha256 over everything else in it: it shows damage, and is no signature."""
    rest = {key: value for key, value in stamp.items() if key != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_stamp(lock: str, machine: str) -> Json | None:
    """The stamp of a lock on a machine; None where there is none.

    Raises Damaged for one that cannot be believed, OSError for one that cannot be read.
    """
    path = os.path.join(folder_of(machine), f"{lock}.json")
    try:
        content = _own_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        stamp = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Damaged("the stamp is damaged: not JSON") from error
    _believe(stamp, lock, machine)
    assert isinstance(stamp, dict)
    return stamp


def lock_stamped_at(path: str, machine: str) -> str | None:
    """The digest of the lock that was stamped last at this place; None = none, or it cannot be read."""
    try:
        text = _own_bytes(os.path.join(folder_of(machine), place_of(path))).decode("ascii").strip()
    except (OSError, ValueError, Damaged):
        return None
    return text if len(text) == 64 else None


def _own_bytes(path: str) -> bytes:
    # neither a link nor a pipe that never ends; what another user put here is not what we wrote
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if os.path.islink(path):
            raise Damaged("the stamp is foreign: it is a link") from error
        raise
    with open(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Damaged("the stamp is foreign: it is no file")
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise Damaged("the stamp is foreign: another user's file")
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Damaged("the stamp is damaged: too large")
    return content


def _believe(stamp: object, lock: str, machine: str) -> None:
    if not isinstance(stamp, dict):
        raise Damaged("the stamp is damaged: no JSON object")
    version = stamp.get("schema_version")
    if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION:
        raise Damaged(f"the stamp is of a newer envguard (version {version})")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise Damaged("the stamp is damaged: no version")
    for key, kind in _REQUIRED.items():
        if not isinstance(stamp.get(key), kind):
            raise Damaged(f"the stamp is damaged: {key}")
    for key, kinds in _OPTIONAL.items():
        if key in stamp and not isinstance(stamp[key], kinds):
            raise Damaged(f"the stamp is damaged: {key}")
    if any(not isinstance(gpu, dict) for gpu in stamp.get("gpus", ())):
        raise Damaged("the stamp is damaged: gpus")
    if any(not isinstance(where, list) for where in stamp["ran"].values()) or any(
        not isinstance(uuid, str) for where in stamp["ran"].values() for uuid in where
    ):
        raise Damaged("the stamp is damaged: ran")
    if stamp["seal"] != seal_of(stamp):
        raise Damaged("the stamp is damaged: its seal does not fit")
    if stamp["lock"] != lock:
        raise Damaged("the stamp is foreign: of another lock")
    if stamp["machine"] != machine:
        raise Damaged("the stamp is foreign: of another machine")


def _cpu(root: str) -> str:
    """A digest of what decides which instructions there are, of the first CPU."""
    known = [os.uname().machine if hasattr(os, "uname") else sys.platform]
    for line in _text(os.path.join(root, "proc/cpuinfo"), 16_384).partition("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        if key.strip() in _CPU_KEYS:
            known.append(f"{key.strip()}={value.strip()}")
        elif key.strip() in ("flags", "Features"):
            known += sorted(flag for flag in value.split() if flag.startswith(_CPU_FLAGS))
    return _digest("\n".join(known))


def _glibc() -> str | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        return None
    return version if name == "glibc" else None


def _digest(text: str) -> str:
    key = b"envguard stamp 1\0"
    return hashlib.sha256(key + text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _text(path: str, characters: int = 4096) -> str:
    """Empty where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(characters)
    except OSError:
        return ""
