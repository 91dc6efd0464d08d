"""What has to fit before anything is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.prefixes.supply import Supply
from envguard.errors import UnavailableError
from envguard.model.package import PackageRecord
from envguard.ports.progress import SILENT

TOO_LARGE = 10**18
URL = "https://index.example/linux-64/big-1-0.conda"
BIG = PackageRecord("big", "1", build="0", url=URL, sha256="0" * 64, size_bytes=TOO_LARGE)


def asked(root: Path, *, cached: bool, copied_to: Path | None) -> str | None:
    """What is refused of a package that fits nowhere; None where nothing is."""
    if cached:
        (root / "pkgs" / "big-1-0").mkdir(parents=True)
    try:
        supply = Supply(root, offline=True)
        supply.trusted([BIG], root / "scratch", SILENT, build=False, copied_to=copied_to)
    except UnavailableError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    ("cached", "copied", "refused"),
    [
        pytest.param(True, False, False, id="what is in the cache needs no more room"),
        pytest.param(True, True, True, id="but its copy does"),
        pytest.param(False, False, True, id="what is fetched does"),
    ],
)
def test_what_is_sure_to_be_written_has_to_fit(
    tmp_path: Path, cached: bool, copied: bool, refused: bool
) -> None:
    said = asked(tmp_path, cached=cached, copied_to=tmp_path / "copies" if copied else None)
    assert (said is not None) is refused
    if said is not None:
        assert "MB free; the packages take 1,000,000,000,000 MB" in said
    assert [path.name for path in tmp_path.iterdir()] == (["pkgs"] if cached else [])
