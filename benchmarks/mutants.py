"""How many small errors in what judges the tests notice: a sample of mutants, each in a copy of the tree.

One mutant changes one place: a comparison or its boundary, and/or, a not, a constant, a status. Which
tests enter which function is measured once. On a mutant of a function run those that enter it, quickest
first, until one fails; no other test can notice it. On one of what runs on import all run: those of checks,
model and cleaning and the truth table. A change that makes no difference to any answer is named with its
reason, and not counted.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
JUDGING = (
    "envguard/checks/**/[a-z]*.py",
    "envguard/cleaning/file.py",
    "envguard/cleaning/gpu.py",
    "envguard/cleaning/pins.py",
    "envguard/cleaning/specs.py",
    "envguard/model/report.py",
    "envguard/model/selection.py",
    "envguard/model/target.py",
    "envguard/model/version.py",
    "envguard/model/virtual.py",
)
TESTS = (
    "tests/truth",
    "tests/unit/checks",
    "tests/unit/model",
    "tests/unit/test_cleaning.py",
    "tests/unit/test_values_are_frozen.py",
    "tests/unit/commands",
    "tests/unit/formats/test_contract_json.py",
    "tests/unit/formats/test_contract_renders.py",
    "tests/unit/formats/test_diagnosis_formats.py",
    "tests/unit/formats/test_diff.py",
    "tests/unit/formats/test_verify_text.py",
    "tests/properties/test_fixes.py",
    "tests/properties/test_facts.py",
)
COPIED = ("envguard", "rules", "tests", "pyproject.toml")
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
EQUIVALENT = {
    "slots=": "of a dataclass: less memory, and the same answers",
    "return False -> return None": "where a bool is returned: both are no; that it becomes True is tried",
}
STATUSES = {"PASS": "FAIL", "FAIL": "PASS", "WARN": "PASS", "UNKNOWN": "PASS", "SKIPPED": "FAIL"}


@dataclass(frozen=True)
class Mutant:
    """`text` is the whole module with one place changed; empty until it is `written`."""

    path: Path
    line: int
    change: str
    text: str = ""
    function: str | None = None
    """The qualified name of the function that it is in; None = it runs on import."""
    place: tuple[int, int] = (0, 0)
    """Which node of the module, and which of the changes there."""


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of one module that could change an answer."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    equivalent = list(_equivalent(tree))
    functions = dict(_functions(tree))
    for index, node in enumerate(ast.walk(tree)):
        for nth, (change, _) in enumerate(() if node in equivalent else _changes(node)):
            line = node.lineno  # type: ignore[attr-defined]
            yield Mutant(path, line, change, "", functions.get(node), (index, nth))


def written(mutant: Mutant) -> Mutant:
    """The mutant with its text."""
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    index, nth = mutant.place
    _put(tree, index, list(_changes(list(ast.walk(tree))[index]))[nth][1])
    return replace(mutant, text=ast.unparse(tree))


def _equivalent(tree: ast.Module) -> Iterator[ast.AST]:
    """The places of which EQUIVALENT says that a change there makes no difference."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="slots"):
                yield node.value
            case ast.FunctionDef(returns=ast.Name(id="bool")):
                for inside in ast.walk(node):
                    if isinstance(inside, ast.Return) and _is_false(inside.value):
                        yield inside


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _functions(tree: ast.AST, around: str = "") -> Iterator[tuple[ast.AST, str]]:
    """The nodes in the bodies of functions, with the outermost function's name as in `__qualname__`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{around}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            for part in (inside for line in node.body for inside in ast.walk(line)):
                yield part, f"{around}{node.name}"


def _put(tree: ast.Module, index: int, other: ast.AST) -> None:
    """Give the node at that place of the walk the fields of another."""
    node = list(ast.walk(tree))[index]
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__ | {"lineno": node.lineno, "col_offset": 0}  # type: ignore[attr-defined]


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What can be wrong here: a description, and the node that takes its place."""
    match node:
        case ast.Compare(ops=[op]):
            for other in COMPARISONS[type(op)]:
                yield _named(node, ast.Compare(node.left, [other()], node.comparators))
        case ast.BoolOp(op=op):
            yield _named(
                node, ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
            )
        case ast.UnaryOp(op=ast.Not()):
            yield _named(node, ast.Call(ast.Name("bool", ast.Load()), [node.operand], []))
        case ast.Constant(value=bool(value)):
            yield _named(node, ast.Constant(not value))
        case ast.Constant(value=int(value)):
            yield _named(node, ast.Constant(value + 1))
        case ast.Attribute(value=ast.Name(id="Status"), attr=attr) if attr in STATUSES:
            yield _named(node, ast.Attribute(node.value, STATUSES[attr], node.ctx))
        case ast.Return(value=ast.Constant(value=None)):
            return
        case ast.Return(value=ast.expr()):
            yield _named(node, ast.Return(ast.Constant(None)))
        case ast.IfExp():
            yield _named(node, ast.IfExp(node.test, node.orelse, node.body))


