"""How often `diagnose` names the cause of a stranger's failure: ../shared/corpus/deaths.yaml, by class of cause.

A third is set aside by repository: what its sha256 says, nobody chooses. Signatures are written on the other
two thirds alone.
"""

from __future__ import annotations

import hashlib


def is_held_out(url: str) -> bool:
    """Whether an entry belongs to the third that nothing is tuned on, by the repository of its thread."""
    repository = "/".join(url.split("/")[3:5]).lower()
    return int(hashlib.sha256(repository.encode()).hexdigest(), 16) % 3 == 0
