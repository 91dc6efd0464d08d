"""The line that says which tools read the lock."""

from __future__ import annotations

import pytest

from envguard.formats.lock_text import LockLine, LockSummary, lock_text
from envguard.model.machine import Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.target import Target

CONDA = PackageRecord("numpy", "2.0", build="0", md5="0" * 32, sha256="0" * 64)
NO_MD5 = PackageRecord("new", "1.0", build="0", sha256="0" * 64)
PIP = PackageRecord("six", "1.0", Manager.PIP, sha256="0" * 64)
GIT = PackageRecord("mine", "1.0", Manager.PIP, url="git+https://index.example/x.git@c0ffee")
TARGET = Target("cpu", Machine("linux-64"))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        pytest.param((CONDA,), "envguard, micromamba, conda-lock", id="conda packages"),
        pytest.param(
            (CONDA, PIP),
            "envguard, micromamba, conda-lock   (not `conda create`: it has pip packages)",
            id="pip packages",
        ),
        pytest.param(
            (CONDA, NO_MD5),
            "envguard, micromamba   (not conda-lock: new has no md5)",
            id="a record without md5, which conda-lock insists on",
        ),
        pytest.param(
            (CONDA, GIT),
            "envguard, conda-lock   (not micromamba: mine has no hash; "
            "not `conda create`: it has pip packages)",
            id="a repository has no hash, which micromamba insists on",
        ),
    ],
)
def test_only_tools_that_read_the_lock_are_named(records, said):
    line = LockLine("linux-64", (TARGET,), records, headline=None)
    text = lock_text(LockSummary("e.yml", 1, 0, (line,), (), "conda-lock.yml", 0.1))
    assert f"read by   {said}\n" in text
