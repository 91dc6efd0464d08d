"""A prefix or a virtual environment is judged by the PyTorch library that lies in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from envguard import api
from envguard.adapters.local_channel.build import LocalChannel
from envguard.adapters.local_channel.package import (
    PackageDraft,
    PackageFile,
    write_package,
    write_repodata,
)
from envguard.adapters.prefixes import torch_code
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk, site_packages
from envguard.adapters.prefixes.throwaway import ThrowawayPrefixes
from envguard.model.report import Status
from envguard.model.subdir import current_subdir
from envguard.ports.progress import SILENT
from tests.prefixes import lock_of
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


SCRIPT = """#!/bin/bash

if [[ ! -v CF_TORCH_CUDA_ARCH_LIST ]]
then
    export CF_TORCH_CUDA_ARCH_LIST="{archs}"
    export CF_TORCH_CUDA_ARCH_LIST_BACKUP="NOT_SET"
fi
"""
TORCH = "2.14.0", "cuda132_mkl_"
"""A build that no table knows."""


@pytest.fixture
def prefix(tmp_path: Path, local_channel: LocalChannel) -> Callable[[str | None], Path]:
    """A prefix with a libtorch whose library holds sm_75, and an activation script that names `archs`."""

    def made(archs: str | None) -> Path:
        files = tmp_path / "files"
        (files / "lib").mkdir(parents=True)
        library(files / "lib" / "libtorch_cuda.so", container(entry(CUBIN, 75)))
        names = ["lib/libtorch_cuda.so"]
        if archs is not None:
            (files / torch_code.SCRIPT).parent.mkdir(parents=True)
            (files / torch_code.SCRIPT).write_text(SCRIPT.format(archs=archs))
            names.append(torch_code.SCRIPT)
        packed = tuple(PackageFile(files / name, name) for name in names)
        version, build = TORCH
        channel = tmp_path / "channel"
        draft = PackageDraft("pytorch", version, current_subdir(), packed, build_prefix=build)
        written = write_package(draft, channel, prefix=files)
        write_repodata(channel, current_subdir(), [written])
        write_repodata(channel, "noarch", [])
        lock = lock_of([*local_channel.packages, written.record(channel=channel.as_uri())])
        prefixes = ThrowawayPrefixes(root=tmp_path / "cache")
        with prefixes.throwaway(lock, current_subdir(), keep=False, progress=SILENT) as found:
            shutil.copytree(found.path, tmp_path / "prefix", symlinks=True)
        return tmp_path / "prefix"

    return made


@pytest.mark.parametrize(
    ("archs", "read", "source"),
    [
        pytest.param("7.5;8.0;12.0+PTX", "7.5 8.0 12.0+PTX", torch_code.SCRIPT, id="the script first"),
        pytest.param("9.0a", "9.0a", torch_code.SCRIPT, id="an architecture with its suffix"),
        pytest.param(None, "7.5", torch_code.LIBRARY, id="no script, as before 2.10"),
        pytest.param("", "7.5", torch_code.LIBRARY, id="an empty list"),
        pytest.param("$(touch /tmp/x)", "7.5", torch_code.LIBRARY, id="no list at all"),
    ],
)  # fmt: skip
def test_the_activation_script_of_conda_forges_libtorch_is_read_first(
    prefix: Callable[[str | None], Path], archs: str | None, read: str, source: str
) -> None:
    installed = PrefixReaderOnDisk({}).read(prefix(archs))
    assert installed.torch_code is not None
    assert " ".join(map(str, installed.torch_code.architectures)) == read
    assert installed.torch_code.library == source
    assert bool(installed.problems) is (archs in ("", "$(touch /tmp/x)"))


def test_the_report_says_where_it_was_read(prefix: Callable[[str | None], Path]) -> None:
    [report] = api.check(prefix("7.5;8.0"), targets=["h100,driver=595.71.05"])
    finding = next(f for f in report.findings if f.rule == "EG201")

    assert finding.status is Status.FAIL
    assert finding.evidence == (f"read from {torch_code.SCRIPT}",)


def test_a_pip_torch_over_a_conda_one_is_read_from_its_own_library(
    prefix: Callable[[str | None], Path],
) -> None:
    path = prefix("7.5;8.0")
    site = site_packages(path)
    assert site is not None
    own = site / "torch" / "lib"
    own.mkdir(parents=True)
    library(own / torch_code.LIBRARY, container(entry(CUBIN, 90)))

    code = PrefixReaderOnDisk({}).read(path).torch_code

    assert code is not None
    assert (code.library, [str(a) for a in code.architectures]) == (torch_code.LIBRARY, ["9.0"])


def test_a_link_to_the_conda_library_is_the_conda_one(
    prefix: Callable[[str | None], Path],
) -> None:
    path = prefix("7.5;8.0")
    site = site_packages(path)
    assert site is not None
    own = site / "torch" / "lib"
    own.mkdir(parents=True)
    (own / torch_code.LIBRARY).symlink_to(path / "lib" / torch_code.LIBRARY)

    code = PrefixReaderOnDisk({}).read(path).torch_code

    assert code is not None
    assert code.library == torch_code.SCRIPT
