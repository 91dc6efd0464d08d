"""What a text is that no reader here knows: a sentence for who gave the wrong file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from envguard.errors import InputError

_ENVIRONMENT = re.compile(r"(?:^|[{,])[ \t]*['\"]?dependencies['\"]?[ \t]*:", re.MULTILINE)
_YAML_LIST = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\n)*-\s+['\"]?[\w.-]+['\"]?\s*:(?:\s|\Z)")
_FENCE = re.compile(r"^```", re.MULTILINE)
"""No YAML has such a line, and a README quotes many an environment.yml."""
_YAML_KEY = re.compile(r"^['\"]?([\w.-]+)['\"]?\s*:(?:\s|\Z)", re.MULTILINE)
_KEYS_SHOWN = 3
_LOOKED_AT = 1_000_000
"""Characters; what a file is shows at its beginning."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """`mark` is a pattern that its texts have, `what` the words for it, `hint` what to give instead."""

    mark: re.Pattern[str]
    what: str
    hint: str


def _kind(mark: str, what: str, hint: str) -> _Kind:
    return _Kind(re.compile(mark, re.MULTILINE | re.IGNORECASE), what, hint)


_LOCKED = "check what was locked: a uv.lock, a pylock.toml, or pip freeze | envguard check -"
_MACHINE = "a machine is named by --for: envguard check FILE --for MACHINE.json"
_ANYTHING = (
    "give a conda-lock.yml, an environment.yml, a lock of pixi or uv, requirements.txt, the output of "
    "pip freeze or conda list, a Dockerfile, or the folder of an environment"
)
_JSON = (
    (("nbformat",), "a notebook", "check the environment of its kernel: envguard check -p PREFIX"),
    (("schema_version", "subdir"), "a machine that `envguard machine` wrote", _MACHINE),
    (("schema_version", "command"), "a report of envguard", "check what the report is about"),
    (("_meta", "default"), "a Pipfile.lock", "pipenv requirements | envguard check -"),
    (("$schema",), "a JSON Schema", _ANYTHING),
)
_KINDS = (
    _kind(r"^content-hash\s*=", "a poetry.lock", "poetry export | envguard check -"),
    _kind(r"^\[(workspace|feature\.|environments\])", "a pixi.toml", "check its pixi.lock"),
    _kind(r"^\[(project|build-system|tool\.)", "a pyproject.toml", _LOCKED),
    _kind(r"^\[(dev-)?packages\]", "a Pipfile", "pipenv requirements | envguard check -"),
    _kind(r"^\[[\w.\"-]+\]\s*\n[\w-]+\s*=", "TOML or INI", _LOCKED),
    _kind(r"\A\s*package +version *\n-+ ", "the table of pip list", "pip freeze | envguard check -"),
    _kind(r"NVIDIA-SMI", "the output of nvidia-smi", "envguard machine reads the driver itself"),
    _kind(r"^Traceback \(most recent call last\)", "a Python traceback",
          "envguard verify runs the environment, and says how it dies"),
    _kind(r"\A\s*<(!doctype|html|\?xml)", "a page of the web", "download the file itself"),
    _kind(r"^(import \w|from [\w.]+ import )", "Python code", _LOCKED),
    _kind(r"\A#!", "a script", _ANYTHING),
    _kind(r"^(jobs|services|stages):\s*$", "the definition of a job or a service", _ANYTHING),
    _kind(r"\A(?:[ \t]*(?:#.*)?\n)*- \w", "a list without a key", "write it below `dependencies:`"),
    _kind(r"^#{1,6} \w.*\n\n\w", "Markdown", _ANYTHING),
)  # fmt: skip


def refuse_foreign(text: str, path: str, *, before_listings: bool = False) -> None:
    """Raise InputError that says what a text looks like, where it is certainly no environment.yml.

    `before_listings`: only for what quotes the texts of other tools, and would be taken for one of them.
    """
    if _YAML_LIST.match(text):
        raise _refused(path, "a YAML list of something else", _ANYTHING)
    named = PurePath(path).name in ("environment.yml", "environment.yaml")
    quoted = _FENCE.search(text) is not None
    if before_listings or named or (_ENVIRONMENT.search(text) and not quoted) or _is_empty(text):
        return
    guess = next(_guesses(text[:_LOOKED_AT]), None)
    if guess is not None:
        raise _refused(path, *guess)


def _refused(path: str, what: str, hint: str) -> InputError:
    where = "standard input" if path == "-" else path
    return InputError(f"{where} looks like {what}, which is nothing to check", hint=hint)


def _is_empty(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _guesses(text: str) -> Iterator[tuple[str, str]]:
    """What it may be and what to give instead, the surest first; none for damaged JSON or YAML."""
    if _FENCE.search(text):
        yield "Markdown", _ANYTHING
    if text.lstrip()[:1] in ("{", "["):
        yield from _json(text)
    for kind in _KINDS:
        if kind.mark.search(text):
            yield kind.what, kind.hint
    if _is_csv(text):
        yield "a table with commas", _ANYTHING
    keys = list(dict.fromkeys(_YAML_KEY.findall(text)))
    if keys:
        shown = ", ".join(keys[:_KEYS_SHOWN]) + (", ..." if len(keys) > _KEYS_SHOWN else "")
        yield f"YAML of another kind ({shown}; an environment.yml has `dependencies`)", _ANYTHING
    if text.lstrip()[:1] not in ("{", "["):
        yield "plain text", _ANYTHING


def _json(text: str) -> Iterator[tuple[str, str]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, list):
        hint = "give the text that people read: conda list | envguard check -"
        yield "a JSON list, as of conda list --json or pip list --format json", hint
    for keys, what, hint in _JSON:
        if all(key in value for key in keys):
            yield what, hint
    yield "JSON of another tool", _ANYTHING


def _is_csv(text: str) -> bool:
    commas = [line.count(",") for line in text.splitlines()[:20] if line.strip()]
    return len(commas) > 1 and commas[0] > 0 and len(set(commas)) == 1
