"""Channel servers on loopback that want a password or a token, falter, or cut answers short."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.server
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PASSWORD, TOKEN = "s3cret-pass", "tk-s3cret-0815"


@dataclass
class Behaviour:
    """What the server wants and does; change it between requests."""

    basic: str | None = None
    """`user:password` that every request has to carry."""
    token: str | None = None
    """The token below which everything lies: /t/TOKEN/."""
    fails_first: int = 0
    """How often each path is answered with 503 before it is served."""
    resets_first: int = 0
    """How often the connection is closed without an answer."""
    keeps: int | None = None
    """Bytes of each repodata.json that are sent, as if that were all of it."""
    asked: list[str] = field(default_factory=list)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, behaviour: Behaviour, *arguments: object, **options: object) -> None:
        self.behaviour = behaviour
        super().__init__(*arguments, **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        wants = self.behaviour
        self.path = urlsplit(self.path).path  # a proxy is asked for the whole URL
        wants.asked.append(self.path)
        times = Counter(wants.asked)[self.path]
        if wants.basic is not None:
            expected = "Basic " + base64.b64encode(wants.basic.encode()).decode()
            if self.headers.get("Authorization") != expected:
                return self._refuse(401)
        if wants.token is not None:
            prefix = f"/t/{wants.token}/"
            if not self.path.startswith(prefix):
                return self._refuse(403)
            self.path = "/" + self.path.removeprefix(prefix)
        if times <= wants.resets_first:
            self.close_connection = True
            self.connection.close()
            return None
        if times <= wants.fails_first:
            return self._refuse(503)
        if wants.keeps is not None and self.path.endswith("repodata.json"):
            content = Path(self.translate_path(self.path)).read_bytes()[: wants.keeps]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None
        return super().do_GET()

    def _refuse(self, status: int) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_error(status)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are no news."""


@contextlib.contextmanager
def channel_server(
    folder: Path, behaviour: Behaviour | None = None, *, tls: Path | None = None
) -> Iterator[str]:
    """The URL under which `folder` is served; `tls` is a file with a key and its certificate."""
    handler = functools.partial(_Handler, behaviour or Behaviour(), directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