def _named(node: ast.AST, other: ast.AST) -> tuple[str, ast.AST]:
    ast.fix_missing_locations(other)
    return f"{ast.unparse(node)[:60]} -> {ast.unparse(other)[:60]}", other


@dataclass(frozen=True)
class Tests:
    """All tests in their own order, and what each enters: `checks/arch.py:check_architectures`."""

    seconds: dict[str, float]
    entered: dict[str, frozenset[str]]

    def for_(self, mutant: Mutant) -> list[str]:
        """Those that enter the mutant's function, quickest first; all for what runs on import."""
        name = f"{mutant.path.relative_to('envguard').as_posix()}:{mutant.function}"
        near = [test for test, entered in self.entered.items() if name in entered]
        everywhere = mutant.function is None or not mutant.line
        return sorted(self.seconds if everywhere else near, key=self.seconds.__getitem__)


def measure(folder: Path, tests: list[str], earlier: Path | None) -> Tests | None:
    """Run them once, without a mutant; None where one fails. Those that `earlier` has are not run."""
    file = folder / "reach.json"
    if earlier is not None and earlier.is_file():
        shutil.copy(earlier, file)
    if _reach(folder, 1800, "measure", str(file), *tests) != 0:
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    if earlier is not None:
        shutil.copy(file, earlier)
    return Tests(
        {test: said["seconds"] for test, said in found.items()},
        {test: frozenset(said["entered"]) for test, said in found.items()},
    )


def tried(
    chosen: Sequence[Mutant], folder: Path, tests: Tests, *, limit_s: float, patience_s: float
) -> list[tuple[Mutant, bool]]:
    """Each mutant with whether it survived, as far as the limit allows; one that hangs is noticed."""
    deadline = time.monotonic() + limit_s
    done = _forked(chosen, folder, tests, limit_s, patience_s)
    found = []
    for mutant in chosen:
        if mutant in done:
            found.append((mutant, done[mutant]))
        elif mutant not in done and time.monotonic() < deadline:
            found.append((mutant, survives(mutant, folder, tests, patience_s)))
    return found


def _forked(
    chosen: Sequence[Mutant], folder: Path, tests: Tests, limit_s: float, patience_s: float
) -> dict[Mutant, bool]:
    """Those whose function can be exchanged in a process that has collected the tests."""
    inside = [m for m in chosen if m.function is not None]
    if folder.name == "0":
        inside.insert(0, _unchanged(folder))
    jobs = folder / "jobs.jsonl"
    jobs.write_text("".join(f"{_job(m, tests, patience_s)}\n" for m in inside), encoding="utf-8")
    wanted = dict.fromkeys(test.partition("::")[0] for test in tests.seconds)
    with contextlib.suppress(subprocess.TimeoutExpired):
        _reach(folder, limit_s, "each", str(jobs), *wanted)
    out = folder / "jobs.jsonl.out"
    lines = out.read_text(encoding="utf-8").splitlines() if out.is_file() else []
    said = [line.rpartition(" ") for line in lines]
    if said and folder.name == "0" and said[0][0] != "survived":
        raise RuntimeError("the tests fail in this order without any mutant: nothing can be said")
    return {
        inside[int(number)]: word == "survived" for word, _, number in said if word != "not tried"
    }


