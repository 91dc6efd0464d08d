"""Probes that really die in the ways that signatures know: what is made of it, up to the report."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from envguard.adapters import rules
from envguard.adapters.probing.process import Limits
from envguard.adapters.probing.runner import ProcessProbes, process_probes
from envguard.checks.probe_findings import probe_findings
from envguard.checks.signatures import known_of
from envguard.formats.reports.report_json import report_to_json
from envguard.formats.reports.verify_text import verify_text
from envguard.model.probe import Outcome, Owner, OwnerKind, Probe, ProbeResult
from envguard.model.report import Report, Subject
from tests.dying_libraries import build_dying_library
from tests.dying_probes import Death, write_script
from tests.fake_driver import FakeDriver, build_fake_driver
from tests.integration.test_crash_sites import NAMED, dying

KNOWN = rules.signatures()


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[ProcessProbes]:
    limits = Limits(0.0, memory_bytes=512 * 2**20)
    with process_probes(root=tmp_path / "runs", limits=limits, data_bytes=2**30) as runner:
        yield runner


def run(
    runner: ProcessProbes, body: str, folder: Path, environment: Mapping[str, str] | None = None
) -> ProbeResult:
    script = write_script(folder, Death(body, Outcome.CRASHED))
    return runner.run(
        Probe("here", str(script)),
        python=Path(sys.executable),
        environment=environment or {},
        timeout_s=20,
    )


def signature_of(result: ProbeResult) -> str | None:
    found, _ = known_of(result, KNOWN)
    return found.signature.id if found else None


def says(text: str, then: str) -> str:
    return f"os.write(2, {(text + chr(10)).encode()!r}); {then}"


KILL = "os.kill(os.getpid(), signal.{})"


@pytest.mark.parametrize(
    ("body", "outcome", "expected"),
    [
        pytest.param(KILL.format("SIGKILL"), Outcome.CRASHED, "exit-sigkill", id="SIGKILL"),
        pytest.param(KILL.format("SIGSEGV"), Outcome.CRASHED, "exit-sigsegv", id="SIGSEGV"),
        pytest.param(KILL.format("SIGABRT"), Outcome.CRASHED, "exit-sigabrt", id="SIGABRT"),
        pytest.param(KILL.format("SIGILL"), Outcome.CRASHED, "exit-sigill", id="SIGILL"),
        pytest.param(KILL.format("SIGFPE"), Outcome.CRASHED, "exit-sigfpe", id="SIGFPE"),
        pytest.param(KILL.format("SIGBUS"), Outcome.CRASHED, "exit-sigbus", id="SIGBUS"),
        pytest.param(KILL.format("SIGTERM"), Outcome.CRASHED, "exit-sigterm", id="SIGTERM"),
        pytest.param("sys.exit(137)", Outcome.SILENT_EXIT, "exit-sigkill", id="exit code 137"),
        pytest.param("sys.exit(3)", Outcome.SILENT_EXIT, None, id="exit code 3"),
        pytest.param(
            says("OMP: Error #15: Initializing libiomp5.so", "os.abort()"),
            Outcome.CRASHED,
            "omp15",
            id="a cause before the abort",
        ),
        pytest.param(
            says("Could not load library libcudnn_ops_infer.so.8. Error: x", "os.abort()"),
            Outcome.CRASHED,
            "cudnn8-missing",
            id="cuDNN 8 is missing",
        ),
        pytest.param(
            "raise RuntimeError('CUDA error: an illegal memory access was encountered')",
            Outcome.FAILED,
            "cuda-illegal-address",
            id="an exception of CUDA",
        ),
        pytest.param(
            "raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')",
            Outcome.OUT_OF_MEMORY,
            "cuda-oom",
            id="the card is full",
        ),
        pytest.param(
            "import pkg_resources_is_no_more", Outcome.FAILED, None, id="a module of nobody's"
        ),
        pytest.param(
            "sys.modules['pkg_resources'] = None; import pkg_resources",
            Outcome.FAILED,
            None,
            id="an import that was halted",
        ),
        pytest.param("time.sleep(0)", Outcome.PASSED, None, id="it lives"),
    ],
)
def test_a_death_is_explained(
    probes: ProcessProbes, tmp_path: Path, body: str, outcome: Outcome, expected: str | None
) -> None:
    result = run(probes, body, tmp_path)
    assert (result.outcome, signature_of(result)) == (outcome, expected), result


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_dying_library(tmp_path_factory.mktemp("dying") / "libdying.so.9")


def test_a_damaged_heap_is_what_the_c_library_says(
    probes: ProcessProbes, library: Path, tmp_path: Path
) -> None:
    result = run(probes, dying(library, "die_heap"), tmp_path)
    assert (result.signal, signature_of(result)) == ("SIGABRT", "heap-corruption"), result


def test_a_symbol_that_is_missing_is_the_loaders_own_message(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("a broken library needs gcc, which is not installed")
    broken = tmp_path / "libbroken.so"
    source = tmp_path / "broken.c"
    source.write_text(
        "extern int ncclCommRegister(void); int f(void) { return ncclCommRegister(); }"
    )
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,-z,now", "-o", str(broken), str(source)], check=True
    )
    result = run(probes, f"import ctypes; ctypes.CDLL({str(broken)!r})", tmp_path)
    assert (result.outcome, signature_of(result)) == (Outcome.FAILED, "nccl-undefined"), result


@NAMED
def test_a_driver_that_crashes_is_named_with_its_owner(
    probes: ProcessProbes, tmp_path: Path
) -> None:
    driver = FakeDriver(build_fake_driver(tmp_path))
    body = "import ctypes; ctypes.CDLL('libcuda.so.1').cuDeviceGetCount(None)"
    start = "import ctypes; ctypes.CDLL('libcuda.so.1').cuInit(0); "
    result = run(probes, start + body, tmp_path, driver.environment())
    assert (result.outcome, result.signal) == (Outcome.CRASHED, "SIGSEGV"), result
    assert result.library == "libcuda.so.1"
    assert result.owner == Owner(OwnerKind.DRIVER, "the NVIDIA driver")


@NAMED
def test_the_report_of_a_crash_has_all_that_was_seen(
    probes: ProcessProbes, library: Path, tmp_path: Path
) -> None:
    body = says("cudaErrorIllegalAddress in https://u:pw@x.example/a", dying(library, "die_segv"))
    result = run(probes, body, tmp_path)
    known, codes = known_of(result, KNOWN)
    result = replace(result, name="conv", known=known, codes=codes)
    report = Report(
        command="verify",
        subject=Subject("prefix", "/p"),
        machine=None,
        findings=probe_findings([result]),
        probes=(result,),
    )
    document = report_to_json(report, rules_date="2026-11-22")
    schema = json.loads((rules.rules_directory() / "schema" / "report-v1.json").read_text())
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    (probe,) = document["probes"]  # type: ignore[misc]
    assert probe["library_path"] == str(library)
    assert probe["owner"] == {"kind": "outside", "name": str(library.parent)}
    assert probe["signature"]["id"] == "cuda-illegal-address"
    assert [code["number"] for code in probe["codes"]] == [700]
    assert any("dying.py" in frame for frame in probe["stack"])
    assert "pw" not in json.dumps(document)
    text = verify_text(report)
    told = f"CRASHED SIGSEGV after {result.seconds:.1f} s, likely in libdying.so.9"
    assert told in " ".join(text.split())
    assert "cudaErrorIllegalAddress (700)" in text
