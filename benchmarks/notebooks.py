"""`check` of many notebooks as a whole process, and whether one that runs is ever failed.

    python benchmarks/notebooks.py [--made 100] [--folder FOLDER] [--run ENV]

Wants nbformat and ruff beside envguard. `--folder` holds notebooks of others, such as those in source
distributions (`pip download --no-binary :all: --no-deps NAME`, unpacked). `--run` names an environment in
which each of them is run too (`verify -p ENV`): of those that pass, none may fail in `check -p ENV`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from nbformat import v4

LIMIT_S = 5.0
ENVGUARD = [sys.executable, "-m", "envguard"]
CELLS = (
    "import os\nimport torch",
    "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\ntorch.manual_seed(0)",
    "%matplotlib inline\nfiles = !ls",
    "def step(x):\n    return [y ** 2 for y in x]",
    "%time total = sum(step(range(10)))",
    "torch.save({'total': total}, 'out.pt')",
)


def made(folder: Path, count: int) -> list[Path]:
    """Notebooks of 30 cells, run in order, each with an output of 10 kB."""
    paths = []
    for number in range(count):
        cells = [
            v4.new_code_cell(
                CELLS[n % len(CELLS)],
                execution_count=n + 1,
                outputs=[v4.new_output("stream", text="x" * 10_000)],
            )
            for n in range(30)
        ]
        paths.append(folder / f"made{number}.ipynb")
        paths[-1].write_text(json.dumps(v4.new_notebook(cells=cells)), encoding="utf-8")
    return paths


def checked(paths: list[Path], *options: str) -> tuple[float, list[dict[str, object]]]:
    """Seconds of one process, and its reports."""
    began = time.perf_counter()
    done = subprocess.run(
        [*ENVGUARD, "check", *map(str, paths), "--format", "json", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    told = json.loads(done.stdout)
    return seconds, told.get("reports", [told])


def runs(path: Path, environment: str, deadline_s: float) -> bool:
    command = [*ENVGUARD, "verify", str(path), "-p", environment]
    done = subprocess.run(
        [*command, "--cell-timeout", f"{deadline_s:g}"], capture_output=True, check=False
    )
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--made", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--run", metavar="ENV")
    parser.add_argument("--cell-timeout", type=float, default=60.0)
    asked = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        seconds, _ = checked(made(Path(folder), asked.made))
        print(f"check of {asked.made} made notebooks: {seconds:.2f} s (limit {LIMIT_S:g} for 100)")
    if asked.folder is None:
        return
    paths = sorted(asked.folder.rglob("*.ipynb"))
    options = ("-p", asked.run) if asked.run else ()
    seconds, reports = checked(paths, *options)
    size = sum(path.stat().st_size for path in paths) / 1e6
    verdicts = Counter(str(report["verdict"]) for report in reports)
    print(
        f"check of {len(paths)} notebooks of others, {size:.1f} MB: {seconds:.2f} s, {dict(verdicts)}"
    )
    if not asked.run:
        return
    good = {str(path) for path in paths if runs(path, asked.run, asked.cell_timeout)}
    wrong = [r for r in reports if r["subject"]["path"] in good and r["verdict"] == "fail"]  # type: ignore[index]
    print(f"{len(good)} of them run; failed by check all the same: {len(wrong)} (limit 0)")
    for report in wrong:
        print("  ", report["subject"], report["findings"])


if __name__ == "__main__":
    main()
