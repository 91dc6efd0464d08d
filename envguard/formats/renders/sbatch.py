"""The machine contract as the head of a Slurm job.

Slurm knows which nodes have GPUs, and neither their driver nor what their cards can: the head asks for a GPU,
and the job asks the node itself before it starts (https://slurm.schedmd.com/sbatch.html).
"""

from __future__ import annotations

import shlex

from envguard.formats.renders.contract_terms import contract_in, in_words, terms_of
from envguard.formats.renders.wording import HEADER
from envguard.model.lockfile import Lockfile
from envguard.model.rendering import LOCK, Rendered, RenderKind, RenderSource


def render_sbatch(lockfile: Lockfile, subdir: str, source: RenderSource = LOCK) -> Rendered:
    """Lines for the top of a job script; `sbatch` reads them up to the first command."""
    terms = terms_of(contract_in(lockfile, subdir))
    gpu = ["#SBATCH --gres=gpu:1"] if terms.needs_gpu else ["# no GPU is needed: no --gres"]
    lines = [
        "#!/bin/bash",
        *HEADER.splitlines(),
        *gpu,
        f"# What the packages for {subdir} need:",
        *(f"#     {in_words(term)}" for term in terms.terms),
        *(f"#     {text}" for text in terms.unsaid),
        "# A node that has less ends the job here, before anything runs:",
        f"envguard check {shlex.quote(source.check)} --for here || exit 1",
    ]
    text = "\n".join(lines) + "\n"
    return Rendered(RenderKind.SBATCH, subdir, text, ())
