"""`envguard why` as a process: it answers without the network, and ends with the right status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from envguard.adapters.rules import rules_directory
from tests.real_data import real_data

OFFLINE = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"the network was asked: {event} {arguments}")
sys.addaudithook(refuse)
from envguard.cli.main import main
main(sys.argv[1:])
"""


def why(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OFFLINE, "why", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["eg201"], 0, "EG201  the build holds no code for this GPU", id="a check"),
        pytest.param(["two-openmp-runtimes"], 0, "EG306 warn", id="a rule by its alias"),
        pytest.param(["EG299"], 2, "there is no rule EG299", id="no such id"),
        pytest.param(
            ["torch==2.8.0+cu118", "--for", "linux-64:h100"],
            0,
            "none is tabled for CUDA 11.8",
            id="a wheel that never came out",
        ),
        pytest.param(["pytorch", "--lock", "gone.yml"], 2, "gone.yml does not exist", id="no lock"),
        pytest.param(["=>x"], 2, "no MatchSpec", id="no spec"),
    ],
)
def test_exit_status_and_answer(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = why(*arguments, cwd=tmp_path)

    assert done.returncode == code, done.stderr
    assert said in (done.stdout if code == 0 else done.stderr)


def test_packages_of_real_locks_lead_back_to_what_nothing_needs(tmp_path: Path) -> None:
    lock = real_data("corpus") / "locks" / "ChristophHoenes__NumTimeProbe__1.yml"

    done = why(
        "pytorch", "--lock", str(lock), "--for", "linux-64:v100", "--format", "json", cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    packages = json.loads(done.stdout)["answer"]["packages"]
    linux = next(p for p in packages if p["subdirs"] == ["linux-64"])
    assert linux["record"]["build"] == "py3.12_cuda11.8_cudnn9.1.0_0"
    assert ["accelerate 1.3.0", "pytorch >=2.0.0"] in linux["chains"]
    assert "EG403" in {finding["rule"] for finding in linux["findings"]}


RULE = """id: SITE001
aliases: [our-proxy]
title: our proxy breaks requests 2.30
status: fail
when: {package: {name: requests, version: '2.30.*'}}
symptom: it hangs
cause: the proxy
fix: {text: requests 2.31}
sources: [https://wiki.example/proxy]
confidence: high
date: '2030-01-02'
examples:
- {finds: 'yes', packages: [requests 2.30.0 manager:pip]}
- {finds: 'no', packages: [requests 2.31.0 manager:pip]}
"""


@pytest.mark.parametrize("what", ["SITE001", "our-proxy"])
def test_a_rule_of_the_users_own_is_explained(tmp_path: Path, what: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "proxy.yaml").write_text(RULE)

    done = why(what, "--rules", "rules", "--format", "json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["answer"]["title"] == "our proxy breaks requests 2.30"
    assert document["tool"]["rules_date"] == "2030-01-02"
    assert why(what, cwd=tmp_path).returncode == 2


def test_a_folder_without_rules_is_wrong_usage(tmp_path: Path) -> None:
    done = why("EG201", "--rules", ".", cwd=tmp_path)
    assert (done.returncode, "no rule there" in done.stderr) == (2, True)


SCHEMA = rules_directory() / "schema" / "why-v1.json"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["EG201"], id="a check"),
        pytest.param(["EG306"], id="a rule"),
        pytest.param(["torch==2.8.0+cu118", "--for", "linux-64:h100"], id="a spec"),
        pytest.param(["pytorch"], id="a package, by the rules alone"),
    ],
)
def test_every_answer_is_what_the_schema_says(tmp_path: Path, arguments: list[str]) -> None:
    document = json.loads(why(*arguments, "--format", "json", cwd=tmp_path).stdout)
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    assert list(schema.iter_errors(document)) == []
    assert not schema.is_valid(document | {"kind": "nothing"})
    assert not schema.is_valid(document | {"answer": document["answer"] | {"more": 1}})


def test_a_package_of_a_real_lock_is_what_the_schema_says(tmp_path: Path) -> None:
    lock = real_data("corpus") / "locks" / "ChristophHoenes__NumTimeProbe__1.yml"
    arguments = ["--lock", str(lock), "--for", "linux-64:v100", "--format", "json"]
    document = json.loads(why("pytorch", *arguments, cwd=tmp_path).stdout)

    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert list(schema.iter_errors(document)) == []
