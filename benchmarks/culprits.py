"""How long `envguard verify` takes to name each built culprit, as a whole process, and what it named.

The culprits are those of tests/culprits: a folder on LD_LIBRARY_PATH, a user site, an activation script ...
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.culprits import CULPRITS, NoCompiler, Scene  # noqa: E402

LIMIT_S = 15.0
TOUCHED = ("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONUSERBASE", "PYTHONNOUSERSITE")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--only", metavar="WORD", default="", help="culprits with WORD in their name"
    )
    options = arguments.parse_args()
    slow = wrong = 0
    print(f"{'culprit':40} {'with it':>8} {'without':>8}  named, fix tried")
    for name, build in CULPRITS.items():
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                scene = build(Path(folder))
            except NoCompiler as missing:
                sys.exit(str(missing))
            seconds, found = verified(scene, scene.variables)
            plain, _ = verified(scene, {})
        named = any(f["rule"] == scene.rule and scene.named in f["title"] for f in found)
        tried = [f["fix"]["checked"] for f in found if f.get("fix", {}).get("checked")]
        slow += seconds > LIMIT_S
        wrong += not named
        print(
            f"{name:40} {seconds:7.1f}s {plain:7.1f}s  {'yes' if named else 'NO'}, {', '.join(tried)}"
        )
    print(f"{slow} took longer than {LIMIT_S:g} s, {wrong} were not named")
    sys.exit(1 if slow or wrong else 0)


def verified(scene: Scene, variables: Mapping[str, str]) -> tuple[float, list[dict[str, object]]]:
    """Seconds, and the findings that fail."""
    environment = {k: v for k, v in os.environ.items() if k not in TOUCHED} | dict(variables)
    command = [str(Path(sys.executable).with_name("envguard")), "verify", "-p", str(scene.prefix)]
    started = time.perf_counter()
    ended = subprocess.run(
        [*command, "--for", "cpu", "--format", "json"],
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    seconds = time.perf_counter() - started
    findings = json.loads(ended.stdout)["findings"]
    return seconds, [finding for finding in findings if finding["status"] == "fail"]


if __name__ == "__main__":
    main()
