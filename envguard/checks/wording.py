"""Words that several checks use, so that one thing has one name."""

from __future__ import annotations

from envguard.checks.case import Case
from envguard.model.machine import Driver, Gpu

NAME_A_MACHINE = (
    "say which machine it is for: --for h100 (a card), --for cluster.json "
    "(there: envguard machine -o cluster.json), --for cpu"
)


def card_name(card: Gpu) -> str:
    """`A100 (sm_80)`: the card and what it is, as far as either is known."""
    name = (card.name or "").removeprefix("NVIDIA ") or f"GPU {card.index}"
    return f"{name} ({card.compute_capability.sm})" if card.compute_capability else name


def gpu_phrase(case: Case) -> str:
    """All cards, each named once."""
    return ", ".join(dict.fromkeys(card_name(card) for card in case.cards or ())) or "no GPU"


def driver_text(driver: Driver) -> str:
    """`driver 570.124.06 (CUDA 12.8)`, with what is known of it."""
    if driver.version is None:
        return f"a driver for CUDA {driver.cuda}" if driver.cuda else "the driver"
    return f"driver {driver.version}" + (f" (CUDA {driver.cuda})" if driver.cuda else "")
