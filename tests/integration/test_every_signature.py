"""A process that really dies, for every signature: it says the line, ends as such a program ends, and
what is made of it is that signature."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envguard.adapters import rules
from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.checks.signatures import evidence_of, known_of, matches
from envguard.model.probe import Outcome, Probe, ProbeResult
from envguard.model.signature import Says, Signature
from tests.dying_probes import Death, write_script

KNOWN = rules.signatures()
KINDS = sorted({signature.kind for signature in KNOWN.signatures})


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[ProcessProbes]:
    with process_probes(root=tmp_path / "runs") as runner:
        yield runner


def death_of(signature: Signature) -> str:
    """A signal where the signature is one, else its line and the end of a program that gave up."""
    if signature.id.startswith("exit-"):
        return f"os.kill(os.getpid(), signal.{signature.id.removeprefix('exit-').upper()})"
    line = next(example.text for example in signature.examples if example.finds)
    end = "os._exit(3)" if signature.says is Says.NOTE else "os.abort()"
    return f"os.write(2, {line.encode()!r} + b'\\n'); {end}"


def died(runner: ProcessProbes, signature: Signature, folder: Path) -> ProbeResult:
    (folder / signature.id).mkdir()
    script = write_script(folder / signature.id, Death(death_of(signature), Outcome.CRASHED))
    return runner.run(
        Probe(signature.id, str(script)), python=Path(sys.executable), environment={}, timeout_s=20
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_dies_of_it_is_explained_by_it(
    probes: ProcessProbes, tmp_path: Path, kind: str
) -> None:
    wrong = {}
    for signature in KNOWN.signatures:
        if signature.kind != kind:
            continue
        result = died(probes, signature, tmp_path)
        assert result.outcome in (Outcome.CRASHED, Outcome.SILENT_EXIT, Outcome.OUT_OF_MEMORY)
        best, _ = known_of(result, KNOWN)
        found = {match.signature.id for match in matches(evidence_of(result), KNOWN.signatures)}
        assert signature.id in found, result
        # a line may fit a more telling one too; it is never one that says less
        if best is None or best.signature.says > signature.says:
            wrong[signature.id] = best
    assert wrong == {}


def test_no_kind_is_left_out() -> None:
    assert len(KINDS) >= 14
    assert len(KNOWN.signatures) >= 101
