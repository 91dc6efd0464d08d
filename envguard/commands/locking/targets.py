"""Which targets each subdir of a lock is for, and whether somebody has to be asked."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from envguard.checks.case import case_of
from envguard.checks.contradictions import contradiction
from envguard.checks.driver_cards import check_driver_cards
from envguard.errors import InputError
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge
from envguard.model.machine import DriverState
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Finding, Status
from envguard.model.secrets import redacted
from envguard.model.subdir import SUBDIRS, nearest_subdir
from envguard.model.target import Target

Resolve = Callable[[str, str], Target]
"""A text of `--for` and the subdir it means when it names none, to a Target."""


def lock_targets(
    environment: Environment,
    *,
    platforms: Sequence[str],
    said: Sequence[str],
    here_subdir: str,
    here: Callable[[], Target],
    resolve: Resolve,
    kept: Sequence[Target] = (),
) -> dict[str, tuple[Target, ...]]:
    """Targets by subdir, in the order of the platforms.

    Platforms are those of the option, else of the file, else those of the targets, else this machine's. A
    platform that no target names gets the baseline of its subdir, where no GPU is claimed. `here` observes
    this machine, and is asked only where nobody named another. `kept` are the machines of the lock that
    is there: they are meant where nobody says others.
    """
    wanted = tuple(platforms) or environment.platforms
    for platform in wanted:
        _known(platform)
    default = _default_subdir(wanted, here_subdir)
    targets = [resolve(text, default) for text in said]
    if not said:
        targets = [t for t in kept if not wanted or t.subdir in wanted]
    if not wanted:
        wanted = tuple(dict.fromkeys(target.subdir for target in targets)) or (here_subdir,)
    for target in targets:
        if target.subdir not in wanted:
            raise InputError(
                f"--for {target.name} is a machine of {target.subdir}, and the platforms are "
                f"{', '.join(wanted)}",
                hint=f"add it: --platform {target.subdir}, or say it for a platform: {wanted[0]}:CARD",
            )
    return {
        subdir: tuple(t for t in targets if t.subdir == subdir)
        or ((here(),) if subdir == here_subdir and not said else (_baseline(subdir, resolve),))
        for subdir in wanted
    }


def _known(platform: str) -> None:
    if platform in SUBDIRS:
        return
    near = nearest_subdir(platform)
    raise InputError(
        f"{platform!r} is no platform", hint=f"did you mean {near}?" if near else ", ".join(SUBDIRS)
    )


def _default_subdir(wanted: Sequence[str], here: str) -> str:
    """What a target without a subdir means: this machine's, else the first that can have NVIDIA cards."""
    if not wanted or here in wanted:
        return here
    return next((s for s in wanted if not s.startswith("osx-")), wanted[0])


def _baseline(subdir: str, resolve: Resolve) -> Target:
    """A machine of `subdir` of which nobody claims a GPU: like a machine at hand without one."""
    target = resolve(subdir, subdir)
    machine = replace(target.machine, driver=DriverState.ABSENT, gpus=())
    return replace(target, machine=machine, given=False)


def refuse_contradictions(targets: Mapping[str, tuple[Target, ...]], knowledge: Knowledge) -> None:
    """Raise InputError where a named machine has a driver that does not drive its card."""
    runtime = PackageRecord("cuda-cudart", "12.0", Manager.CONDA)
    for target in (t for of_subdir in targets.values() for t in of_subdir if t.given):
        for finding in check_driver_cards(case_of(target, (runtime,), knowledge)):
            if finding.status is Status.FAIL:
                raise InputError(
                    f"--for {target.name}: {finding.title} ({finding.rule})",
                    hint=finding.fix.text if finding.fix else f"{finding.need} is needed",
                )


def refuse_no_common_cuda(
    environment: Environment,
    targets: Mapping[str, tuple[Target, ...]],
    asks: Callable[[Environment], Sequence[Dependency]],
    knowledge: Knowledge,
) -> None:
    """Raise InputError where the file asks for a GPU and no CUDA is for all machines of a subdir.

    A file that may do without is known only when it is solved.
    """
    for subdir, of_subdir in targets.items():
        found = contradiction([t for t in of_subdir if t.given], knowledge)
        asking = asks(environment.for_subdir(subdir)) if found is not None else ()
        if found is not None and asking:
            line = f"{environment.path}:{asking[0].line}  - {redacted(asking[0].spec)}"
            raise InputError(found.told, hint=found.hint, problems=(line,))


def refuse_unclaimed_gpu(
    environment: Environment,
    targets: Mapping[str, tuple[Target, ...]],
    asks: Callable[[Environment], Sequence[Dependency]],
    *,
    command: str,
    wrong: Callable[[Environment, Target], Sequence[Finding]] = lambda *_: (),
) -> None:
    """Raise InputError where the file asks for a GPU and nobody said which machine has it.

    A target that was named is taken at its word, also `cpu`. What is `wrong` with the lines of the file,
    whatever the machine, is told with them.
    """
    said = [t for of_subdir in targets.values() for t in of_subdir if t.given]
    again = " ".join([command, *(f"--for {shlex.quote(target.name)}" for target in said)])
    for subdir, of_subdir in targets.items():
        if any(target.given or target.wants_gpu for target in of_subdir):
            continue
        asking = asks(environment.for_subdir(subdir))
        if not asking:
            continue
        prefix = "" if len(targets) == 1 else f"{subdir}:"
        raise InputError(
            "no GPU here, but the file asks for one. Which machine is it for?"
            if of_subdir[0].name == "here"
            else f"the file asks for a GPU, and no machine of {subdir} was named. Which one is it for?",
            problems=(
                *_lines(environment, asking, wrong(environment, of_subdir[0])),
                f"{again} --for {prefix}4090            # a card",
                f"{again} --for cluster.json    # there: envguard machine -o cluster.json",
                f"{again} --for {prefix}cpu             # none, on purpose",
            ),
            hint="nothing was written",
        )


def _lines(
    environment: Environment, asking: Sequence[Dependency], wrong: Sequence[Finding]
) -> Iterator[str]:
    """The lines that ask, and those that something is wrong with; below each what that is, where it is."""
    at = {finding.location.line for finding in wrong if finding.location is not None}
    others = (d for d in (*environment.dependencies, *environment.pip) if d.line in at)
    for line in sorted({*asking, *others}, key=lambda line: line.line or 0):
        place = f"{environment.path}:{line.line}  "
        yield f"{place}- {redacted(line.spec)}"
        for finding in wrong:
            if finding.location is not None and finding.location.line == line.line:
                start, length = finding.location.caret or (2, 1)
                told = f"{finding.title}{'; ' if finding.message else ''}{finding.message}"
                yield f"{' ' * (len(place) + start)}{'^' * length} {finding.rule} {told}"
