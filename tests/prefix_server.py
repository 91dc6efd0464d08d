"""Package servers on loopback: a good one, and one that stops in the middle."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


class _Stalling(_Quiet):
    """Promises the whole file, sends a thousand bytes and falls silent."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        self.send_response(200)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        self.wfile.write(path.read_bytes()[:1000])
        self.wfile.flush()
        time.sleep(20)


@contextlib.contextmanager
def serve(folder: Path, *, stalling: bool = False) -> Iterator[str]:
    """The URL under which `folder` is served."""
    handler = functools.partial(_Stalling if stalling else _Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
