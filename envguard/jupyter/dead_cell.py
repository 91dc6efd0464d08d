"""A message into the output of a cell whose kernel is dead: in the kernel's place, for a moment.

Clients stay connected to the address on which the kernel published its output. Nobody is there any more, so
it can be bound: https://jupyter-client.readthedocs.io/en/stable/messaging.html (IOPub).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import zmq
from jupyter_client.session import Session

CLIENTS_S = 2.5
"""How long to wait for the first client to connect again: most do within 0.2 s, on a loaded machine some
took more than a second."""
MORE_CLIENTS_S = 0.3
"""How long for the next: ZeroMQ tries again after 0.1 to 0.2 s (RECONNECT_IVL), each client by itself."""
LINGER_MS = 500


def say(
    connection: Mapping[str, Any], session: Session, header: Mapping[str, Any], text: str
) -> bool:
    """Write `text` below the cell of `header`, on stderr; whether a client was there to get it.

    Raises zmq.ZMQError where the address cannot be bound.
    """
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.XPUB)
    try:
        socket.linger = LINGER_MS
        socket.bind(f"tcp://{connection['ip']}:{connection['iopub_port']}")
        if not _subscribed(socket):
            return False
        content = {"name": "stderr", "text": text}
        session.send(
            socket, "stream", content, parent={"header": dict(header)}, ident=b"stream.stderr"
        )
        return True
    finally:
        socket.close()
        context.term()


def _subscribed(socket: zmq.Socket[Any]) -> bool:
    """Wait for a client, and then a moment for each other."""
    if not socket.poll(int(CLIENTS_S * 1000)):
        return False
    until = time.monotonic() + CLIENTS_S
    while time.monotonic() < until and socket.poll(int(MORE_CLIENTS_S * 1000)):
        socket.recv()
    return True
