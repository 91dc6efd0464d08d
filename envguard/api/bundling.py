"""Bundles for somebody who diagnoses elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.api.environments_of_deaths import installed_at, revisions_of
from envguard.api.machines import machine


def bundle_text(
    *, name: str | None = None, prefix: Path | None = None, logs: Sequence[Path] = ()
) -> str:
    """Machine, container, resources, environment (the active one where none is named) and logs, as JSON.

    Secrets are taken out, and the names of this user, this machine and its home folder. Raises InputError
    for what is not there.
    """
    import tempfile

    from envguard.adapters.identity import private_here
    from envguard.adapters.scene.here import SceneHere
    from envguard.adapters.scene.logs import read_log
    from envguard.commands.bundle import bundle_of
    from envguard.commands.stamp import utc_now
    from envguard.formats.bundle_json import bundle_to_json

    scene, folder = SceneHere(), Path()
    places = (folder, Path.home(), Path(tempfile.gettempdir()))
    installed = installed_at(name, prefix, None)
    bundle = bundle_of(
        created=utc_now(),
        machine=machine(),
        host=scene.host(folder),
        resources=scene.resources(pid=None, folders=places),
        installed=installed,
        revisions=() if installed is None else revisions_of(installed.path),
        logs=tuple(read_log(path) for path in dict.fromkeys(logs)),
    )
    return bundle_to_json(bundle, private_here())
