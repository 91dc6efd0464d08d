"""All of it, on a channel made here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.commands.demo import Demo
    from envguard.ports.progress import Progress


@contextmanager
def demo(
    *, torch: bool = False, keep: bool = False, progress: Progress | None = None
) -> Iterator[Demo]:
    """A temporary directory with a channel made here and environments to try; removed on leaving.

    Raises UnavailableError when PyPI does not answer, or has no CPU build of torch; `keep` leaves the
    directory.
    """
    import tempfile

    from envguard.adapters import files
    from envguard.adapters.local_channel.demo import LocalChannelMaker
    from envguard.adapters.scratch import scratch_folder
    from envguard.commands.demo import prepare_demo
    from envguard.ports.progress import SILENT

    made = False
    with scratch_folder(Path(tempfile.gettempdir()), keep=lambda: keep and made) as folder:
        prepared = prepare_demo(
            folder,
            torch=torch,
            channels=LocalChannelMaker(progress or SILENT),
            write_text=files.write_text,
        )
        made = True
        yield prepared
