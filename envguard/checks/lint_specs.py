"""Lines of an environment.yml that contradict or repeat others, or mean nothing: EG611 to EG614."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from envguard.checks.places import place
from envguard.checks.requests import conda_lines
from envguard.model.conda import parse_match_spec, version_matches
from envguard.model.environment import Dependency, Environment
from envguard.model.knowledge import Knowledge
from envguard.model.report import Finding, Fix, Status

_ONE = re.compile(r"={0,2}\s*(\d+(?:\.\d+)*)(\.\*)?\Z")
_GLUED = re.compile(r"(?<![\d.])(?P<head>\d+(?:\.\d+)+)\*")
_REQUIREMENTS = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s+|=)(?P<file>\S+)")
_LETTERS = re.compile(r"[a-z]")
_SPEC_RULES = "https://github.com/conda/ceps/blob/main/cep-0029.md"


def check_specs(
    environment: Environment,
    knowledge: Knowledge,
    *,
    exists: Callable[[str, str], bool] | None = None,
) -> Iterator[Finding]:
    """Yield a finding for each line that cannot be what was meant. `exists`: see `check_environment`."""
    yield from _repeated(environment)
    yield from _glued_wildcards(environment, knowledge)
    if exists is not None:
        yield from _missing_files(environment, exists)


def _repeated(environment: Environment) -> Iterator[Finding]:
    """EG612: no version fits both lines; EG611: a package is there twice."""
    seen: dict[str, Dependency] = {}
    for line, name, _ in conda_lines(environment):
        first = seen.setdefault(name, line)
        if first is line:
            continue
        if _contradict(first, line):
            yield Finding(
                "EG612",
                Status.FAIL,
                f"no version of {name} is both {_version(first)} and {_version(line)}",
                symptom="the solver finds no solution",
                location=place(environment, line),
                fix=Fix(f"keep one of them; the other is in line {first.line}"),
                sources=(_SPEC_RULES,),
            )
        else:
            yield Finding(
                "EG611",
                Status.WARN,
                f"{name} is asked for twice, first in line {first.line}",
                message="both lines hold, and a reader of the file sees one of them",
                location=place(environment, line),
                fix=Fix(f"write one line: {name} with both conditions"),
                sources=(_SPEC_RULES,),
            )


def _contradict(first: Dependency, second: Dependency) -> bool:
    """Whether one of them names a version, to the patch, that the other one excludes."""
    for one, other in ((first, second), (second, first)):
        match = _ONE.match(parse_match_spec(one.spec).version or "")
        against = parse_match_spec(other.spec).version
        if match is None or against is None or _LETTERS.search(against):
            continue
        series = [match[1], *(f"{match[1]}.{n}" for n in (*range(100), 9999))]
        candidates = series if match[2] else [match[1]]
        if not any(version_matches(version, against) for version in candidates):
            return True
    return False


def _version(line: Dependency) -> str:
    return parse_match_spec(line.spec).version or "any"


def _glued_wildcards(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """EG613: `3.1*` is 3.1.* to rattler and pixi, where conda also takes 3.10."""
    for line, name, _ in conda_lines(environment):
        match = _GLUED.search(line.spec)
        if match is None:
            continue
        head = match["head"]
        nothing = name == "python" and not any(
            version_matches(r.python, f"{head}.*") for r in knowledge.python_ends
        )
        if not nothing and (name == "python" or len(head.rpartition(".")[2]) > 1):
            continue  # 1.26* and 1.26.* differ for 1.260 alone, 3.8* and 3.8.* for no Python
        yield Finding(
            "EG613",
            Status.FAIL if nothing else Status.WARN,
            f"{head}* is read as {head}.*" + (": there is no such Python" if nothing else ""),
            message=f"rattler and pixi read it so; conda also takes {head}0, {head}1 ...",
            location=place(environment, line, part=match[0]),
            fix=Fix(f"write {head}.* for that series, or >={head}0 with an upper bound"),
            sources=(_SPEC_RULES,),
        )


def _missing_files(
    environment: Environment, exists: Callable[[str, str], bool]
) -> Iterator[Finding]:
    """EG614: pip is to read a file that is not there."""
    for line in environment.pip:
        match = _REQUIREMENTS.match(line.spec.strip())
        if match is None or "://" in match["file"] or environment.path is None:
            continue
        if not exists(match["file"], environment.path):
            yield Finding(
                "EG614",
                Status.FAIL,
                f"{match['file']} is not there, and pip is to read it",
                message="the path counts from the folder of the environment.yml",
                symptom='"ERROR: Could not open requirements file"',
                location=place(environment, line, part=match["file"]),
                fix=Fix("write its lines under `pip:`, or ship the file with the environment.yml"),
                sources=("https://pip.pypa.io/en/stable/reference/requirements-file-format/",),
            )
