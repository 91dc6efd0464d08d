"""The machine contract as NVIDIA's container runtime enforces it: NVIDIA_REQUIRE_*.

Constraints with commas between hold together, those with spaces between are alternatives; the facts are
`cuda` (of the driver), `driver` and `arch` (https://github.com/NVIDIA/nvidia-container-runtime).
"""

from __future__ import annotations

from envguard.formats.renders.contract_terms import contract_in, in_words, terms_of
from envguard.formats.renders.wording import HEADER
from envguard.model.lockfile import Lockfile
from envguard.model.rendering import Rendered, RenderKind

NAME = "NVIDIA_REQUIRE_ENVGUARD"
_FACTS = {"driver": "driver", "driver_cuda": "cuda", "compute_capability": "arch"}


def render_docker_env(lockfile: Lockfile, subdir: str) -> Rendered:
    """One variable with all alternatives; a comment says what such constraints cannot."""
    terms = terms_of(contract_in(lockfile, subdir))
    lines = [
        f"# What the packages for {subdir} need of the driver and the cards; a container that has less is",
        '# not started:  docker run --gpus all --env-file FILE IMAGE,  or as ENV NAME="..." in a Dockerfile',
        *(f"# Not in it: {text}" for text in terms.unsaid),
        *(f"# {in_words(term)}" for term in terms.terms),
    ]
    notes: tuple[str, ...] = tuple(f"{subdir}: not in it: {text}" for text in terms.unsaid)
    if not terms.needs_gpu:
        lines.append("# Nothing: the packages need no NVIDIA driver")
    elif not terms.terms:
        lines.append(f"# No card is known to run them\n{NAME}=arch<0.1")
    else:
        value = " ".join(
            ",".join(f"{_FACTS[b.fact]}{b.operator}{b.value}" for b in term) for term in terms.terms
        )
        lines.append(f"{NAME}={value}")
    return Rendered(RenderKind.DOCKER_ENV, subdir, HEADER + "\n".join(lines) + "\n", notes)
