"""Where the real channel records and environment files are, and a way to serve them."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ENVGUARD_TEST_DATA") or REPOSITORY.parent / "shared")


def real_data(part: str) -> Path:
    """A part of the test data (`channels`, `corpus`); skips the test where it is not there."""
    folder = DATA / part
    if not folder.is_dir():
        pytest.skip(f"no real {part} at ENVGUARD_TEST_DATA (default ../shared)")
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(folder: Path, handler: type[SimpleHTTPRequestHandler] = _Quiet) -> Iterator[str]:
    """Serve `folder` on a free port of loopback; yields the URL."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
