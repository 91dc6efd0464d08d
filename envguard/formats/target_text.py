"""`--for WHAT`: a card, a platform or `cpu`, with conditions, as a Target.

[SUBDIR:](CARD | cpu | here)[,CONDITION=VALUE...] or SUBDIR[,...]; CARD is a name or a compute capability.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from envguard.errors import InputError
from envguard.formats.gpu_names import match_gpu_name, unambiguous_name
from envguard.model.knowledge import GpuModel, Knowledge
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.subdir import SUBDIRS, nearest_subdir
from envguard.model.target import Target
from envguard.model.version import ComputeCapability, Dotted
from envguard.model.virtual import with_cuda_reach

CONDITIONS = ("driver", "cuda", "glibc", "archspec", "osx")
_SUBDIR_WORDS = {
    "mac": "osx-arm64",
    "macos": "osx-arm64",
    "linux": "linux-64",
    "windows": "win-64",
    "win": "win-64",
}
_BRANCH_STEP = 5
"""Branches since 430 are numbered in fives, and a Windows driver counts up within: 576.02 is of 575."""
_CAPABILITY = re.compile(r"\d+\.\d+|(sm|compute)_\d+[a-z]?")


@dataclass(frozen=True, slots=True)
class _Said:
    """The parts of a target's text. `subdir` None = not said."""

    text: str
    subdir: str | None
    what: str
    conditions: dict[str, str]


def parse_target(
    text: str,
    *,
    knowledge: Knowledge,
    default_subdir: str,
    here: Callable[[], Machine] | None = None,
) -> Target:
    """The target that `text` describes. `default_subdir` is that of a card without one.

    `here` observes the machine at hand, where that may be asked for. Raises InputError that names
    candidates when a name is unknown or ambiguous.
    """
    said = _split(text)
    if said.what == "here":
        if here is None or said.subdir is not None:
            raise _error(said, "`here` is this machine, on its own platform", "write here")
        machine = here()
    else:
        machine = _described(said, knowledge, default_subdir)
    machine = _with_conditions(machine, said, knowledge)
    return with_cuda_reach(Target(name=said.text, machine=machine), knowledge)


def _split(text: str) -> _Said:
    text = text.strip()
    first, *rest = (part.strip() for part in text.split(","))
    said = _Said(text, None, first, {})
    if not first or "=" in first:
        raise _error(
            said,
            "no machine is named",
            "begin with a card, a platform or cpu: a100,driver=535.104.05",
        )
    for part in rest:
        name, separator, value = (piece.strip() for piece in part.partition("="))
        name = name.lower()
        if not separator or name not in CONDITIONS:
            near = difflib.get_close_matches(name, CONDITIONS, n=1)
            meant = f"; did you mean {near[0]}=?" if near else ""
            raise _error(
                said, f"{part!r} is no condition{meant}", f"conditions: {_listed(CONDITIONS)}"
            )
        if not value or name in said.conditions:
            raise _error(said, f"{name}= is {'said twice' if value else 'empty'}", None)
        said.conditions[name] = value
    subdir, separator, what = first.partition(":")
    if separator:
        return replace(said, subdir=_known_subdir(said, subdir.strip()), what=what.strip())
    word = first.lower()
    if word in SUBDIRS or word in _SUBDIR_WORDS:
        return replace(said, subdir=_known_subdir(said, word), what="")
    return replace(said, what=word if word in ("cpu", "here") else first)


def _known_subdir(said: _Said, text: str) -> str:
    subdir = _SUBDIR_WORDS.get(text.lower(), text.lower())
    if subdir not in SUBDIRS:
        near = nearest_subdir(subdir)
        hint = f"did you mean {near}?" if near else f"platforms: {_listed(SUBDIRS)}"
        raise _error(said, f"{text!r} is no platform of conda's", hint)
    return subdir


def _described(said: _Said, knowledge: Knowledge, default_subdir: str) -> Machine:
    """A machine of which nothing is said but what the text says; the rest are baselines."""
    if said.what.lower() == "cpu":
        subdir = said.subdir or default_subdir
        machine = Machine(subdir, driver=DriverState.ABSENT, gpus=())
    elif not said.what:
        subdir = said.subdir or default_subdir
        no_nvidia = subdir.startswith("osx-")
        machine = (
            Machine(subdir, driver=DriverState.ABSENT, gpus=()) if no_nvidia else Machine(subdir)
        )
    else:
        gpu, model = _gpu(said, knowledge)
        subdir = said.subdir or _subdir_of(model, default_subdir)
        if subdir.startswith("osx-"):
            raise _error(said, "no NVIDIA driver runs on macOS", f"linux-64:{said.what}, or mac")
        machine = Machine(subdir, driver=DriverState.ANY, gpus=(gpu,))
    return _with_baselines(machine, knowledge)


def _gpu(said: _Said, knowledge: Knowledge) -> tuple[Gpu, GpuModel]:
    if _CAPABILITY.fullmatch(said.what.lower()):
        capability, models = _capability(said, knowledge)
        return Gpu(0, architecture=capability.sm, compute_capability=capability), models[0]
    match = match_gpu_name(said.what, knowledge.gpus)
    if len(match.models) == 1:
        model = match.models[0]
        capability = model.compute_capability
        gpu = Gpu(0, name=model.name, architecture=capability.sm, compute_capability=capability)
        return gpu, model
    listed = _listed(
        f"{unambiguous_name(model, knowledge.gpus)} ({model.compute_capability})"
        for model in match.models or match.near
    )
    if match.models:
        raise _error(said, f"{said.what!r} can be {listed}", "write the whole name, or the number")
    hint = f"near it: {listed}; " if listed else ""
    raise _error(
        said, f"no GPU called {said.what!r} is known", f"{hint}a compute capability works too: 8.6"
    )


