"""Jupyter: a guard of kernels, and magics. The same API as the command line, with another rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "envguard.jupyter"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    from envguard.jupyter.extension import load

    load(server)
