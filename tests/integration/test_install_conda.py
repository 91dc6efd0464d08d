"""What conda itself makes of a prefix that `envguard install` made: conda 24.7, as conda-lock carries it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from envguard.cli.main import run
from envguard.model.package import PackageRecord
from envguard.model.subdir import current_subdir
from tests.installs import package, write_lock
from tests.real_data import serving

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


@dataclass(frozen=True)
class Conda:
    """The carried conda as a program, with a home and a .condarc of its own."""

    home: Path

    def __call__(self, *arguments: str | Path) -> str:
        """What it prints; fails the test where it does."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.carried_conda", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=Path(__file__).parents[2],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "CONDARC": str(self.home / "condarc"),
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def conda(tmp_path: Path) -> Conda:
    """Skips where conda-lock's conda lacks what it fetches packages with."""
    for module in ("conda_lock", "conda_package_handling", "tqdm"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    (tmp_path / "condarc").write_text(
        f"channels: []\nsolver: classic\npkgs_dirs: [{tmp_path / 'pkgs'}]\nregister_envs: false\n"
    )
    return Conda(tmp_path)


def test_conda_goes_back_to_a_revision_and_install_comes_again(
    conda: Conda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channel, prefix, lock = tmp_path / "served" / "ch", tmp_path / "env", tmp_path / "lock.yml"
    with serving(channel.parent) as url:
        a1, a2, b = (
            replace(
                r, url=(r.url or "").replace(channel.as_uri(), f"{url}/ch"), channel=f"{url}/ch"
            )
            for r in (
                package(channel, name, version, {f"share/{name}": version})
                for name, version in (("a", "1.0"), ("a", "2.0"), ("b", "1.0"))
            )
        )
        write_index(channel, (a1, a2, b))
        for records, specs in (((a1, b), ("a", "b")), ((a2,), ("a >=2",))):
            write_lock(lock, records, specs=specs)
            assert run(["install", str(lock), "-p", str(prefix)]) == 0
        revisions = conda("list", "--revisions", "-p", prefix)
        assert [line for line in revisions.splitlines() if "rev" in line][1].endswith("(rev 1)")
        history = yaml.safe_load(conda("env", "export", "--from-history", "-p", prefix))
        assert history["dependencies"] == ["a[version='>=2']"]

        conda("install", "--revision", "0", "--yes", "-c", f"{url}/ch", "-p", prefix)
        assert {p.name: p.read_text() for p in (prefix / "share").iterdir()} == {
            "a": "1.0",
            "b": "1.0",
        }
        assert run(["diff", str(lock), str(prefix)]) == 1
        assert run(["install", str(lock), "-p", str(prefix)]) == 0
        assert run(["diff", str(lock), str(prefix), "--files"]) == 0, capsys.readouterr().out
        assert "(rev 3)" in conda("list", "--revisions", "-p", prefix)


def test_conda_doctor_and_conda_envguard_as_programs(
    conda: Conda, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = package(tmp_path / "ch", "a", "1.0", {"share/a": "1.0"})
    prefix = tmp_path / "env"
    lock = write_lock(tmp_path / "lock.yml", [record], specs=("a",))
    assert run(["install", str(lock), "-p", str(prefix)]) == 0
    capsys.readouterr()
    told = conda("doctor", "-p", prefix)
    assert "GPU, driver and known-bad combinations (envguard check):" in told
    assert "✅ no installation was left half done" in told
    (prefix / "share" / "a").unlink()
    assert "share/a" in conda("doctor", "-v", "-p", prefix)
    assert conda("envguard", "--version").startswith("envguard, version")
    assert "the same packages" in conda("envguard", "diff", lock, prefix)


def write_index(channel: Path, records: Iterable[PackageRecord]) -> None:
    """repodata.json, as conda reads it."""
    packages = {
        (r.url or "").rpartition("/")[2]: {
            "name": r.name,
            "version": r.version,
            "build": r.build,
            "build_number": r.build_number,
            "depends": list(r.depends),
            "subdir": r.subdir,
            "sha256": r.sha256,
            "md5": r.md5,
            "size": r.size_bytes,
        }
        for r in records
    }
    for subdir in (current_subdir(), "noarch"):
        (channel / subdir).mkdir(exist_ok=True)
        here = packages if subdir != "noarch" else {}
        document = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": here}
        (channel / subdir / "repodata.json").write_text(json.dumps(document))
