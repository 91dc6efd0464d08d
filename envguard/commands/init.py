"""`init`: the first files of a project, from what is there. Nothing that is there is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from envguard.formats.environments.environment_yml_dump import scalar
from envguard.model.machine import Driver, Machine
from envguard.model.project import (
    CONFIGURATIONS,
    ENVIRONMENTS,
    GITLAB,
    NOT_READ,
    PYTHON,
    WORKFLOW,
    InitPlan,
    NewFile,
    Project,
    PyProject,
)
from envguard.model.secrets import redacted

REQUIREMENTS = "requirements.txt"
_NEWEST_PYTHON = 40
"""A minor version that is beyond all that there will be soon."""
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
        notes += _notes(project)
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
    asked = _asked(project)
    lines = [
        f"name: {scalar(project.name)}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={_python(project)}",
    ]
    if asked:
        lines += ["  - pip", "  - pip:"]
    for origin, requirements in asked.items():
        lines += [f"      # {origin}"] if origin != REQUIREMENTS else []
        lines += [f"      - {scalar(redacted(line))}" for line in requirements]
    what = "what is asked for" + (f": {', '.join(asked)}, by pip" if asked else "")
    return NewFile(ENVIRONMENTS[0], "\n".join(lines) + "\n", what)


def _asked(project: Project) -> dict[str, tuple[str, ...]]:
    """The lines of the pip section, by where they come from."""
    if REQUIREMENTS in project.files:
        return {REQUIREMENTS: (f"-r {REQUIREMENTS}",)}
    read = project.pyproject or PyProject()
    both = {"pyproject.toml": read.dependencies, "its group dev": read.dev}
    return {origin: lines for origin, lines in both.items() if lines}


def _python(project: Project) -> str:
    """The minor version: that of .python-version, else the nearest to ours that the project takes."""
    if project.python is not None:
        return project.python
    return next(_fitting(project), PYTHON)


def _fitting(project: Project) -> Iterator[str]:
    """The minor versions that `requires-python` takes, the nearest to ours first."""
    taken = SpecifierSet(project.pyproject.requires_python if project.pyproject else "")
    _, _, ours = PYTHON.partition(".")
    minors = sorted(range(_NEWEST_PYTHON), key=lambda minor: (abs(minor - int(ours)), minor))
    ends = ("", ".99")
    yield from (f"3.{n}" for n in minors if any(taken.contains(f"3.{n}{end}") for end in ends))


def _notes(project: Project) -> Iterator[str]:
    """What may hold dependencies, and is not in the file."""
    read = project.pyproject or PyProject()
    if REQUIREMENTS in project.files and (read.dependencies or read.dev):
        yield (
            f"pyproject.toml asks for {len({*read.dependencies, *read.dev})} packages, too: not taken, "
            f"because {REQUIREMENTS} is there"
        )
    if project.python is None and next(_fitting(project), None) is None:
        yield f"no Python 3 is {read.requires_python!r}, as pyproject.toml has it: {PYTHON} is written"
    if read.dynamic:
        yield "pyproject.toml leaves its dependencies to its build (dynamic): add them to the file"
    if read.left_out:
        yield f"of pyproject.toml not taken: {', '.join(read.left_out)}"
    if read.installable:
        yield "the project itself is not in it: add `- -e .` below `pip:` where it is to be installed"
    unread = [*(name for name in NOT_READ if name in project.files), *read.others]
    if unread:
        yield f"may hold dependencies, too, and is not read: {', '.join(unread)}"
    lines = [*read.dependencies, *read.dev]
    if any(redacted(line) != line for line in lines) and REQUIREMENTS not in project.files:
        yield "credentials in URLs of pyproject.toml are left out"


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
