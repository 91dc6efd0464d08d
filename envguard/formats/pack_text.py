"""What `envguard pack` prints."""

from __future__ import annotations

from shlex import quote

from envguard.model.pack import PackSummary


def pack_text(summary: PackSummary) -> str:
    """Three lines: what is in it, where it lies, what to type there."""
    index = summary.index
    wheels = sum(file.path.startswith("pip/") for file in index.packages)
    conda = len(index.packages) - wheels
    what = f"{conda} conda package{'' if conda == 1 else 's'}"
    what += f", {wheels} wheel{'' if wheels == 1 else 's'}" if wheels else ""
    here = f"{summary.fetched} fetched" if summary.fetched else "nothing fetched"
    return (
        f"{summary.lock} ({index.subdir}): {what}; {here}\n"
        f"wrote     {summary.output}   {summary.size_bytes / 1e6:,.1f} MB\n"
        f"sha256    {summary.sha256}\n"
        f"there     envguard verify {quote(summary.output.rpartition('/')[2])}   (asks no network)\n"
    )
