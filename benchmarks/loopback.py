"""The real channels below ENVGUARD_TEST_DATA, served over loopback http."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path(os.environ.get("ENVGUARD_TEST_DATA", Path(__file__).parents[2] / "shared"))


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a line a request."""

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def served(handler: type[Quiet] = Quiet) -> Iterator[str]:
    """The URL of the channels while they are served."""
    folder = functools.partial(handler, directory=str(DATA / "channels"))
    with ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
