"""`.envguard.yml` and `[tool.envguard]` of a TOML file: two ways to write one Configuration. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from envguard.errors import InputError
from envguard.formats import yaml_reader
from envguard.formats.environments.toml_lines import toml_line
from envguard.formats.strict_yaml import Keys, as_text, as_texts, line_of
from envguard.formats.strict_yaml import Path as KeyPath
from envguard.formats.yaml_nodes import refuse_repeated_keys
from envguard.model.configuration import (
    LOCK_ALLOWS,
    VERIFY_ALLOWS,
    Configuration,
    NamedTarget,
    Waiver,
)
from envguard.model.report import FailOn, Location

TABLE = ("tool", "envguard")
KEYS = (
    *("waivers", "targets", "lock_for", "fail_on", "select", "ignore", "allow"),
    *("lint", "rules"),
)
WAIVER_KEYS = ("rule", "reason", "expires", "packages", "subject")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_Line = Callable[[KeyPath], int | None]


def parse_yaml_configuration(text: str, where: str, folder: Path) -> Configuration:
    """Read `.envguard.yml`. Paths in it count from `folder`.

    Raises InputError whose `problems` are `file:line: key: what`, all of them.
    """
    root = yaml_reader.compose(text, where)
    if root is not None:
        refuse_repeated_keys(root, where)
    data = yaml_reader.load(text, where)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InputError(f"{where}:1: a mapping is expected, of {', '.join(KEYS)}")
    return _parsed(data, where, folder, (), lambda path: line_of(root, path))


def parse_toml_configuration(text: str, where: str, folder: Path) -> Configuration | None:
    """Read `[tool.envguard]` of a TOML file; None where it has no such table. Raises InputError."""
    try:
        data: object = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(
            f"{where}: not TOML: {what}", hint="mend it, or do without it: --no-config"
        ) from error
    for key in TABLE:
        if not isinstance(data, dict) or key not in data:
            return None
        data = data[key]
    if not isinstance(data, dict):
        raise InputError(f"{where}: tool.envguard: a table is expected")
    return _parsed(data, where, folder, TABLE, lambda path: toml_line(text, path))


def _parsed(
    data: dict[object, object], where: str, folder: Path, prefix: KeyPath, line: _Line
) -> Configuration:
    keys = Keys(dict(data), prefix)
    configuration = _configuration(keys, where, folder, line)
    keys.done(KEYS)
    if keys.problems:
        number = len(keys.problems)
        raise InputError(
            f"{where}: {number} mistake{'s'[: number > 1]}",
            problems=tuple(
                f"{_place(where, line(path))}: {'.'.join(map(str, path))}: {what}"
                for path, what in keys.problems
            ),
        )
    return configuration


def _place(where: str, line: int | None) -> str:
    return where if line is None else f"{where}:{line}"


def _configuration(keys: Keys, where: str, folder: Path, line: _Line) -> Configuration:
    allow = keys.texts("allow")
    for word in allow:
        if word not in (*VERIFY_ALLOWS, *LOCK_ALLOWS):
            known = ", ".join((*VERIFY_ALLOWS, *LOCK_ALLOWS))
            keys.problem("allow", f"{word!r} is none of {known}")
    words = [word.value for word in FailOn]
    fail_on = keys.choice("fail_on", words) if keys.has("fail_on") else None
    return Configuration(
        path=where,
        waivers=tuple(_waiver(row, where, line) for row in keys.rows("waivers")),
        targets=_targets(keys, where, folder, line),
        lock_for=keys.texts("lock_for"),
        fail_on=FailOn(fail_on) if fail_on in words else None,
        select=keys.texts("select"),
        ignore=keys.texts("ignore"),
        allow=allow,
        lint=keys.optional("lint", _as_flag) or False,
        rules=tuple(folder / text for text in keys.texts("rules")),
    )


def _waiver(row: Keys, where: str, line: _Line) -> Waiver:
    waiver = Waiver(
        rule=row.text("rule"),
        reason=row.read("reason", _as_reason, ""),
        expires=row.read("expires", _as_date, date.min),
        location=Location(where, line(row.path)),
        packages=tuple(dict.fromkeys(row.texts("packages"))),
        subject=row.maybe("subject"),
    )
    for spec in waiver.packages:
        if reason := _no_spec(spec):
            row.problem("packages", reason)
    row.done(WAIVER_KEYS)
    return waiver


def _no_spec(text: str) -> str | None:
    """Why `text` is no MatchSpec; None where it is one."""
    from envguard.model.conda import (
        parse_match_spec,
    )  # rattler is slow to import, and rarely needed

    try:
        parse_match_spec(text)
    except ValueError as error:
        return f"{text!r} is no MatchSpec such as 'pytorch' or 'numpy >=2': {error}"
    return None


def _targets(keys: Keys, where: str, folder: Path, line: _Line) -> dict[str, NamedTarget]:
    rows = keys.keys("targets")
    if rows is None:
        return {}
    found = {}
    for name in list(rows.data):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            rows.data.pop(name)
            rows.problem(
                str(name), "is no name: letters, digits, '-', '_' and '.' (quote a number)"
            )
            continue
        texts: tuple[str, ...] = rows.read(name, _as_some, ())
        place = Location(where, line((*rows.path, name)))
        found[name] = NamedTarget(name, tuple(_from(folder, text) for text in texts), place)
    return found


def _from(folder: Path, text: str) -> str:
    """The file of a captured machine is named from the configuration's folder."""
    return str(folder / text) if text.lower().endswith(".json") else text


def _as_some(value: object) -> tuple[str, ...]:
    texts = as_texts(value)
    if not texts:
        raise ValueError("at least one machine is expected")
    return texts


def _as_reason(value: object) -> str:
    """One line, of what a terminal shows as it is."""
    shown = "".join(letter if letter.isprintable() else " " for letter in as_text(value))
    if not shown.strip():
        raise ValueError("a reason is expected")
    return " ".join(shown.split())


def _as_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r}: true or false is expected")
    return value


def _as_date(value: object) -> date:
    """A bare date is one in YAML and TOML; a text is read as ISO 8601 writes a day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return date.fromisoformat(value)
    raise ValueError(f"{str(value)!r}: a day such as 2027-01-31 is expected")
