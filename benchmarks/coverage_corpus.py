"""How often `check` cannot decide: the share of each verdict over real locks and environment files."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

from envguard import api
from envguard.errors import EnvguardError
from envguard.model.report import Status

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ENVGUARD_TEST_DATA") or ROOT.parent / "shared")
TARGETS = ("a100,driver=570.124.06", "v100,driver=580.95.05", "h100,driver=535.183.01")
COLUMNS = ("pass", "warn", "fail", "unknown", "not read")


def verdicts(path: Path, target: str) -> Counter[str]:
    """Verdicts of one file on one target; and the rules that left it unknown."""
    try:
        reports = api.check(path, targets=[target])
    except EnvguardError:
        return Counter({"not read": 1})
    found = Counter(report.verdict.value for report in reports)
    for report in reports:
        if report.verdict is Status.UNKNOWN:
            rules = {f.rule for f in report.findings if f.status is Status.UNKNOWN}
            found.update(f"because {rule}" for rule in rules)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fails", action="store_true", help="list each *fail* with its source")
    options = parser.parse_args()
    corpus = DATA / "corpus"
    if not corpus.is_dir():
        print("no corpus: set ENVGUARD_TEST_DATA", file=sys.stderr)
        return 2
    if options.fails:
        return list_fails(corpus)
    print(f"{'files':<18}{'target':<26}" + "".join(f"{c:>10}" for c in COLUMNS) + "   unknown")
    for kind in ("locks", "environments"):
        files = sorted((corpus / kind).glob("*.yml"))
        for target in TARGETS:
            total: Counter[str] = Counter()
            for path in files:
                total += verdicts(path, target)
            print(_line(f"{len(files)} {kind}", target, total))
    return 0


def list_fails(corpus: Path) -> int:
    """Each *fail* with the file, the machine, the first words of the answer and where it was read."""
    for path in sorted(corpus.glob("*/*.yml")):
        told: dict[tuple[str, str, str], list[str]] = {}
        for target in TARGETS:
            try:
                reports = api.check(path, targets=[target])
            except EnvguardError:
                continue
            for finding in (f for report in reports for f in report.findings):
                if finding.status is Status.FAIL:
                    source = finding.sources[0] if finding.sources else "the file itself"
                    told.setdefault((finding.rule, finding.title, source), []).append(target)
        for (rule, title, source), targets in told.items():
            print(
                f"{path.parent.name}/{path.name}: {rule} {title} [{source}] on {'; '.join(targets)}"
            )
    return 0


def _line(files: str, target: str, total: Counter[str]) -> str:
    judged = sum(total[name] for name in COLUMNS[:-1])
    share = total["unknown"] / judged if judged else 0.0
    rules = ", ".join(f"{k[8:]} {n}" for k, n in total.most_common() if k.startswith("because"))
    row = "".join(f"{total[name]:>10}" for name in COLUMNS)
    return f"{files:<18}{target:<26}{row}   {share:.1%}" + (f"  ({rules})" if rules else "")


if __name__ == "__main__":
    sys.exit(main())
