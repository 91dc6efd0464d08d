"""Who brought a library, by the records of each kind of owner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.adapters.prefixes.owners import owner_of
from envguard.model.probe import Owner, OwnerKind

SITE = "lib/python3.12/site-packages"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    record = {"name": "cudnn", "version": "9.1.0", "files": ["lib/libcudnn.so.9"]}
    files = {
        "conda-meta/broken.json": '"lib/libcudnn.so.9" and no JSON',
        "conda-meta/cudnn-9.1.0-0.json": json.dumps(record),
        f"{SITE}/nvidia_cudnn_cu12-9.5.1.dist-info/RECORD": "nvidia/cudnn/lib/libcudnn_cnn.so.9,sha256=x,1\n",
        "lib/libcudnn.so.9": "",
        "lib/libnobody.so": "",
        f"{SITE}/nvidia/cudnn/lib/libcudnn_cnn.so.9": "",
    }
    for name, text in files.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(text)
    return tmp_path / "p"


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        pytest.param("lib/libcudnn.so.9", OwnerKind.CONDA, "cudnn 9.1.0", id="conda"),
        pytest.param(
            f"{SITE}/nvidia/cudnn/lib/libcudnn_cnn.so.9",
            OwnerKind.WHEEL,
            "nvidia-cudnn-cu12 9.5.1",
            id="wheel",
        ),
        pytest.param(
            "/usr/lib/x86_64-linux-gnu/libz.so.1", OwnerKind.SYSTEM, "the system", id="system"
        ),
        pytest.param("/usr/lib/libcuda.so.1", OwnerKind.DRIVER, "the NVIDIA driver", id="driver"),
        pytest.param(
            "/apps/cudnn/9.1/lib/libcudnn.so.9", OwnerKind.MODULE, "cudnn/9.1", id="module"
        ),
        pytest.param(
            "/apps/cudnn/9.10/lib/libcudnn.so.9",
            OwnerKind.OUTSIDE,
            "/apps/cudnn/9.10/lib",
            id="another version than the loaded module's",
        ),
        pytest.param("/opt/x/libx.so", OwnerKind.OUTSIDE, "/opt/x", id="a folder"),
    ],
)
def test_a_library_has_its_owner(prefix: Path, path: str, kind: OwnerKind, name: str) -> None:
    modules = {"LOADEDMODULES": "gcc/12:cudnn/9.1"}
    assert owner_of(prefix / path, prefix, modules) == Owner(kind, name)


def test_a_file_of_the_prefix_that_no_package_lists_is_nobodys(prefix: Path) -> None:
    found = owner_of(prefix / "lib/libnobody.so", prefix, {})
    assert found == Owner(OwnerKind.OUTSIDE, f"no package of {prefix}")
