"""`--exclude-newer` and `--exclude-newer-package`: days, times and ages, with uv's names for them.

https://docs.astral.sh/uv/reference/settings/#exclude-newer. Other than uv's a day is one of UTC, so that the
same command means the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from envguard.errors import InputError
from envguard.model.relock import Cutoff, canonical_name

OPTION = "--exclude-newer"
_AGE = re.compile(r"P?T?\s*(\d{1,6})\s*(h|hours?|d|days?|w|weeks?)(?:\s+ago)?", re.IGNORECASE)
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
_FORGET = "none"
_EXEMPT = "false"


def cutoff_of(
    said: str | None, packages: Iterable[str], *, recorded: Cutoff | None, now: datetime
) -> Cutoff | None:
    """What was said, added to what the lock records; None where nothing is excluded.

    `said` is read at `now` (aware): `7d` is a week before it, `2026-11-15` the end of that day in UTC.
    `none` forgets what is recorded. Raises InputError for what is no time.
    """
    if said is not None and said.strip().lower() == _FORGET:
        recorded, said = None, None
    text = said or (recorded.said if recorded else None)
    texts: dict[str, str] = dict(recorded.packages_said) if recorded else {}
    for pair in packages:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip() or not value.strip():
            raise InputError(
                f"{OPTION}-package {pair}: NAME=DATE or NAME=false is expected",
                hint=f"{OPTION}-package numpy=2026-11-15, or numpy=false: no limit for numpy",
            )
        texts[canonical_name(name)] = value.strip()
    return resolved(text, texts, now=now)


def resolved(said: str | None, packages: Mapping[str, str], *, now: datetime) -> Cutoff | None:
    """The times that the texts mean at `now`."""
    if said is None and not packages:
        return None
    return Cutoff(
        before=None if said is None else parse_time(said, OPTION, now=now),
        packages={
            name: None
            if text.lower() == _EXEMPT
            else parse_time(text, f"{OPTION}-package {name}", now=now)
            for name, text in packages.items()
        },
        said=said,
        packages_said=dict(packages),
    )


def parse_time(text: str, option: str, *, now: datetime) -> datetime:
    """The first moment (UTC) that is too new. Raises InputError."""
    text = text.strip()
    if age := _AGE.fullmatch(text):
        hours = int(age[1]) * _HOURS[age[2][0].lower()]
        try:
            return (now.astimezone(UTC) - timedelta(hours=hours)).replace(microsecond=0)
        except OverflowError as error:
            raise _no_time(text, option) from error
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InputError(
                f"{option} {text}: a time needs its zone", hint=f"{option} {text}Z is UTC"
            )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _no_time(text, option) from error


def _no_time(text: str, option: str) -> InputError:
    return InputError(
        f"{option} {text}: neither a day, nor a time, nor an age",
        hint="2026-11-15 (up to the end of that day, UTC), 2026-11-15T12:00:00Z, 7d, 36h, 2w, "
        "or none, which forgets what the lock records",
    )
