"""envguard as a plug-in of the real plug-in manager of conda 24.7, which conda-lock carries."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
# the carried conda under its own name; conda-lock does not bring the progress bar that conda wants
CONDA = """
import importlib, json, sys, types
sys.modules["tqdm"] = types.SimpleNamespace(tqdm=None)
for name in ("", ".plugins", ".plugins.types", ".plugins.hookspec"):
    sys.modules["conda" + name] = importlib.import_module("conda_lock._vendor.conda" + name)
from conda_lock._vendor.conda.plugins.hookspec import CondaSpecs
from conda_lock._vendor.conda.plugins.manager import CondaPluginManager
manager = CondaPluginManager()
manager.add_hookspecs(CondaSpecs)
assert manager.load_plugins(importlib.import_module(sys.argv[1])) == 1
manager.check_pending()
"""


def in_conda(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs `code` behind a plug-in manager that has loaded the module of our entry point."""
    [module] = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]["conda"].values()
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CONDA + code, module, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    meta = tmp_path / "env" / "conda-meta"
    meta.mkdir(parents=True)
    (meta / "history").write_text("")
    entry = {
        "name": "pytorch",
        "version": "2.12.0",
        "build": "cuda130_mkl_py312_h0_300",
        "build_number": 300,
        "channel": "https://conda.anaconda.org/conda-forge",
        "subdir": "linux-64",
        "depends": ["__cuda", "cuda-version >=13.0,<14"],
        "files": [],
    }
    (meta / "pytorch-2.12.0-cuda130_mkl_py312_h0_300.json").write_text(json.dumps(entry))
    return tmp_path / "env"


def test_its_hooks_are_those_that_conda_specifies() -> None:
    done = in_conda(
        "print(json.dumps([[p.name for p in manager.get_hook_results(hook)] "
        "for hook in ('subcommands', 'health_checks')]))"
    )
    assert json.loads(done.stdout) == [
        ["envguard"],
        ["GPU (envguard)", "Half-finished installation (envguard)"],
    ], done.stderr


def test_conda_doctor_shows_what_check_found(prefix: Path) -> None:
    done = in_conda("manager.invoke_health_checks(sys.argv[2], False)", prefix)
    assert done.returncode == 0, done.stderr
    # without an NVIDIA driver it is not decided, with an old one it fails: never a pass
    assert "✅ nothing speaks against" not in done.stdout
    assert "this environment" in done.stdout
    assert "EG101" in done.stdout
    assert "✅ no installation was left half done" in done.stdout


def test_conda_doctor_shows_a_half_installed_prefix(prefix: Path) -> None:
    (prefix / "conda-meta/envguard-half-installed").write_text("{}")
    done = in_conda("manager.invoke_health_checks(sys.argv[2], True)", prefix)
    assert (
        f"❌ an installation did not end; finish it: envguard install LOCK -p {prefix}"
        in done.stdout
    )


def test_conda_envguard_is_envguard(prefix: Path) -> None:
    code = "sys.exit(manager.get_hook_results('subcommands')[0].action(sys.argv[2:]))"
    done = in_conda(code, "--version")
    assert (done.returncode, done.stdout.startswith("envguard, version")) == (0, True)
    assert in_conda(code, "check", "-p", prefix / "none").returncode == 2


def test_the_mark_is_the_one_that_install_leaves() -> None:
    from envguard.adapters.prefixes.conda_meta import HALF

    text = (PYPROJECT.parent / "envguard" / "conda_plugin.py").read_text()
    assert f'_HALF = "conda-meta/{HALF}"' in text


def test_envguard_itself_imports_nothing_of_conda() -> None:
    code = (
        "import sys, envguard.cli.main as main; main.run(['--help']);"
        "import envguard.cli.check, envguard.api, envguard.cli.install;"
        "print([m for m in sys.modules if m.split('.')[0] in ('conda', 'conda_lock')"
        " or m == 'envguard.conda_plugin'], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
