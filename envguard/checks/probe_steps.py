"""Every step that envguard brings, by level. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from envguard.errors import InputError
from envguard.model.probe import Probe
from envguard.model.probe_step import Device, Level, Selection, Step

FRAMEWORKS = (
    "numpy", "torch", "torchvision", "torchaudio", "tensorflow", "jax", "cupy", "onnxruntime",
)  # fmt: skip
"""Imported together, in this order."""
GPU_FRAMEWORKS = ("torch", "tensorflow", "jax", "cupy", "onnxruntime")
"""They can bring CUDA libraries of their own: two of them in one process get in each other's way."""
IMPORT = Probe("import", "import_frameworks.py", beside=True)
TOGETHER = ("together", "together_reversed")
"""Where there are two GPU frameworks, in both orders of import."""
GPU = (Device.CUDA,)
STANDARD, LONG = Level.STANDARD, Level.LONG

TORCH_STEPS = (
    Step("memory", "memory.py"),
    Step("matmul", "matmul.py"),
    Step("conv", "conv.py"),
    Step("attention", "attention.py"),
    Step("compile", "compile.py", beside=True),
    Step("train", "train.py"),
    Step("save_load", "save_load.py", beside=True),
    Step("dataloader", "dataloader.py", beside=True),
    Step("collective", "collective.py", fresh=True, beside=True),
    Step("exit", "exit.py", fresh=True, beside=True),
    Step("gemm", "gemm.py", STANDARD),
    Step("conv_more", "conv.py", STANDARD, arguments={"more": True}),
    Step("rnn", "rnn.py", STANDARD),
    Step("fft", "fft.py", STANDARD),
    Step("linalg", "linalg.py", STANDARD),
    Step("sparse", "sparse.py", STANDARD),
    Step("indexing", "indexing.py", STANDARD),
    Step("random", "random_numbers.py", STANDARD),
    Step("cuda_graph", "cuda_graph.py", STANDARD, devices=GPU),
    Step("jiterator", "jiterator.py", STANDARD, devices=GPU),
    Step("compile_more", "compile.py", STANDARD, arguments={"more": True}),
    Step("out_of_memory", "out_of_memory.py", STANDARD),
    Step("device_assert", "device_assert.py", STANDARD, devices=GPU),
    Step("fork", "fork_after_init.py", STANDARD),
    Step("vision", "vision.py", STANDARD, frameworks=("torch", "torchvision")),
    Step("audio", "audio.py", STANDARD, frameworks=("torch", "torchaudio")),
    Step("two_ranks", "collective.py", STANDARD, arguments={"ranks": 2}, gpus=2, fresh=True),
    Step("peer_to_peer", "peer_to_peer.py", STANDARD, devices=GPU, gpus=2),
    Step("sweep", "sweep.py", LONG),
    Step("sustained", "sustained.py", LONG),
)
NUMPY_STEPS = tuple(
    Step(name, f"{name}.py", frameworks=("numpy",), fresh=True)
    for name in ("matmul", "conv", "train", "save_load", "dataloader")
)
"""The twins where there is no torch."""
OTHER_STEPS = tuple(
    Step(name, "other_framework.py", frameworks=(name,), arguments={"framework": name}, fresh=True)
    for name in ("jax", "tensorflow", "cupy", "onnxruntime")
)
OWN_STEPS = (*TORCH_STEPS, *NUMPY_STEPS, *OTHER_STEPS)


def selection_of(
    level: str, only: Sequence[str], skip: Sequence[str], more: Iterable[Step] = ()
) -> Selection:
    """What was asked for, by names of steps; raises InputError for a name that no step has, with the nearest.

    `more` are the steps of plug-ins.
    """
    known = (IMPORT.name, *TOGETHER, *(step.name for step in (*OWN_STEPS, *more)))
    names = tuple(dict.fromkeys(known))
    problems = [
        f"--{option} {name}: there is no such probe{_nearest(name, names)}"
        for option, said in (("only", only), ("skip", skip))
        for name in said
        if name not in names
    ]
    if problems:
        raise InputError("; ".join(problems), hint=f"there are: {', '.join(names)}")
    return Selection(Level(level), tuple(only), tuple(skip))


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
