"""Memory of this kernel: of the process, of each GPU by process, and of the variables that hold most."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from envguard.api.kernels import memory_now

SHOWN = 5
LEAST_BYTES = 2**20
GIB = 2**30


def memory_text(names: Mapping[str, object]) -> str:
    """Some lines; `names` are the variables of the notebook."""
    host, gpus, notes = memory_now(os.getpid())
    limit = "" if host.limit_bytes is None else f" of {_gib(host.limit_bytes)}"
    lines = [f"kernel    {_gib(host.used_bytes)}{limit}"]
    for gpu in gpus or ():
        held = ", ".join(
            ("this kernel" if holder.pid == os.getpid() else f"{holder.name or '?'} ({holder.pid})")
            + (f" {_gib(holder.memory_bytes)}" if holder.memory_bytes is not None else "")
            for holder in gpu.holders
        )
        used = "?" if gpu.used_bytes is None else _gib(gpu.used_bytes)
        total = "?" if gpu.total_bytes is None else _gib(gpu.total_bytes)
        lines.append(f"gpu {gpu.index}     {used} of {total}{': ' + held if held else ''}")
    if gpus is None:
        lines.append(f"gpus      not observed: {'; '.join(notes)}")
    sizes = dict(_sizes(names))
    largest = sorted(sizes.items(), key=lambda item: -item[1][0])[:SHOWN]
    if largest:
        held = ", ".join(f"{name} {_gib(size)} ({where})" for name, (size, where) in largest)
        lines.append(f"held by   {held}")
    lines += _nameless(sizes)
    return "\n".join(lines) + "\n"


def _sizes(names: Mapping[str, object]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Variables with tensors, models or arrays: bytes, and where these are. The same object counts once."""
    seen: set[int] = set()
    for name, value in sorted(names.items(), key=lambda item: item[0].startswith("_")):
        parts = [part for part in _arrays(value) if id(part) not in seen]
        seen.update(map(id, parts))
        size = sum(_bytes(part) for part in parts)
        if size >= LEAST_BYTES:
            shown = f"Out[{name[1:]}]" if name[:1] == "_" and name[1:].isdecimal() else name
            where = {str(getattr(part, "device", "cpu")) for part in parts}
            yield shown, (size, ", ".join(sorted(where)))


def _arrays(value: object, depth: int = 3) -> list[Any]:
    """Those of a variable, and of lists and dicts in it, `depth` deep at most."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.nn.Module):
        return [*value.parameters(), *value.buffers()]
    if torch is not None and isinstance(value, torch.Tensor):
        return [value]
    if numpy is not None and isinstance(value, numpy.ndarray):
        return [value]
    items: list[object] = []
    if isinstance(value, (list, tuple)) and depth:
        items = list(value)
    elif isinstance(value, dict) and depth:
        items = list(value.values())
    return [part for item in items for part in _arrays(item, depth - 1)]


def _bytes(array: Any) -> int:
    return int(array.nbytes)


def _nameless(sizes: Mapping[str, tuple[int, str]]) -> list[str]:
    """GPU memory of PyTorch that no variable holds: an old model in a traceback, in Out, in a cycle."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return []
    allocated = sum(torch.cuda.memory_allocated(n) for n in range(torch.cuda.device_count()))
    left = allocated - sum(size for size, where in sizes.values() if "cuda" in where)
    if left < LEAST_BYTES:
        return []
    return [
        f"no name   {_gib(left)} of PyTorch's memory is held by no variable of the notebook: gradients and "
        "optimizers, the traceback of an exception, an old model (gc.collect(), %reset out)"
    ]


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB / 10 else f"{size / 2**20:.0f} MiB"
