"""Which other CUDA builds of the same PyTorch would run: a fix that was checked by the same rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envguard.checks.case import Case, is_tegra
from envguard.checks.cudnn_of_torch import cudnn_has_cards
from envguard.checks.driver import reaches_floor
from envguard.checks.driver_range import driver_range
from envguard.checks.machine_code import has_machine_code
from envguard.checks.torch_build import TorchBuild
from envguard.model.conda import version_matches
from envguard.model.knowledge import TorchBuilds
from envguard.model.machine import Driver
from envguard.model.report import Fix
from envguard.model.version import Dotted


def variants_that_run(case: Case, torch: TorchBuild) -> Fix | None:
    """The CUDA builds with machine code for every card, above the driver's floor, newest first.

    None where the tables hold none; the fix then is another version or another card.
    """
    fitting = sorted(_fitting(case, torch), reverse=True)
    if not fitting:
        return None
    variants = [f"cu{str(cuda).replace('.', '')}" for cuda in fitting]
    checked = "by the tables: code for every card, and the driver is above the floor"
    if torch.channel == "wheel":
        wanted = ", ".join(f"torch=={torch.version}+{variant}" for variant in variants)
        return Fix(f"{wanted} has code for this machine", checked=checked)
    if torch.channel != "conda-forge":
        named = ", ".join(f"CUDA {cuda}" for cuda in fitting)
        return Fix(f"the builds for {named} have code for this machine", checked=checked)
    specs = tuple(
        f"{torch.record.name}={torch.version}={variant.replace('cu', 'cuda')}*"
        for variant in variants
    )
    return Fix(f"{' or '.join(specs)} has code for this machine", specs=specs, checked=checked)


def _fitting(case: Case, torch: TorchBuild) -> Iterator[Dotted]:
    for row in case.knowledge.torch_builds:
        if (
            row.channel == torch.channel
            and row.subdir == case.subdir
            and version_matches(torch.version, row.torch)
            and covers(case, row)
        ):
            for cuda in row.cuda:
                if (
                    cuda != torch.cuda
                    and driver_allows(case, torch, cuda)
                    and cudnn_has_cards(case, torch, cuda)
                ):
                    yield cuda


def covers(case: Case, row: TorchBuilds) -> bool:
    """Whether a build has machine code for every card; false where a card is not known."""
    return bool(case.cards) and all(
        card.compute_capability is not None
        and has_machine_code(
            row.architectures, card.compute_capability, tegra=is_tegra(card, case.knowledge)
        )
        for card in case.cards or ()
    )


def driver_allows(case: Case, torch: TorchBuild, cuda: Dotted) -> bool:
    """Whether the driver is known to be above the floor of a CUDA, or some driver is where it is open."""
    floor = case.floor(cuda)
    if floor is None:
        return False
    if isinstance(case.driver, Driver):
        return reaches_floor(case.driver, floor, tegra=case.tegra) is True
    return not driver_range(case.with_torch(replace(torch, cuda=cuda))).empty
