"""What uv said when it failed, as an error for the user."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envguard.errors import EnvguardError, InputError, UnavailableError, UnsatisfiableError
from envguard.formats.environments.pip_lines import requirement_name, split_option
from envguard.model.secrets import redacted
from envguard.ports.pip import PipRequest

_INPUT_SIGNS = (
    "Couldn't parse requirement",
    "Error parsing included file",
    "Unexpected '-'",
    "Unsupported requirement",
    "Expected '='",
    "Expected `--hash`",
    "Distribution not found at",
    "does not appear to be a Python project",
    "has no subdirectory",
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
    "accessing remote requirements file",
)
_OFFLINE_SIGN = "the network was disabled"
_REFUSED = re.compile(
    r"\((https?://[^)\s]+)\) could not be queried due to a lack of valid authentication"
    r"|(?:HTTP status client error \((?:401|403)[^)]*\) for url \((https?://[^)\s]+)\))"
)
_NO_BUILD = "Building source distributions"
_SOURCE_ONLY = re.compile(r"Wheels are required for `([^`]+)`")
_CONFLICT_SIGNS = ("are incompatible", "is incompatible")
_SOURCE = re.compile(r"Failed to (?:download and build|build|read) `([^`]+)`")
_REVISION = re.compile(r"failed to fetch (?:branch or tag|commit|revision|tag|branch) `([^`]+)`")
_FIRST_LINES, _LAST_LINES = 14, 6
_ALLOW = "or let its code run here: envguard lock --allow build"


def failure(stderr: str, request: PipRequest) -> EnvguardError:
    """uv explains conflicts well: its words. `stderr` holds no secrets and no scratch folder."""
    told = "\n  ".join(_condensed(stderr))
    unread = any(sign in stderr for sign in _INPUT_SIGNS)
    if unread and not any(sign in stderr for sign in _NETWORK_SIGNS):
        return InputError(f"a line under `pip:` cannot be read:\n  {told}")
    if _OFFLINE_SIGN in stderr:
        return UnavailableError(
            f"the pip section needs what is not in the cache:\n  {told}",
            hint="run it once without --offline, so that the index is cached",
        )
    if match := _REFUSED.search(stderr):
        return _refused(match[1] or match[2])
    if _NO_BUILD in stderr:
        return _unbuilt(stderr, request)
    if "Git executable not found" in stderr:
        return UnavailableError(
            "a repository under `pip:` needs git, and there is none here",
            hint="install git (conda install git), or name a released version",
        )
    if match := _REVISION.search(stderr):
        source = _SOURCE.search(stderr)
        return InputError(
            f"pip: the repository has no branch, tag or commit {match[1]!r}: {source[1] if source else ''}",
            hint="git ls-remote URL lists what it has",
        )
    if any(sign in stderr for sign in _NETWORK_SIGNS):
        return UnavailableError(
            f"the package index did not answer:\n  {told}",
            hint="check the network and the index named in the pip section, then try again",
        )
    return _unsatisfiable(stderr, told, request)


def _refused(index: str) -> UnavailableError:
    host = index.partition("://")[2].partition("/")[0]
    return UnavailableError(
        f"the package index {index} refused the credential, or wants one",
        hint=f"log in: a line `machine {host} login USER password TOKEN` in ~/.netrc, or in the "
        f"environment.yml https://${{USER}}:${{TOKEN}}@{host}/... with both exported",
    )


def _unbuilt(stderr: str, request: PipRequest) -> InputError:
    """A repository, a folder or a source archive whose metadata only its own code tells."""
    match = _SOURCE.search(stderr)
    names = [match[1]] if match else _sources(request.lines)
    return InputError(
        f"pip: only a build tells what {', '.join(names) or 'a source'} needs, and that runs its code",
        hint="name a wheel or a released version, state name, version and dependencies in its "
        f"pyproject.toml, {_ALLOW}",
    )


def _sources(lines: Sequence[str]) -> list[str]:
    """The lines that name no wheel and no release: folders, repositories, archives."""
    found = []
    for line in lines:
        option = split_option(line)
        editable = option is not None and option[0] == "--editable"
        place = option is None and (" @ " in line or requirement_name(line) is None)
        if editable or (place and ".whl" not in line):
            found.append(redacted(line))
    return found


def _unsatisfiable(stderr: str, told: str, request: PipRequest) -> EnvguardError:
    place = f"{request.subdir}, python {request.python_version}"
    names = list(dict.fromkeys(_SOURCE_ONLY.findall(stderr)))
    if names and not any(sign in stderr for sign in _CONFLICT_SIGNS):
        return _without_wheel(names, stderr, place)
    return UnsatisfiableError(
        f"the pip section cannot be locked for {place}:\n  {told}",
        hint="change the lines under `pip:`; what conda provides there is taken as given, "
        "and nothing is built from source",
    )


def _without_wheel(names: Sequence[str], stderr: str, place: str) -> InputError:
    """What is asked for exists as source only, and whether that is built is for the user to say."""
    told = " ".join(stderr.split())
    wanted = [f"{name}{_version(name, told)}{_needed_by(name, told)}" for name in names]
    return InputError(
        f"pip: no wheel of {', '.join(wanted)} is for {place}, and nothing is built from source",
        hint=f"take {', '.join(names)} from a conda channel, ask for a version that has a wheel, {_ALLOW}",
    )


def _version(name: str, told: str) -> str:
    """The version, where there is no other one to choose."""
    versions = set(re.findall(rf"\b{re.escape(name)}==(\S+) has no usable wheels", told))
    return f" {versions.pop()}" if len(versions) == 1 else ""


def _needed_by(name: str, told: str) -> str:
    """` (needed by A)` where it is not a line of its own that asks for it."""
    wanting = re.findall(rf"([\w.-]+)(?:\[[\w,.-]*\])?\S* depends? on {re.escape(name)}\b", told)
    return f" (needed by {', '.join(dict.fromkeys(wanting))})" if wanting else ""


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