def _capability(said: _Said, knowledge: Knowledge) -> tuple[ComputeCapability, list[GpuModel]]:
    known = sorted({str(model.compute_capability) for model in knowledge.gpus}, key=Dotted.parse)
    try:
        capability = ComputeCapability.parse(said.what)
    except ValueError as error:
        raise _error(said, str(error), f"known: {_listed(known)}") from error
    models = [model for model in knowledge.gpus if model.compute_capability == capability]
    if not models:
        raise _error(
            said, f"no GPU of compute capability {capability} is known", f"known: {_listed(known)}"
        )
    return capability, models


def _subdir_of(model: GpuModel, default_subdir: str) -> str:
    """Some cards come with one processor only (Jetson, Grace); macOS has no NVIDIA driver."""
    if model.subdir is not None:
        return model.subdir
    return "linux-64" if default_subdir.startswith("osx-") else default_subdir


def _with_baselines(machine: Machine, knowledge: Knowledge) -> Machine:
    packages = {package.name: package for package in knowledge.baselines.get(machine.subdir, ())}
    glibc, osx, archspec = (packages.get(name) for name in ("__glibc", "__osx", "__archspec"))
    assumed = {"glibc": glibc, "osx": osx, "archspec": archspec}
    return replace(
        machine,
        glibc=Dotted.parse(glibc.version) if glibc else None,
        osx=Dotted.parse(osx.version) if osx else None,
        archspec=archspec.build if archspec else None,
        assumed=frozenset(name for name, package in assumed.items() if package),
    )


def _with_conditions(machine: Machine, said: _Said, knowledge: Knowledge) -> Machine:
    said_dotted = {name: _dotted(said, name) for name in ("cuda", "glibc", "osx")}
    if said_dotted["osx"] and not machine.subdir.startswith("osx-"):
        raise _error(said, f"osx= does not fit {machine.subdir}", None)
    if said_dotted["glibc"] and not machine.subdir.startswith("linux-"):
        raise _error(said, f"glibc= does not fit {machine.subdir}", None)
    return replace(
        machine,
        driver=_driver(machine, said, said_dotted["cuda"], knowledge),
        glibc=said_dotted["glibc"] or machine.glibc,
        osx=said_dotted["osx"] or machine.osx,
        archspec=_archspec(said, machine.subdir, knowledge) or machine.archspec,
        assumed=machine.assumed - said.conditions.keys(),
    )


def _archspec(said: _Said, subdir: str, knowledge: Knowledge) -> str | None:
    """The processor that was said, which has to be one that conda has a name for."""
    text = said.conditions.get("archspec", "").lower()
    names = [name for row in knowledge.processors if subdir in row.subdirs for name in row.names]
    if not text or text in names:
        return text or None
    if not names:
        what = f"no processors of {subdir} are known by name"
        raise _error(said, what, "leave archspec= out")
    near = difflib.get_close_matches(text, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {_listed(names)}"
    raise _error(said, f"no processor of {subdir} is called {text!r}", hint)


def _driver(
    machine: Machine, said: _Said, cuda: Dotted | None, knowledge: Knowledge
) -> Driver | DriverState | None:
    text = said.conditions.get("driver", "").lower()
    if not text and cuda is None:
        return machine.driver
    if said.what.lower() == "cpu" or machine.subdir.startswith("osx-"):
        where = "cpu" if said.what else machine.subdir
        raise _error(said, f"{where} has no NVIDIA driver", "leave driver= and cuda= out")
    if text == "none" and cuda is not None:
        raise _error(said, "driver=none has no CUDA", "leave cuda= out")
    if text in ("none", "any"):
        state = DriverState(text.replace("none", "absent"))
        return Driver(None, cuda) if cuda is not None else state
    if not text:
        known = machine.driver.version if isinstance(machine.driver, Driver) else None
        return Driver(known, cuda)
    version = _dotted(said, "driver")
    assert version is not None
    return Driver(version, cuda or _driver_cuda(version, machine, said, knowledge))


def _driver_cuda(
    version: Dotted, machine: Machine, said: _Said, knowledge: Knowledge
) -> Dotted | None:
    """From the table of branches, which says nothing about Jetson's drivers.

    Nobody knows what a driver past the newest branch reports: then it has to be said with it.
    """
    capabilities = {gpu.compute_capability for gpu in machine.gpus or ()}
    kinds = {m.kind for m in knowledge.gpus if m.compute_capability in capabilities}
    if kinds == {"jetson"}:
        return None
    os = "win" if machine.subdir.startswith("win-") or machine.platform == "wsl2" else "linux"
    newest = knowledge.newest_branch(os=os)
    if newest is not None and version.major >= newest.branch + _BRANCH_STEP:
        raise _error(
            said,
            f"no driver {version} is known; the newest branch is {newest.branch} "
            f"(rules of {knowledge.date})",
            f"if it exists, say the CUDA that nvidia-smi shows, too: driver={version},cuda=X.Y; "
            "or get newer rules: envguard rules update",
        )
    return knowledge.driver_cuda(version, os=os)


def _dotted(said: _Said, name: str) -> Dotted | None:
    text = said.conditions.get(name)
    if text is None:
        return None
    try:
        return Dotted.parse(text)
    except ValueError as error:
        raise _error(said, f"{name}: {error}", f"for example {name}={_EXAMPLES[name]}") from error


_EXAMPLES = {"driver": "535.104.05", "cuda": "12.4", "glibc": "2.28", "osx": "13.0"}


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)


def _error(said: _Said, what: str, hint: str | None) -> InputError:
    return InputError(f"--for {said.text}: {what}", hint=hint)
