"""Processes that really die, and what a post-mortem makes of what they leave."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import pytest

from envguard import api
from envguard.adapters.machine.host import observe_host
from envguard.model.diagnosis import Certainty, Diagnosis

LIKELY, POSSIBLE, UNKNOWN = Certainty.LIKELY, Certainty.POSSIBLE, Certainty.UNKNOWN
MACHINE = observe_host({})
UD = {"x86_64": rb"\x0f\x0b", "aarch64": rb"\x00\x00\x00\x00"}.get(platform.machine())


def no_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def died(body: str, folder: Path, *python: str) -> Diagnosis:
    """The post-mortem of a process that ran `body`, as a caller that started it makes it."""
    script = folder / "dies.py"
    script.write_text("import ctypes, os, resource, signal, sys\n" + textwrap.dedent(body))
    before = api.oom_kills()
    child = subprocess.Popen(
        [sys.executable, *(python or ("-X", "faulthandler", str(script)))],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        preexec_fn=no_core,
    )
    _, stderr = child.communicate(timeout=60)
    return api.diagnose_end(
        exit_code=child.returncode,
        stderr=stderr.decode("utf-8", "replace"),
        pid=child.pid,
        oom_kills_before=before,
        seen=MACHINE,
    )


@pytest.mark.parametrize(
    ("body", "certainty", "family"),
    [
        pytest.param("ctypes.string_at(0)", UNKNOWN, None, id="SIGSEGV"),
        pytest.param("os.abort()", UNKNOWN, None, id="SIGABRT"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", POSSIBLE, "host-memory", id="SIGKILL"),
        pytest.param("os.kill(os.getpid(), signal.SIGTERM)", UNKNOWN, None, id="SIGTERM"),
        pytest.param("os.kill(os.getpid(), signal.SIGFPE)", UNKNOWN, None, id="SIGFPE"),
        pytest.param("sys.exit(3)", UNKNOWN, None, id="an exit code"),
        pytest.param("os._exit(139)", UNKNOWN, None, id="an exit code like a shell's"),
        pytest.param(
            "resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29)); bytearray(2**33)",
            LIKELY, "host-memory", id="MemoryError",
        ),
        pytest.param(
            """
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
            kept = [open(__file__) for _ in range(64)]
            """,
            LIKELY, "file-handles", id="file handles",
        ),
        pytest.param(
            """
            import threading
            threading.stack_size(2**28)
            resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
            for _ in range(64):
                threading.Thread(target=signal.pause, daemon=True).start()
            """,
            LIKELY, "thread-limit", id="threads",
        ),
        pytest.param(
            "with open('/dev/full', 'w') as full: full.write('x' * 100_000)",
            LIKELY, "disk-full", id="a full disk",
        ),
        pytest.param("def f(): f()\nf()", LIKELY, "stack-overflow", id="recursion"),
        pytest.param(
            """
            libc = ctypes.CDLL(None)
            libc.malloc.restype = ctypes.c_void_p
            block = ctypes.c_void_p(libc.malloc(64))
            libc.free(block), libc.free(block)
            """, POSSIBLE, "heap", id="a damaged heap"
        ),
        pytest.param(
            "ctypes.CDLL('libcudart.so.11.0')", POSSIBLE, "cuda-libraries", id="a library is missing"
        ),
        pytest.param("import numpy; numpy.float_", LIKELY, "numpy-alias", id="another NumPy"),
        pytest.param(
            """
            from concurrent.futures import ProcessPoolExecutor
            if __name__ == '__main__':
                with ProcessPoolExecutor(1) as pool:
                    pool.submit(os.kill, os.getpid(), 0).result()
                    pool.submit(os._exit, 1).result()
            """,
            POSSIBLE, "host-memory", id="a worker is gone",
        ),
    ],
)  # fmt: skip
def test_a_death_is_diagnosed(
    tmp_path: Path, body: str, certainty: Certainty, family: str | None
) -> None:
    diagnosis = died(body, tmp_path)
    verdict = diagnosis.verdict
    assert (verdict.certainty, verdict.family) == (certainty, family), diagnosis
    assert len(diagnosis.steps) == 5
    assert all(step.found for step in diagnosis.steps)


@pytest.mark.skipif(UD is None, reason="no undefined instruction is known for this processor")
def test_sigill_is_an_instruction_that_is_not_there(tmp_path: Path) -> None:
    assert UD is not None
    code = UD.decode().encode("latin-1")
    body = f"""
    import mmap
    page = mmap.mmap(-1, 4096, prot=7)
    page.write({code!r}.decode('unicode_escape').encode('latin-1'))
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    ctypes.CFUNCTYPE(None)(at)()
    """
    verdict = died(body, tmp_path).verdict
    assert (verdict.certainty, verdict.family) == (LIKELY, "illegal-instruction")
    has_avx2 = "avx2" in (MACHINE.cpu_flags or ())
    assert bool(verdict.evidence_against) == has_avx2


def test_a_kernel_without_ipykernel(tmp_path: Path) -> None:
    verdict = died("", tmp_path, "-S", "-m", "ipykernel_launcher").verdict
    assert (verdict.certainty, verdict.family) == (LIKELY, "jupyter")


def test_an_extension_of_another_torch(tmp_path: Path) -> None:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("an extension is built with gcc, which is not installed")
    source = tmp_path / "ext.c"
    source.write_text(
        "extern int _ZN3c106detail14torchCheckFailEv(void);\n"
        "int f(void) { return _ZN3c106detail14torchCheckFailEv(); }\n"
    )
    library = tmp_path / "ext.so"
    subprocess.run([gcc, "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    verdict = died(f"ctypes.CDLL({str(library)!r}, mode=os.RTLD_NOW)", tmp_path).verdict
    assert (verdict.certainty, verdict.family) == (LIKELY, "extension-abi")


def test_a_killed_process_was_not_killed_for_memory(tmp_path: Path) -> None:
    if api.oom_kills() is None:
        pytest.skip("this kernel does not count its OOM kills")
    verdict = died("os.kill(os.getpid(), signal.SIGKILL)", tmp_path).verdict
    assert any("did not strike while it ran" in line for line in verdict.evidence_against)


def test_a_bus_error_on_a_full_shared_memory(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    script = tmp_path / "dies.py"
    script.write_text(
        "import mmap\n"
        "file = open('/dev/shm/tensor', 'w+b')\n"
        "file.truncate(2**20)\n"
        "mmap.mmap(file.fileno(), 2**20).write(bytes(2**20))\n"
    )
    steps = (
        "mount -t tmpfs -o size=64k tmpfs /dev/shm || exit 77; "
        f"ulimit -c 0; {sys.executable} {script}; "
        f"exec {sys.executable} -m envguard diagnose --exit-code $? --format json"
    )
    namespace = ["-m"] if os.geteuid() == 0 else ["-rm"]
    if unshare is None:
        pytest.skip("a small /dev/shm wants unshare, which is not installed")
    ended = subprocess.run(
        [unshare, *namespace, "sh", "-c", steps],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ended.returncode == 77 or "unshare failed" in ended.stderr:
        pytest.skip(f"no namespace of our own may be made here: {ended.stderr.strip()}")
    document = json.loads(ended.stdout)
    jsonschema.validate(document, json.loads(Path("rules/schema/diagnosis-v1.json").read_text()))
    assert document["end"]["signal"] == "SIGBUS"
    assert (document["verdict"]["certainty"], document["verdict"]["family"]) == (
        "likely",
        "shared-memory",
    )
