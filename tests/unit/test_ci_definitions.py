"""The pre-commit hook and the GitHub action: their form, and that their command lines are understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from envguard.cli.check import command as check

REPOSITORY = Path(__file__).resolve().parents[2]
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
SCRIPT = next(step["run"] for step in STEPS if step.get("id") == "check")
CALLS = re.findall(r'^ *"\$envguard" (check .*)$', SCRIPT, re.MULTILINE)
ARRAYS = {
    '"${question[@]}"': 'conda-lock.yml environment.yml --for h100 --for "a100,driver=535.104.05"',
    '"${verdict[@]}"': "--fail-on unknown --allow unknown",
    '"$RUNNER_TEMP/envguard.sarif"': "envguard.sarif",
}


def parses(words: list[str]) -> dict[str, Any]:
    """The parameters that `envguard check` takes from a command line; raises click's UsageError."""
    return check.make_context("envguard check", words).params


def test_the_hook_parses_with_several_files() -> None:
    (hook,) = HOOKS
    words = [*shlex.split(hook["entry"]), *hook["args"], "environment.yml", "conda-lock.yml"]

    assert words[:2] == ["envguard", "check"]
    given = parses(words[2:])
    assert (given["format_"], given["allowed"]) == ("concise", ("unknown",))
    assert given["whats"] == ("environment.yml", "conda-lock.yml")


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("environment.yml", True),
        ("envs/environment-gpu.yaml", True),
        ("conda-lock.yml", True),
        ("ci/linux.conda-lock.yml", True),
        ("conda-lock.cluster.yml", True),
        ("my-environment.yml", False),
        ("environments/ci.yml", False),
        ("conda-lock.yml.bak", False),
        ("docs/environment.md", False),
    ],
)
def test_the_hook_takes_environments_and_locks(path: str, checked: bool) -> None:
    assert bool(re.search(HOOKS[0]["files"], path)) is checked


@pytest.mark.parametrize("call", CALLS)
def test_every_call_in_the_action_parses(call: str) -> None:
    for name, words in ARRAYS.items():
        call = call.replace(name, words)
    assert "$" not in call

    given = parses(shlex.split(call)[1:])

    assert given["whats"] == ("conda-lock.yml", "environment.yml")
    assert given["targets"] == ("h100", "a100,driver=535.104.05")


def test_the_action_checks_once_for_the_log_and_once_for_code_scanning() -> None:
    formats = [re.findall(r"--format (\w+)", call) for call in CALLS]

    assert formats == [["sarif"], ["github"]]


def test_no_input_is_pasted_into_a_script() -> None:
    """An input is a stranger's text where a workflow takes it from a pull request."""
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_every_input_is_used_and_no_other() -> None:
    text = (REPOSITORY / "action.yml").read_text()

    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])


def test_every_script_has_its_shell_and_every_output_its_step() -> None:
    """GitHub refuses a composite action without `shell`; an output of a step that is not there is empty."""
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)
    ids = {step["id"] for step in STEPS if "id" in step}
    values = " ".join(output["value"] for output in ACTION["outputs"].values())
    assert set(re.findall(r"steps\.(\w+)\.", values + str(STEPS))) <= ids


def test_the_cache_belongs_to_the_lock_and_the_rules() -> None:
    (key,) = (step for step in STEPS if step.get("id") == "key")

    assert key["env"]["LOCK_HASH"] == "${{ hashFiles(inputs.lock) }}"
    assert "api.rules_date()" in key["run"]
    assert "$rules-$LOCK_HASH" in key["run"]
