"""What conda itself makes of a prefix that `envguard install` made: conda 24.7, as conda-lock carries it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.cli.main import run
from tests.installs import package, write_lock

FORGE = "https://conda.anaconda.org/conda-forge"
ASK = """
import json, sys, types
sys.modules["tqdm"] = types.SimpleNamespace(tqdm=None)  # conda-lock does not bring it: a progress bar
import conda_lock._vendor.conda.base.context as base
base.reset_context()
from conda_lock._vendor.conda.core.prefix_data import PrefixData
from conda_lock._vendor.conda.env.env import from_environment
from conda_lock._vendor.conda.history import History
from conda_lock._vendor.conda.models.match_spec import MatchSpec
prefix = sys.argv[1]
history = History(prefix)
records = {record.name: record for record in PrefixData(prefix).iter_records()}
states = [sorted(state) for _, state in history.construct_states()]
print(json.dumps({
    "requested": {n: str(s) for n, s in history.get_requested_specs_map().items()},
    "commands": [request["cmd"] for request in history.get_user_requests()],
    "states": states,
    "installed": sorted(record.dist_str() for record in records.values()),
    # what `conda install --revision N` looks for
    "specs_of_first": [str(MatchSpec.from_dist_str(dist)) for dist in states[0]],
    "from_history": from_environment("x", prefix, from_history=True).to_dict(),
    "asked": {name: str(record.get("requested_spec", "")) for name, record in records.items()},
    "log": history.object_log(),
}, default=str))
"""


@pytest.fixture
def told(tmp_path: Path) -> dict[str, object]:
    """A prefix of which a 1.0 became 2.0, b went away, and c was no longer asked for."""
    channel = tmp_path / "channel"
    packages = {
        (name, version): package(channel, name, version, {f"share/{name}": version})
        for name, version in (("a", "1.0"), ("a", "2.0"), ("b", "1.0"), ("c", "1.0"))
    }
    canonical = {
        key: replace(r, url=(r.url or "").replace(channel.as_uri(), FORGE), channel="conda-forge")
        for key, r in packages.items()
    }
    prefix, lock = tmp_path / "env", tmp_path / "lock.yml"
    options = ["-p", str(prefix), "--mirror", f"{FORGE}={channel.as_uri()}"]
    write_lock(
        lock,
        [canonical["a", "1.0"], canonical["b", "1.0"], canonical["c", "1.0"]],
        specs=("a >=1", "b", "conda-forge::c=1.0"),
        variables={"GREETING": "hello $HOME"},
    )
    assert run(["install", str(lock), *options]) == 0
    write_lock(lock, [canonical["a", "2.0"], canonical["c", "1.0"]], specs=("a >=2",))
    assert run(["install", str(lock), *options]) == 0
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK, str(prefix)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CONDARC": "/dev/null"},
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def test_conda_sees_what_was_asked_for(told) -> None:
    assert told["requested"] == {"a": "a[version='>=2']"}
    assert told["asked"] == {"a": "a >=2", "c": ""}
    assert told["from_history"]["dependencies"] == ["a[version='>=2']"]
    assert told["from_history"]["variables"] == {"GREETING": "hello $HOME"}


def test_conda_sees_two_revisions_of_which_the_last_is_what_is_installed(told) -> None:
    assert len(told["states"]) == len(told["commands"]) == 2
    assert told["states"][1] == told["installed"]
    assert [dist.rpartition("-")[0] for dist in told["states"][0]] == [
        "conda-forge/linux-64::a-1.0",
        "conda-forge/linux-64::b-1.0",
        "conda-forge/linux-64::c-1.0",
    ]
    assert told["specs_of_first"][0].startswith("conda-forge/linux-64::a==1.0=")
    [upgrade] = told["log"][1]["upgrade"]
    assert (upgrade["old"].split("-")[:2], upgrade["new"].split("-")[:2]) == (
        ["a", "1.0"],
        ["a", "2.0"],
    )
    assert [dist.split("-")[0] for dist in told["log"][1]["remove"]] == ["b"]
