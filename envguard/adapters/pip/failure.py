"""What uv said when it failed, as an error for the user."""

from __future__ import annotations

from pathlib import Path

from envguard.errors import EnvguardError, InputError, UnavailableError, UnsatisfiableError
from envguard.model.secrets import redacted
from envguard.ports import PipRequest

_INPUT_SIGNS = (
    "Couldn't parse requirement",
    "Error parsing included file",
    "Unexpected '-'",
    "Unsupported requirement",
)
_NETWORK_SIGNS = (
    "error sending request",
    "Failed to fetch",
    "dns error",
    "Could not connect",
    "timed out",
    "Git operation failed",
    "Missing `Content-Type` header",
    "Unsupported `Content-Type`",
    "lack of valid authentication credentials",
)
_OFFLINE_SIGN = "the network was disabled"
_FIRST_LINES, _LAST_LINES = 14, 6


def failure(stderr: str, request: PipRequest, scratch: Path) -> EnvguardError:
    """uv explains conflicts well: its words, without our scratch folder and without secrets."""
    told = "\n  ".join(_condensed(redacted(stderr.replace(f"{scratch}/", ""))))
    if any(sign in stderr for sign in _INPUT_SIGNS):
        return InputError(f"a line under `pip:` cannot be read:\n  {told}")
    if _OFFLINE_SIGN in stderr:
        return UnavailableError(
            f"the pip section needs what is not in the cache:\n  {told}",
            hint="run it once without --offline, so that the index is cached",
        )
    if any(sign in stderr for sign in _NETWORK_SIGNS):
        return UnavailableError(
            f"the package index did not answer:\n  {told}",
            hint="check the network and the index named in the pip section, then try again",
        )
    return UnsatisfiableError(
        f"the pip section cannot be locked for {request.subdir}, python {request.python_version}:\n  {told}",
        hint="change the lines under `pip:`; what conda provides there is taken as given, "
        "and nothing is built from source",
    )


def _condensed(stderr: str) -> list[str]:
    """The beginning and the end: hundreds of versions that fail alike are no explanation."""
    lines = [line.rstrip() for line in stderr.strip().splitlines() if line.strip()]
    left_out = len(lines) - _FIRST_LINES - _LAST_LINES
    if left_out <= 1:
        return lines
    return [
        *lines[:_FIRST_LINES],
        f"... {left_out} more lines of uv's",
        *lines[-_LAST_LINES:],
    ]
