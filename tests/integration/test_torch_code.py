"""A prefix or a virtual environment is judged by the PyTorch library that lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard import api
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk
from envguard.model.report import Status
from tests.unit.adapters.test_fatbin import CUBIN, container, entry, library


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment with the metadata of torch 2.7.1 and a library for sm_90 alone."""
    site = tmp_path / "venv" / "lib" / "python3.12" / "site-packages"
    info = site / "torch-2.7.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.7.1\n")
    (site / "torch" / "lib").mkdir(parents=True)
    library(site / "torch" / "lib" / "libtorch_cuda.so", container(entry(CUBIN, 90)))
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    return tmp_path / "venv"


def test_the_library_of_a_virtual_environment_is_read(venv):
    code = PrefixReaderOnDisk({}).read(venv).torch_code
    assert code is not None
    assert [str(a) for a in code.architectures] == ["9.0"]


@pytest.mark.parametrize(("card", "verdict"), [("h100", Status.PASS), ("a100", Status.FAIL)])
def test_what_the_library_holds_decides(venv, card, verdict):
    [report] = api.check(venv, targets=[f"{card},driver=570.124.06"])
    assert report.verdict is verdict


def test_a_library_that_cannot_be_read_is_told_and_the_tables_answer(venv):
    path = next(venv.rglob("libtorch_cuda.so"))
    path.write_bytes(b"\x7fELF\x02\x01" + bytes(40))

    [report] = api.check(venv, targets=["a100,driver=570.124.06"])

    assert report.verdict is Status.PASS
    assert any("the tables are used" in note for note in report.notes)
