"""conda's @EXPLICIT files: one URL and its hash a line, dependencies first.

The digest stands bare behind `#`: conda since 24.9 (https://github.com/conda/conda/pull/14048), mamba since
March 2025 (https://github.com/mamba-org/mamba/pull/3866) and rattler tell sha256 from md5 by its length. The
prefix `sha256:` is optional to conda and rattler, and was not part of mamba's change.
"""

from __future__ import annotations

from envguard.formats.renders.install_order import install_order
from envguard.formats.renders.wording import HEADER, counted, named
from envguard.model.lockfile import Lockfile
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import Rendered, RenderKind
from envguard.model.secrets import without_credentials


def render_explicit(lockfile: Lockfile, subdir: str) -> Rendered:
    """The conda packages of `subdir`; pip packages are named in a comment and in a note."""
    records = lockfile.records_for(subdir)
    conda = install_order(r for r in records if r.manager is Manager.CONDA)
    pip = sorted((r for r in records if r.manager is Manager.PIP), key=lambda r: r.name)
    notes = _notes(subdir, conda, pip)
    lines = [
        "# Install it with one of\n",
        "#     conda create -n NAME --file FILE   (conda 24.9 or newer)\n",
        "#     micromamba create -n NAME -f FILE\n",
        *(f"# Not in this file: pip's {r.name}=={r.version}\n" for r in pip),
        f"# platform: {subdir}\n",
        "@EXPLICIT\n",
        *(f"{_line(record)}\n" for record in conda),
    ]
    return Rendered(RenderKind.EXPLICIT, subdir, HEADER + "".join(lines), notes)


def _line(record: PackageRecord) -> str:
    url = without_credentials(record.url or "").partition("#")[0]
    digest = record.sha256 or record.md5
    return f"{url}#{digest}" if digest else url


def _notes(subdir: str, conda: list[PackageRecord], pip: list[PackageRecord]) -> tuple[str, ...]:
    bare = [record for record in conda if not (record.sha256 or record.md5)]
    notes = []
    if pip:
        notes.append(
            f"{subdir}: an explicit file holds no pip packages: {counted(len(pip), 'pip package')} "
            f"left out ({named(pip)}); render requirements for them"
        )
    if bare:
        notes.append(f"{subdir}: no hash is known, so nothing checks the download of {named(bare)}")
    return tuple(notes)
