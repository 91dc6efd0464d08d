"""How fast a card was, beside its data sheet. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from envguard.model.gpu_peak import GpuPeak
from envguard.model.machine import Gpu
from envguard.model.probe import OF_PEAK, ProbeResult
from envguard.model.report import Finding, Fix, Status

SPEEDS = ("TFLOP/s ", "GB/s ")


@dataclass(frozen=True, slots=True)
class Speeds:
    """Results with their shares of the peaks, and what that says of the cards."""

    results: tuple[ProbeResult, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def judged_speeds(
    results: Sequence[ProbeResult], gpus: Sequence[Gpu], peaks: Sequence[GpuPeak]
) -> Speeds:
    """Far below a peak is a warning, one for each card; without a tabled peak a share is not known."""
    cards = {gpu.index: gpu for gpu in gpus}
    tabled = {peak.name: peak for peak in peaks}
    shared, findings, notes = [], list[Finding](), list[str]()
    for result in results:
        card = cards.get(result.gpu) if result.gpu is not None else None
        if card is None or not any(name.startswith(SPEEDS) for name in result.values):
            shared.append(result)
            continue
        peak = tabled.get(card.name or "")
        if card.mig or peak is None:
            notes.append(_not_judged(card))
            shared.append(result)
            continue
        shares = _shares(result.values, peak)
        shared.append(_with(result, shares))
        findings += _slow(card, result, shares, peak)
    return Speeds(tuple(shared), _one_a_card(findings), tuple(dict.fromkeys(notes)))


def _shares(values: Mapping[str, object], peak: GpuPeak) -> dict[str, float]:
    return {
        name: value / top
        for name, top in peak.by_value.items()
        if isinstance(value := values.get(name), (int, float))
    }


def _with(result: ProbeResult, shares: Mapping[str, float]) -> ProbeResult:
    told = {name + OF_PEAK: round(share, 3) for name, share in shares.items()}
    return replace(result, values={**result.values, **told})


def _slow(
    card: Gpu, result: ProbeResult, shares: Mapping[str, float], peak: GpuPeak
) -> list[Finding]:
    low = [name for name, share in shares.items() if share < peak.least]
    if not low:
        return []
    parts = [f"{result.values[name]} {name} is {shares[name]:.0%} of its peak" for name in low]
    return [
        Finding(
            rule="EG716",
            status=Status.WARN,
            title=f"gpu{card.index} is far slower than a {card.name}",
            message="; ".join(parts),
            gpu=card.index,
            need=f"at least {peak.least:.0%} of the peak",
            fix=Fix(
                "look who else uses it, at its clocks and its power: nvidia-smi -q -d CLOCK,POWER"
            ),
            sources=(peak.origin.source,),
        )
    ]


def _one_a_card(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Slow products and a slow memory of one card are one finding."""
    by_card: dict[int | None, Finding] = {}
    for finding in findings:
        first = by_card.get(finding.gpu)
        told = (
            finding
            if first is None
            else replace(first, message=f"{first.message}; {finding.message}")
        )
        by_card[finding.gpu] = told
    return tuple(by_card.values())


def _not_judged(card: Gpu) -> str:
    if card.mig:
        return f"gpu{card.index} is a slice or is cut up (MIG): its speed is not judged by a whole card's"
    return f"no peak is tabled for {card.name or 'this card'}: whether it is slow is not known"
