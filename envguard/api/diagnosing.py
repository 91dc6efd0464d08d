"""Post-mortems."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.diagnosis import Diagnosis


def diagnose_text(
    text: str, *, exit_code: int | None = None, signal: str | None = None
) -> Diagnosis:
    """The post-mortem of an issue or of a log of another machine: nothing of this one is asked."""
    from envguard.adapters import rules
    from envguard.commands import diagnose as commands
    from envguard.model.diagnosis import End

    told = exit_code is not None or signal is not None
    end = End(exit_code, signal, "as you say") if told else None
    return commands.diagnose_text(text, end=end, known=rules.signatures())
