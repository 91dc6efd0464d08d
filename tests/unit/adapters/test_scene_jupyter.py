"""Runtime files and kernelspecs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from envguard.adapters.scene.jupyter import (
    find_kernelspec,
    find_runtime_file,
    process_of,
    read_runtime_file,
)
from envguard.errors import InputError

CONNECTION = {"shell_port": 1, "key": "a-secret-key", "kernel_name": "train"}


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_the_newest_is_found_where_jupyter_keeps_them(tmp_path: Path) -> None:
    old = write(tmp_path / ".local/share/jupyter/runtime/kernel-1.json", CONNECTION)
    new = write(tmp_path / ".local/share/jupyter/runtime/kernel-2.json", CONNECTION)
    os.utime(old, (1, 1))
    assert find_runtime_file("newest", {"HOME": str(tmp_path)}) == new
    other = write(tmp_path / "r/kernel-3.json", CONNECTION)
    assert find_runtime_file("newest", {"JUPYTER_RUNTIME_DIR": str(tmp_path / "r")}) == other
    assert find_runtime_file(str(old), {}) == old


def test_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no kernel-"):
        find_runtime_file("newest", {"HOME": str(tmp_path)})
    with pytest.raises(InputError, match="no runtime file"):
        find_runtime_file(str(tmp_path / "x.json"), {})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(CONNECTION, "train", id="of today"),
        pytest.param({"shell_port": 1}, None, id="of an older Jupyter"),
        pytest.param({"shell_port": 1, "kernel_name": ""}, None, id="without a name"),
    ],
)
def test_the_kernel_is_read(tmp_path: Path, document: object, expected: str | None) -> None:
    assert read_runtime_file(write(tmp_path / "k.json", document)) == expected


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "[" * 100000, "\x00"])
def test_what_is_no_runtime_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "k.json").write_text(text)
    with pytest.raises(InputError):
        read_runtime_file(tmp_path / "k.json")


def test_a_kernels_process_is_found_while_it_lives(tmp_path: Path) -> None:
    file = write(tmp_path / "kernel-of-this-test.json", CONNECTION)
    child = subprocess.Popen(
        [sys.executable, "-c", "input()", "-f", str(file)], stdin=subprocess.PIPE
    )
    try:
        for _ in range(100):
            if process_of(file) == child.pid:
                break
            time.sleep(0.05)
        assert process_of(file) == child.pid
    finally:
        child.communicate(b"\n", timeout=10)
    assert process_of(file) is None


def started(*arguments: str) -> subprocess.Popen[bytes]:
    code = "print(flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [
        pytest.param(("-f", "{file}"), True, id="ipykernel"),
        pytest.param(("--f={file}",), True, id="VS Code"),
        pytest.param(("{file}",), True, id="another language"),
        pytest.param(("diagnose", "--kernel", "{file}"), False, id="who asks us by a shell"),
        pytest.param(("--existing", "{file}"), False, id="a console"),
        pytest.param(("-f", "{folder}/other/kernel-z.json"), False, id="the same name elsewhere"),
        pytest.param(("-f", "{folder}/my-kernel-z.json"), False, id="a longer name"),
        pytest.param(("look at {file}",), False, id="a shell that speaks of it"),
    ],
)
def test_only_who_was_started_with_it_is_its_kernel(
    arguments: tuple[str, ...], ours: bool, tmp_path: Path
) -> None:
    file = write(tmp_path / "kernel-z.json", CONNECTION)
    child = started(*(a.format(file=file, folder=tmp_path) for a in arguments))
    try:
        assert process_of(file) == (child.pid if ours else None)
    finally:
        child.communicate(b"\n", timeout=10)


def test_of_several_the_first_is_the_kernel(tmp_path: Path) -> None:
    file = write(tmp_path / "kernel-z.json", CONNECTION)
    kernel = started("-f", str(file))
    reader = started(str(file))
    try:
        assert process_of(file) == kernel.pid
    finally:
        kernel.communicate(b"\n", timeout=10)
        reader.communicate(b"\n", timeout=10)


def test_a_kernelspec_tells_its_interpreter(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    write(
        tmp_path / ".local/share/jupyter/kernels/here/kernel.json",
        {"argv": [sys.executable, "-m", "x"]},
    )
    write(tmp_path / ".local/share/jupyter/kernels/gone/kernel.json", {"argv": ["/gone/python"]})
    write(tmp_path / ".local/share/jupyter/kernels/odd/kernel.json", {"argv": 7})
    here, gone = (find_kernelspec(name, environment=environment) for name in ("here", "gone"))
    odd = find_kernelspec("odd", environment=environment)
    assert here is not None
    assert gone is not None
    assert odd is not None
    assert (here.python, here.exists) == (sys.executable, True)
    assert (gone.python, gone.exists) == ("/gone/python", False)
    assert (odd.python, odd.exists) == (None, None)
    assert find_kernelspec("nobody", environment=environment) is None
    assert find_kernelspec("../../x", environment=environment) is None


def test_the_prefixs_own_kernelspec_is_found(tmp_path: Path) -> None:
    write(tmp_path / "p/share/jupyter/kernels/python3/kernel.json", {"argv": ["python"]})
    found = find_kernelspec("python3", prefix=tmp_path / "p", environment={"HOME": str(tmp_path)})
    assert found is not None
    assert found.file.startswith(str(tmp_path / "p"))