def _unchanged(folder: Path) -> Mutant:
    """No mutant at all: what every test has to pass."""
    path = Path("envguard/checks/judgement.py")
    return Mutant(path, 0, "nothing", (folder / path).read_text(encoding="utf-8"), "judge")


def _job(mutant: Mutant, tests: Tests, patience_s: float) -> str:
    return json.dumps(
        {
            "path": mutant.path.as_posix(),
            "function": mutant.function,
            "text": mutant.text,
            "tests": tests.for_(mutant),
            "timeout_s": patience_s,
        }
    )


def survives(mutant: Mutant, folder: Path, tests: Tests, timeout_s: float) -> bool:
    """Whether no test notices it, in a process of its own; a mutant that hangs is noticed."""
    target = folder / mutant.path
    good = target.read_text(encoding="utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    try:
        wanted = tests.for_(mutant)
        return not wanted or _pass(wanted, folder, timeout_s)
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_text(good, encoding="utf-8")


def _pass(tests: list[str], folder: Path, timeout_s: float) -> bool:
    file = folder / "chosen.json"
    file.write_text(json.dumps(tests), encoding="utf-8")
    code = _reach(folder, timeout_s, "run", str(file))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"not one of these tests is there: {tests[:3]}")
    return code == 0


def _reach(folder: Path, timeout_s: float, *arguments: str) -> int:
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "reach.py"), *arguments],
        cwd=folder,
        env=environment,
        timeout=timeout_s,
        capture_output=True,
        check=False,
    )
    return done.returncode


def copy_tree(folder: Path) -> Path:
    """The package, its rules and its tests."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def sample(options: argparse.Namespace) -> list[Mutant]:
    modules = sorted(path.relative_to(ROOT) for glob in JUDGING for path in ROOT.glob(glob))
    chosen = [path for path in modules if not options.modules or path.stem in options.modules]
    found = [mutant for path in chosen for mutant in mutants_of(path)]
    random.Random(options.seed).shuffle(found)
    return [written(mutant) for mutant in found[: options.sample]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=900, help="start no mutant after that")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--modules", nargs="*", help="names of files; default all")
    parser.add_argument("--tests", nargs="*", default=list(TESTS))
    parser.add_argument(
        "--measured", type=Path, help="what was measured is kept in that file, for the next sample"
    )
    parser.add_argument("--at-least", type=float, default=0.0, help="exit 1 below this share")
    options = parser.parse_args()
    chosen = sample(options)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="envguard-mutants-") as place:
        folders = [copy_tree(Path(place) / str(job)) for job in range(options.jobs)]
        tests = measure(folders[0], options.tests, options.measured)
        if tests is None:
            print("the tests fail without any mutant: nothing can be said", file=sys.stderr)
            return 2
        measured_s = time.monotonic() - started
        patience_s = max(60.0, 5 * measured_s)
        print(f"{len(tests.seconds)} tests measured in {measured_s:.0f} s", file=sys.stderr)
        part = partial(tried, tests=tests, limit_s=options.limit_s, patience_s=patience_s)
        with ThreadPoolExecutor(options.jobs) as pool:
            shares = [chosen[job :: options.jobs] for job in range(options.jobs)]
            outcomes = [one for found in pool.map(part, shares, folders) for one in found]
    return _report(outcomes, len(chosen), time.monotonic() - started, options.at_least)


def _report(outcomes: list[tuple[Mutant, bool]], wanted: int, seconds: float, least: float) -> int:
    alive = [mutant for mutant, survived in outcomes if survived]
    for mutant in sorted(alive, key=lambda m: (m.path, m.line)):
        print(f"{mutant.path}:{mutant.line}: survived: {mutant.change}")
    for word, reason in EQUIVALENT.items():
        print(f"not tried, for no answer depends on it: {word} ({reason})")
    killed = len(outcomes) - len(alive)
    share = killed / len(outcomes) if outcomes else 0.0
    print(f"{killed} of {len(outcomes)} mutants killed ({share:.1%}), {seconds:.0f} s")
    if len(outcomes) < wanted:
        print(f"{wanted - len(outcomes)} were not run: the time limit")
    return 1 if share < least else 0


if __name__ == "__main__":
    sys.exit(main())
