"""GPU names as people and drivers write them: `4090`, `a100`, `NVIDIA A100-SXM4-80GB`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envguard.model.knowledge import GpuModel

# words in front of a name that people leave out or add
_LINES = frozenset(
    {"nvidia", "geforce", "tesla", "quadro", "jetson", "grid", "dgx"}
    | {"gtx", "rtx", "gt", "agx", "pro"}
)
# words that tell variants of one chip apart: form factor, memory, cooling, partition
_VARIANT = re.compile(
    r"sxm\d*|pcie|hbm\d*e?|nvl|\d+gb?|gddr\d+x?|\d+[cq]|\d+e|mig|me|max|q|maxq|with|design|laptop|notebook"
    r"|mobile|gpu|nvgpu|generation|edition|workstation|server|active|oem|lhr|tm|r"
)


@dataclass(frozen=True, slots=True)
class Match:
    """The models that a name can mean; more than one when it is ambiguous, `near` when there is none."""

    models: tuple[GpuModel, ...]
    near: tuple[GpuModel, ...] = ()


def match_gpu_name(text: str, models: Sequence[GpuModel]) -> Match:
    """The model called `text`. Names of one compute capability are not ambiguous: the plainest wins."""
    families = frozenset(model.family.lower() for model in models)
    index = _index(models, families)
    words = _words(text)
    for key, said in _readings(words, families):
        found = [model for model in index.get(key, ()) if not said or model.family.lower() in said]
        if len({model.compute_capability for model in found}) == 1:
            exact = [model for model in found if _key(_words(model.name)) == _key(words)]
            return Match(((exact or sorted(found, key=lambda model: len(model.name)))[0],))
        if found:
            return Match(tuple(found))
    keys = difflib.get_close_matches(
        _key(_core(words)) or _key(words), list(index), n=6, cutoff=0.6
    )
    near = dict.fromkeys(model for key in keys for model in index[key])
    return Match((), tuple(near)[:4])


def unambiguous_name(model: GpuModel, models: Sequence[GpuModel]) -> str:
    """What to write for `model`: its name, with the family where the name alone means several."""
    alone = match_gpu_name(model.name, models).models
    return model.name if alone == (model,) else f"{model.name} {model.family}"


def _readings(words: list[str], families: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Ways to read a name, the most literal first: a key and the families that were named beside it."""
    said = frozenset(words) & families
    for reading in (words, [word for word in words if not _VARIANT.fullmatch(word)]):
        without_family = [word for word in reading if word not in families]
        for candidate, named in ((reading, frozenset[str]()), (without_family, said)):
            yield _key(candidate), named
            yield _key(_core(candidate)), named


def _index(models: Sequence[GpuModel], families: frozenset[str]) -> dict[str, tuple[GpuModel, ...]]:
    index: dict[str, tuple[GpuModel, ...]] = {}
    for model in models:
        for alias in _aliases(model, families):
            index[alias] = (*index.get(alias, ()), model)
    return index


def _aliases(model: GpuModel, families: frozenset[str]) -> set[str]:
    """`GeForce RTX 4090` is also `RTX 4090` and `4090`; `RTX 6000 Ada` is also `RTX 6000`."""
    words = _words(model.name)
    aliases = set()
    for reading in (words, [word for word in words if word not in families]):
        aliases.add(_key(reading))
        while len(reading) > 1 and reading[0] in _LINES:
            reading = reading[1:]
            aliases.add(_key(reading))
    return aliases


def _words(text: str) -> list[str]:
    text = re.sub(r"(\d)\s+gb\b", r"\1gb", text.lower())
    text = re.sub(r"laptop|mobile", r" \g<0> ", text)
    return [word for word in re.split(r"[^a-z0-9]+", text) if word]


def _core(words: list[str]) -> list[str]:
    """Without the words in front that name a product line."""
    start = 0
    while start < len(words) - 1 and words[start] in _LINES:
        start += 1
    return words[start:]


def _key(words: list[str]) -> str:
    return "".join(words)
