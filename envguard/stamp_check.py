"""`envguard stamp check`: is this lock proven on this machine? Answers before the CLI is imported.

The standard library only; the driver is read from the files of the kernel, and no library of NVIDIA's is
asked. Exit status: 0 proven here, 1 not or no longer, 2 there is no such lock, 3 cannot tell.
"""

from __future__ import annotations

import os
import sys
import time

from envguard import stamp_file
from envguard.stamp_changes import CANNOT_TELL, NOT_PROVEN, PROVEN, objections
from envguard.stamp_file import Damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Json = dict[str, object]

DEFAULT_LOCK = stamp_file.DEFAULT_LOCK
MAX_LINE_BYTES = 80
NO_LOCK = 2
_WORDS = {PROVEN: "proven", NOT_PROVEN: "not proven", CANNOT_TELL: "cannot tell"}
_NVIDIA = "0x10de"  # https://pci-ids.ucw.cz/read/PC/10de


def parse(arguments: Sequence[str]) -> tuple[str, str] | None:
    """The lock and the format of `[LOCK] [--format text|json]`; None for what the CLI has to read."""
    lock, format_ = None, "text"
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--format" and rest and rest[0] in ("text", "json"):
            format_ = rest.pop(0)
        elif word in ("--format=text", "--format=json"):
            format_ = word.partition("=")[2]
        elif lock is None and word and not word.startswith("-"):
            lock = word
        else:
            return None
    return lock or DEFAULT_LOCK, format_


def main(lock: str, format_: str) -> int:
    """Print one line, at most 80 bytes with its end, or a JSON object; returns the exit status."""
    try:
        digest = stamp_file.digest_of(lock)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        sys.stderr.write(f"error: {lock!a} cannot be read: {reason}\n")
        return NO_LOCK
    code, reason, stamp = answer(lock, digest)
    name = stamp_file.name_of(digest)
    try:
        sys.stdout.write(_as_json(code, name, digest, reason, stamp) if format_ == "json" else "")
        sys.stdout.write(_line(f"{_WORDS[code]} {name}: {reason}") if format_ == "text" else "")
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads the line; the exit status is what is left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def answer(
    lock: str, digest: str, *, environment: Mapping[str, str] = os.environ, root: str = "/"
) -> tuple[int, str, Json | None]:
    """PROVEN, NOT_PROVEN or CANNOT_TELL, why in a few words, and the stamp where there is a sound one."""
    try:
        host = stamp_file.facts_of_host(environment, root)
        machine = str(host["machine"])
        stamp = stamp_file.read_stamp(digest, machine)
    except Damaged as error:
        return NOT_PROVEN, str(error), None
    except OSError as error:
        return CANNOT_TELL, f"the stamp cannot be read: {error.strerror or error}", None
    if stamp is None:
        changed = stamp_file.lock_stamped_at(lock, machine) not in (None, digest)
        return (
            NOT_PROVEN,
            f"{what_changes(lock)} changed" if changed else "never verified here",
            None,
        )
    here: Json = {**host, **nvidia(environment, root), "today": today()}
    told = objections(stamp, here)
    if told:
        # what is certainly otherwise counts for more than what nobody can tell
        code, reason = min(told, key=lambda objection: objection[0])
        return code, reason, stamp
    return PROVEN, f"{what_ran(stamp)}, {str(stamp['date'])[:10]}", stamp


