"""Which GPUs probes run on, and how CUDA is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from envguard.model.machine import Gpu, Machine
from envguard.model.target import Target

MIG = "MIG-"
"""How the UUID of a slice begins."""
GPU_RULES = ("EG1", "EG2")
"""Driver, architecture and cuDNN: what tables say of a GPU, and a probe can see."""


def gpus_to_probe(machine: Machine, targets: Sequence[Target] = ()) -> tuple[Gpu, ...] | None:
    """The NVIDIA GPUs that this process may use; None = not observed.

    None of them where every target that was named is a machine without a GPU (`--for cpu`). A slice of a
    card (MIG) counts as a GPU where CUDA_VISIBLE_DEVICES names it.
    """
    if targets and not any(target.wants_gpu for target in targets):
        return ()
    gpus = machine.nvidia_gpus
    visible = (machine.environment or {}).get("CUDA_VISIBLE_DEVICES")
    if gpus is None or visible is None:
        return gpus
    chosen: list[Gpu] = []
    for word in (word.strip() for word in visible.split(",")):
        named = [gpu for gpu in gpus if _is_named(gpu, word)]
        if word.startswith(MIG):
            named = [_slice(gpus, word, len(chosen))]
        if not named:
            break  # as CUDA reads the list: nothing counts after a name that does not exist
        chosen += named[:1]
    return tuple(chosen)


def _is_named(gpu: Gpu, word: str) -> bool:
    if word.isdecimal():
        return gpu.index == int(word)
    return bool(word) and gpu.uuid is not None and gpu.uuid.startswith(word)


def _slice(gpus: Sequence[Gpu], word: str, position: int) -> Gpu:
    """A slice by its UUID, which does not say of which card it is: known where one card alone is cut up."""
    cut = [gpu for gpu in gpus if gpu.mig]
    card = cut[0] if len(cut) == 1 else Gpu(position)
    return replace(card, index=position, uuid=word, mig=True, memory_bytes=None)


def seen_as(gpu: Gpu) -> str:
    """What CUDA_VISIBLE_DEVICES is to say."""
    return gpu.uuid or str(gpu.index)


def is_slice(gpu: Gpu) -> bool:
    """Whether it is a part of a card (MIG)."""
    return gpu.uuid is not None and gpu.uuid.startswith(MIG)


def cards(gpus: Sequence[Gpu]) -> str:
    """Their names, each once."""
    return ", ".join(dict.fromkeys(gpu.name or f"GPU {gpu.index}" for gpu in gpus))
