"""The pip part of a lock as a requirements.txt: the very files, with their hashes."""

from __future__ import annotations

from envguard.formats.renders.pip_lines import has_digest, requirement
from envguard.formats.renders.wording import HEADER, counted, named
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager
from envguard.model.rendering import Rendered, RenderKind


def render_requirements(lockfile: Lockfile, subdir: str) -> Rendered:
    """One line a pip package of `subdir`; conda's packages are told in a note."""
    records = lockfile.records_for(subdir)
    pip = sorted((r for r in records if r.manager is Manager.PIP), key=lambda r: r.name)
    bare = [record for record in pip if not has_digest(record)]
    require = "" if bare else " --require-hashes"
    notes = [f"{subdir}: not in it: {counted(len(records) - len(pip), 'conda package')}"]
    if not pip:
        notes = [f"{subdir}: no pip package is locked, so there is nothing in it"]
    if bare:
        notes.append(f"{subdir}: no sha256 can be given for {named(bare)}")
    lines = [
        f"# The pip packages for {subdir}; conda's are not here. Beside those, install them with\n",
        f"#     pip install --no-deps{require} -r FILE\n",
        *(f"{requirement(record)}\n" for record in pip),
    ]
    return Rendered(RenderKind.REQUIREMENTS, subdir, HEADER + "".join(lines), tuple(notes))
