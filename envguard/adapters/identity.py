"""Who and where we are: what a report must not say."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from envguard.model.redaction import Private
from envguard.model.secrets import public_variables


def private_here(environment: Mapping[str, str] = os.environ) -> Private:
    """Home, user, host and secret variables of this process. Asks no network."""
    homes = {environment.get("HOME", ""), environment.get("USERPROFILE", "")}
    users = {environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    with contextlib.suppress(ImportError, KeyError):  # Windows; a container's number without a name
        import pwd

        account = pwd.getpwuid(os.getuid())
        homes.add(account.pw_dir)
        users.add(account.pw_name)
    homes |= {os.path.realpath(home) for home in homes if home}
    _, secret_names = public_variables(environment)
    return Private(
        homes=tuple(home for home in homes if Path(home).is_absolute()),
        users=tuple(user for user in users if user),
        hosts=_hosts(environment),
        secrets=tuple(environment[name] for name in secret_names),
    )


def _hosts(environment: Mapping[str, str]) -> tuple[str, ...]:
    names = {environment.get(name, "") for name in ("HOSTNAME", "SLURMD_NODENAME", "COMPUTERNAME")}
    if hasattr(os, "uname"):
        names.add(os.uname().nodename)
    names |= {name.partition(".")[0] for name in names}
    return tuple(name for name in names if name)
