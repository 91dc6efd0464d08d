"""`init`: the first files of a project, from what is there. Nothing that is there is touched."""

from __future__ import annotations

import json

from envguard.model.machine import Driver, Machine
from envguard.model.project import (
    CONFIGURATIONS,
    ENVIRONMENTS,
    GITLAB,
    WORKFLOW,
    InitPlan,
    NewFile,
    Project,
)

_TOOL = "pipx run --spec conda-envguard envguard"


def plan_init(project: Project, machine: Machine, said: tuple[str, ...] = ()) -> InitPlan:
    """The files that are missing. `said` are texts of `--for`; none = the cards of this machine, if any."""
    files: list[NewFile] = []
    notes: list[str] = []
    there = next((name for name in ENVIRONMENTS if name in project.files), None)
    if there is not None:
        notes.append(f"{there} is there and stays as it is")
    else:
        files.append(_environment(project))
    if project.configured:
        notes.append("a configuration is there and stays as it is")
    else:
        files.append(_configuration(said or _cards(machine)))
    ci = _ci(project, there or ENVIRONMENTS[0])
    if isinstance(ci, NewFile):
        files.append(ci)
    else:
        notes.append(ci)
    return InitPlan(tuple(files), tuple(notes))


def _environment(project: Project) -> NewFile:
    requirements = "requirements.txt" in project.files
    lines = [
        f"name: {json.dumps(project.name)}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={project.python}",
    ]
    if requirements:
        lines += ["  - pip", "  - pip:", "      - -r requirements.txt"]
    what = "what is asked for" + (": requirements.txt, by pip" if requirements else "")
    return NewFile(ENVIRONMENTS[0], "\n".join(lines) + "\n", what)


def _cards(machine: Machine) -> tuple[str, ...]:
    """Each kind of NVIDIA card of this machine with its driver, as `--for` takes it."""
    driver = machine.driver
    version = driver.version if isinstance(driver, Driver) else None
    condition = f",driver={version}" if version else ""
    names = dict.fromkeys(gpu.name for gpu in machine.nvidia_gpus or () if gpu.name)
    return tuple(f"{name}{condition}" for name in names)


def _configuration(texts: tuple[str, ...]) -> NewFile:
    lines = ["# What this project has decided; options of the command line beat it."]
    if texts:
        lines += ["targets:", "  gpu:", *(f"    - {json.dumps(text)}" for text in texts)]
        lines += ["lock_for: [gpu]"]
    else:
        lines += [
            "# No NVIDIA card was seen here. Name the machines that the lock is for:",
            "# targets:",
            "#   gpu: [h100]",
            "# lock_for: [gpu]",
            "waivers: []",
        ]
    what = (
        f"`envguard lock` is for {', '.join(texts)}" if texts else "for which machines: to be said"
    )
    return NewFile(CONFIGURATIONS[0], "\n".join(lines) + "\n", what)


def _ci(project: Project, environment: str) -> NewFile | str:
    """The check of a pull request, or why there is none."""
    checks = (f"{_TOOL} lock --check {environment}", f"{_TOOL} check --allow unknown")
    if WORKFLOW in project.files:
        return f"{WORKFLOW} is there and stays as it is"
    if "github.com" in project.remote or any(f.startswith(".github/") for f in project.files):
        steps = "".join(f"      - run: {line}\n" for line in checks)
        text = (
            "name: envguard\non: [push, pull_request]\npermissions: {contents: read}\njobs:\n"
            "  check:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - uses: actions/checkout@v4\n{steps}"
        )
        return NewFile(WORKFLOW, text, "the lock is checked on every push")
    if GITLAB in project.files:
        return f"{GITLAB} is there and stays as it is; a job for it: {' && '.join(checks)}"
    if "gitlab" in project.remote:
        steps = "".join(f"    - {line}\n" for line in ("pip install pipx", *checks))
        text = f"envguard:\n  image: python:3.12\n  script:\n{steps}"
        return NewFile(GITLAB, text, "the lock is checked on every push")
    return f"no GitHub and no GitLab was seen; a CI job is: {' && '.join(checks)}"