def today() -> str:
    """The day in UTC, as stamps have it."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def what_changes(path: str) -> str:
    """What a stamp of that file is of."""
    return "the notebook or its lock" if path.endswith(".ipynb") else "the lock"


def what_ran(stamp: Json) -> str:
    """`ran on 4 GPUs, driver 570.26`."""
    ran = stamp["ran"]
    assert isinstance(ran, dict)
    if stamp_file.HERE in ran.get("run all", ()):
        return f"all cells ran, {'driver ' + str(stamp['driver']) if stamp.get('driver') else 'no driver'}"
    gpus = {gpu for where in ran.values() for gpu in where} - {stamp_file.CPU}
    if not gpus:
        return "ran on the CPU"
    return f"ran on {len(gpus)} GPU{'s' if len(gpus) > 1 else ''}, driver {stamp.get('driver')}"


def nvidia(environment: Mapping[str, str], root: str) -> Json:
    """`driver` and `gpus` as the kernel has them, in the order of the PCI bus; a key is absent where it
    does not tell, and `doubt` says why that may not be all."""
    if sys.platform != "linux":
        return _elsewhere()
    version = _module_version(root)
    nodes = _has_nodes(root)
    if version is None:
        return _without_module(root, nodes=nodes)
    if not nodes:
        doubt = "no /dev/nvidia*; a container without the GPU?"
        return {"driver": version, "doubt": doubt}
    return {"driver": version, **_visible(_listed(root), environment.get("CUDA_VISIBLE_DEVICES"))}


def _elsewhere() -> Json:
    if sys.platform == "darwin":  # NVIDIA's last driver for macOS is of 2018
        return {"driver": None, "gpus": []}
    return {"doubt": f"the driver cannot be read cheaply ({sys.platform})"}


def _without_module(root: str, *, nodes: bool) -> Json:
    if os.path.exists(os.path.join(root, "dev/dxg")):
        return {"doubt": "the driver cannot be read cheaply (WSL2)"}
    if nodes:
        return {"doubt": "the driver cannot be read: /proc/driver/nvidia hidden"}
    if _on_pci_bus(root):
        return {"doubt": "an NVIDIA GPU, and its driver is not loaded"}
    return {"driver": None, "gpus": []}


def _module_version(root: str) -> str | None:
    """Of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06  ...`."""
    words = _text(root, "proc/driver/nvidia/version").split()
    module = words.index("Module") + 1 if "Module" in words else len(words)
    for word in words[module:]:
        if "." in word and word.replace(".", "").isdecimal():
            return word
    return _text(root, "sys/module/nvidia/version").strip() or None


def _has_nodes(root: str) -> bool:
    names = _names(root, "dev")
    return any(name.startswith("nvidia") and name[6:].isdecimal() for name in names)


def _listed(root: str) -> list[Json] | None:
    """Every GPU that the driver has; None where it lists none."""
    folder = "proc/driver/nvidia/gpus"
    gpus: list[Json] = []
    for bus in sorted(_names(root, folder)):
        lines = _text(root, f"{folder}/{bus}/information").splitlines()
        pairs = (line.partition(":") for line in lines)
        values = {key.strip(): value.strip() for key, _, value in pairs}
        uuid = values.get("GPU UUID", "?")
        gpus.append({"name": values.get("Model"), "uuid": None if "?" in uuid else uuid})
    return gpus or None


def _visible(gpus: list[Json] | None, chosen: str | None) -> Json:
    """What CUDA_VISIBLE_DEVICES leaves of the GPUs. An index counts what the process may use, which a cgroup
    can narrow, and /proc lists all: by an index nobody knows here which one is meant."""
    if gpus is None:
        return {"doubt": "the driver lists no GPUs in /proc"}
    if chosen is None:
        return {"gpus": gpus}
    words = [word.strip() for word in chosen.split(",")]
    if words[0].isdecimal():
        return {"gpus": gpus, "doubt": f"CUDA_VISIBLE_DEVICES={words[0]}: which GPU is it?"}
    visible: list[Json] = []
    for word in words:
        named = [gpu for gpu in gpus if word and str(gpu["uuid"]).startswith(word)]
        if not named:
            if word.startswith("MIG"):
                return {"doubt": "CUDA_VISIBLE_DEVICES names a MIG device"}
            break  # as CUDA reads the list: nothing counts after a name that does not exist
        visible += named[:1]
    return {"gpus": visible}


def _on_pci_bus(root: str) -> bool:
    folder = "sys/bus/pci/devices"
    return any(
        _text(root, f"{folder}/{device}/vendor").strip() == _NVIDIA
        and _text(root, f"{folder}/{device}/class").startswith(("0x03", "0x12"))
        for device in _names(root, folder)
    )


def _names(root: str, folder: str) -> list[str]:
    try:
        return os.listdir(os.path.join(root, folder))
    except OSError:
        return []


def _text(root: str, file: str) -> str:
    try:
        with open(os.path.join(root, file), encoding="utf-8", errors="replace") as stream:
            return stream.read(4096)
    except OSError:
        return ""


def _line(text: str) -> str:
    """At most 80 bytes of ASCII that can be printed, with the end of the line."""
    shown = "".join(c if " " <= c <= "~" else "?" for c in text)
    if len(shown) >= MAX_LINE_BYTES:
        shown = shown[: MAX_LINE_BYTES - 4] + "..."
    return shown + "\n"


def _as_json(code: int, name: str, lock: str, reason: str, stamp: Json | None) -> str:
    import json

    document = {
        "schema_version": stamp_file.SCHEMA_VERSION,
        "proven": {PROVEN: True, NOT_PROVEN: False, CANNOT_TELL: None}[code],
        "stamp": name,
        "lock": lock,
        "reason": reason,
        "evidence": stamp,
    }
    return json.dumps(document, indent=2) + "\n"
