"""The example that a newcomer copies is locked as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.real_data import REPOSITORY, real_data, serving


def test_the_example_is_locked_on_real_records_for_the_card_that_it_names(tmp_path: Path) -> None:
    # without the pip section: it would ask PyPI
    text = (REPOSITORY / "environment.example.yml").read_text()
    conda, _, _ = text.partition("  - pip:\n")
    (tmp_path / "environment.yml").write_text(conda)
    with serving(real_data("channels")) as url:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "envguard", "lock", "--for", "h100"),
                *("--mirror", f"conda-forge={url}/conda-forge"),
            ],
            cwd=tmp_path,
            env={**os.environ, "ENVGUARD_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "cuda" in done.stdout
