"""One verdict of lines, ends and circumstances: named only where something names it."""

from __future__ import annotations

import pytest

from envguard.adapters import rules
from envguard.checks.endings import end_of
from envguard.checks.signatures import Evidence, matches
from envguard.checks.suspects import MENTIONED, line_matches
from envguard.checks.verdict import verdict_of
from envguard.model.diagnosis import (
    Certainty,
    DiskUse,
    EnvironmentFacts,
    GpuUse,
    HostFacts,
    Log,
    ProcessFacts,
    ResourceFacts,
    Scene,
    Verdict,
)
from envguard.model.machine import Machine
from envguard.model.report import Finding, Fix, Status
from envguard.model.signature import Says

KNOWN = rules.signatures().signatures
LIKELY, POSSIBLE, UNKNOWN = Certainty.LIKELY, Certainty.POSSIBLE, Certainty.UNKNOWN
OOM_LINE = "Memory cgroup out of memory: Killed process 4242 (python) total-vm:1kB"
GIB = 2**30


def scene(
    log: str = "",
    *,
    code: int | None = None,
    pid: int | None = None,
    kernel: str = "",
    host: HostFacts | None = None,
    resources: ResourceFacts | None = None,
    findings: tuple[Finding, ...] = (),
    machine: Machine | None = None,
) -> Scene:
    logs = [Log("log", log)] if log else []
    logs += [Log("kernel log", kernel, kernel=True)] if kernel else []
    return Scene(
        process=ProcessFacts(end=end_of(code, None, "test"), pid=pid),
        logs=tuple(logs),
        host=host,
        resources=resources,
        environment=EnvironmentFacts(path="/p", findings=findings) if findings else None,
        machine=machine,
    )


def judged(at: Scene) -> Verdict:
    return verdict_of(at, line_matches(at, KNOWN), KNOWN)[0]


@pytest.mark.parametrize(
    ("at", "certainty", "family"),
    [
        pytest.param(scene(), UNKNOWN, None, id="nothing is known"),
        pytest.param(scene("all is well"), UNKNOWN, None, id="a log that says nothing"),
        pytest.param(scene(code=0), UNKNOWN, None, id="it ended well"),
        pytest.param(scene(code=1), UNKNOWN, None, id="an error without a word"),
        pytest.param(scene(code=139), UNKNOWN, None, id="a segmentation fault names no cause"),
        pytest.param(scene(code=134), UNKNOWN, None, id="neither does an abort"),
        pytest.param(scene(code=132), LIKELY, "illegal-instruction", id="SIGILL is its cause"),
        pytest.param(scene(code=137), POSSIBLE, "host-memory", id="killed, most often for memory"),
        pytest.param(
            scene("MemoryError", code=1), LIKELY, "host-memory", id="a refused allocation"
        ),
        pytest.param(
            scene("torch.OutOfMemoryError: CUDA out of memory.", code=139),
            LIKELY,
            "gpu-memory",
            id="a cause before an ending",
        ),
        pytest.param(
            scene("DataLoader worker (pid 1) is killed by signal: Segmentation fault"),
            UNKNOWN,
            None,
            id="a worker that crashed",
        ),
        pytest.param(
            scene("0.00s - Debugger warning: It seems that frozen modules are being used"),
            UNKNOWN,
            None,
            id="a harmless note is no cause",
        ),
    ],
)
def test_a_cause_is_named_where_something_names_it(
    at: Scene, certainty: Certainty, family: str | None
) -> None:
    verdict = judged(at)
    assert (verdict.certainty, verdict.family) == (certainty, family)
    assert bool(verdict.cause) == (certainty is not UNKNOWN)


@pytest.mark.parametrize(
    ("host", "certainty"),
    [
        pytest.param(HostFacts(oom_kills_since=1), LIKELY, id="a kill while it ran"),
        pytest.param(
            HostFacts(oom_kills_since=1, oom_kills_survived=0), LIKELY, id="a kill as it ended"
        ),
        pytest.param(
            HostFacts(oom_kills_since=1, oom_kills_survived=0, oom_kill_doubt="a child"),
            POSSIBLE,
            id="a kill as it ended, perhaps of another",
        ),
        pytest.param(
            HostFacts(
                oom_kills=1,
                oom_kills_since=0,
                oom_kills_survived=1,
                memory_limit_bytes=100,
                memory_peak_bytes=100,
            ),
            POSSIBLE,
            id="a kill that it survived",
        ),
        pytest.param(
            HostFacts(oom_kills=1, memory_limit_bytes=100, memory_peak_bytes=95),
            LIKELY,
            id="a kill, and the limit was reached",
        ),
        pytest.param(
            HostFacts(oom_kills=1, memory_limit_bytes=100, memory_peak_bytes=94),
            POSSIBLE,
            id="a kill at another time, perhaps",
        ),
        pytest.param(HostFacts(oom_kills=1), POSSIBLE, id="a kill, nobody knows when"),
        pytest.param(HostFacts(machine_oom_kills=3), POSSIBLE, id="a kill of anybody"),
        pytest.param(HostFacts(), POSSIBLE, id="nothing observed"),
    ],
)
def test_what_the_kernel_counts_is_weighed_with_a_kill(
    host: HostFacts, certainty: Certainty
) -> None:
    verdict = judged(scene(code=137, host=host))
    assert (verdict.certainty, verdict.family) == (certainty, "host-memory")
    assert judged(scene(code=139, host=host)).family is None, "and with nothing else"


def test_what_explains_the_end_comes_before_what_was_survived() -> None:
    at = scene("CUDA out of memory", code=137, host=HostFacts(oom_kills_since=1))
    verdict, also = verdict_of(at, line_matches(at, KNOWN), KNOWN)
    assert (verdict.certainty, verdict.family) == (LIKELY, "host-memory")
    assert "the card's memory is full" in also[0]
    assert judged(scene("CUDA out of memory", code=137)).family == "gpu-memory"


def test_no_kill_speaks_against_memory() -> None:
    verdict = judged(scene(code=137, host=HostFacts(oom_kills=0)))
    assert any("not struck" in line for line in verdict.evidence_against)
    verdict = judged(scene(code=137, host=HostFacts(oom_kills=5, oom_kills_since=0)))
    assert any("while it ran" in line for line in verdict.evidence_against)


def test_a_kill_that_it_survived_is_told_as_one_of_another() -> None:
    verdict = judged(scene(code=137, host=HostFacts(oom_kills_since=0, oom_kills_survived=1)))
    assert any("struck once while it ran, another" in line for line in verdict.evidence_against)


def test_a_doubt_whom_a_kill_hit_stands_with_it() -> None:
    host = HostFacts(oom_kills_since=1, oom_kills_survived=0, oom_kill_doubt="a child of it")
    verdict = judged(scene(code=137, host=host))
    assert "a child of it" in verdict.evidence_against
    assert any("struck once when it ended" in line for line in verdict.evidence_for)


@pytest.mark.parametrize(
    ("code", "host", "family"),
    [
        pytest.param(1, HostFacts(oom_kills_since=0, oom_kills_survived=1), "host-memory", id="1"),
        pytest.param(1, HostFacts(oom_kills_since=0, oom_kills_survived=0), None, id="no kill"),
        pytest.param(1, HostFacts(oom_kills_since=1), None, id="a kill, nobody knows when"),
        pytest.param(0, HostFacts(oom_kills_since=1, oom_kills_survived=1), None, id="ended well"),
        pytest.param(139, HostFacts(oom_kills_since=0, oom_kills_survived=1), None, id="crashed"),
    ],
)
def test_who_ended_itself_after_a_kill_may_have_lost_a_worker(
    code: int, host: HostFacts, family: str | None
) -> None:
    verdict = judged(scene(code=code, host=host))
    assert verdict.family == family
    assert verdict.certainty is (POSSIBLE if family else UNKNOWN)


@pytest.mark.parametrize(
    ("pid", "certainty"),
    [
        pytest.param(4242, LIKELY, id="ours"),
        pytest.param(424, POSSIBLE, id="the beginning of its number"),
        pytest.param(None, POSSIBLE, id="nobody knows whose"),
    ],
)
def test_the_kernels_log_counts_where_it_is_about_the_process(
    pid: int | None, certainty: Certainty
) -> None:
    verdict = judged(scene(code=137, pid=pid, kernel=OOM_LINE))
    assert verdict.certainty is certainty
    assert any(OOM_LINE in line for line in verdict.evidence_for) == (certainty is LIKELY)


@pytest.mark.parametrize(
    ("free", "size", "expected"),
    [
        pytest.param(0, 64 * 2**20, (LIKELY, "shared-memory"), id="full"),
        pytest.param(40 * 2**20, 64 * 2**20, (POSSIBLE, "shared-memory"), id="Docker's 64 MB"),
        pytest.param(GIB, 8 * GIB, (UNKNOWN, None), id="room enough"),
    ],
)
def test_a_bus_error_is_weighed_with_shared_memory(
    free: int, size: int, expected: tuple[Certainty, str | None]
) -> None:
    verdict = judged(scene(code=135, host=HostFacts(shm_bytes=size, shm_free_bytes=free)))
    assert (verdict.certainty, verdict.family) == expected
    assert judged(scene(code=139, host=HostFacts(shm_bytes=64, shm_free_bytes=0))).family is None


@pytest.mark.parametrize(
    ("free", "room"),
    [
        pytest.param(32 * 2**20, False, id="exactly half is free"),
        pytest.param(32 * 2**20 + 1, True, id="more than half"),
    ],
)
def test_much_free_shared_memory_speaks_against_it(free: int, room: bool) -> None:
    verdict = judged(scene(code=135, host=HostFacts(shm_bytes=64 * 2**20, shm_free_bytes=free)))
    assert ("more than half of /dev/shm is free now" in verdict.evidence_against) is room


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        pytest.param(DiskUse("/w", 1000, 9), "disk-full", id="less than 1 %"),
        pytest.param(DiskUse("/w", 1000, 10), None, id="1 %"),
        pytest.param(DiskUse("/w", 1000, 900, 1000, 9), "disk-full", id="no names for files"),
        pytest.param(DiskUse("/w", 1000, 900, 0, 0), None, id="names are not counted"),
    ],
)
def test_a_full_disk_is_a_suspect(disk: DiskUse, expected: str | None) -> None:
    verdict = judged(scene(resources=ResourceFacts(disks=(disk,))))
    assert verdict.family == expected
    assert verdict.certainty is (UNKNOWN if expected is None else POSSIBLE)


@pytest.mark.parametrize(("opened", "expected"), [(972, None), (973, "file-handles"), (None, None)])
def test_file_handles_near_their_limit_are_a_suspect(
    opened: int | None, expected: str | None
) -> None:
    resources = ResourceFacts(files_open=opened, files_limit=1024)
    assert judged(scene(resources=resources)).family == expected


FAILED = Finding("EG201", Status.FAIL, "no code for this card", fix=Fix("take another build"))


def test_a_finding_of_the_same_cause_confirms_it() -> None:
    alone = judged(scene("xFormers can't load C++/CUDA extensions"))
    finding = Finding("EG396", Status.FAIL, "xformers for another PyTorch")
    confirmed = judged(scene("xFormers can't load C++/CUDA extensions", findings=(finding,)))
    assert (alone.certainty, confirmed.certainty) == (POSSIBLE, LIKELY)
    assert any("EG396" in line for line in confirmed.evidence_for)


@pytest.mark.parametrize(("status", "certainty"), [(Status.FAIL, POSSIBLE), (Status.WARN, UNKNOWN)])
def test_a_failure_of_the_environment_alone_may_be_why(
    status: Status, certainty: Certainty
) -> None:
    finding = Finding("EG201", status, "no code for this card", fix=Fix("take another build"))
    verdict = judged(scene(code=139, findings=(finding,)))
    assert verdict.certainty is certainty
    if certainty is POSSIBLE:
        assert verdict.next_steps == ("take another build",)
        assert verdict.evidence_against


def test_a_warning_that_the_end_points_to_may_be_why() -> None:
    finding = Finding(
        "EG389", Status.WARN, "Open3D and PyTorch crash by the order of their imports"
    )
    verdict = judged(scene(code=139, findings=(finding,)))
    assert (verdict.certainty, verdict.rules) == (POSSIBLE, ("EG389",))
    assert verdict.evidence_against == ()
    assert judged(scene(code=1, findings=(finding,))).certainty is UNKNOWN, "an error is no crash"


def test_a_warning_of_the_same_cause_speaks_for_it_and_makes_it_no_surer() -> None:
    finding = Finding("EG396", Status.WARN, "xformers for another PyTorch")
    verdict = judged(scene("xFormers can't load C++/CUDA extensions", findings=(finding,)))
    assert verdict.certainty is POSSIBLE
    assert any("EG396" in line for line in verdict.evidence_for)


def test_a_failure_that_explains_nothing_else_is_told_beside_a_cause() -> None:
    at = scene("CUDA out of memory", findings=(FAILED,))
    verdict, also = verdict_of(at, line_matches(at, KNOWN), KNOWN)
    assert verdict.family == "gpu-memory"
    assert also == ("EG201 no code for this card",)


def test_a_processor_that_has_avx_speaks_against_it() -> None:
    machine = Machine("linux-64", cpu_flags=frozenset({"avx", "avx2"}))
    assert judged(scene(code=132, machine=machine)).evidence_against == (
        "this processor has avx, avx2",
    )
    older = Machine("linux-64", cpu_flags=frozenset({"sse4_2"}))
    assert judged(scene(code=132, machine=older)).evidence_against == ()


def test_free_gpus_speak_against_full_ones() -> None:
    gpus = (GpuUse(0, total_bytes=100, used_bytes=10),)
    verdict = judged(scene("CUDA out of memory", resources=ResourceFacts(gpus=gpus)))
    assert verdict.evidence_against
    full = (GpuUse(0, total_bytes=100, used_bytes=90),)
    verdict = judged(scene("CUDA out of memory", resources=ResourceFacts(gpus=full)))
    assert not verdict.evidence_against


def test_taking_a_log_away_never_makes_it_surer() -> None:
    host = HostFacts(oom_kills=1, memory_limit_bytes=100, memory_peak_bytes=99)
    ranks = {LIKELY: 2, POSSIBLE: 1, UNKNOWN: 0}
    for log in ("MemoryError", "CUDA out of memory", "Segmentation fault", "nothing"):
        for code in (None, 1, 137, 139):
            whole, less = scene(log, code=code), scene(code=code)
            assert ranks[judged(whole).certainty] >= ranks[judged(less).certainty]
            with_host = scene(log, code=code, host=host)
            assert ranks[judged(with_host).certainty] >= ranks[judged(whole).certainty]


def test_what_to_bring_is_said_where_nothing_is_known() -> None:
    steps = " ".join(judged(scene()).next_steps)
    assert "--log" in steps
    assert "--exit-code" in steps
    assert "-p PREFIX" in steps


@pytest.mark.parametrize(
    "line",
    [
        'INFO: if you see "CUDA out of memory", lower the batch size',
        "2026-01-01 10:00:00 WARNING caught torch.OutOfMemoryError: CUDA out of memory; batch size 8",
        '    print("CUDA out of memory")',
        'commit f00 Say what "CUDA driver version is insufficient for CUDA runtime version" means',
        'docs say "no kernel image is available for execution on the device" is a wrong build',
    ],
)
def test_a_line_that_speaks_of_an_error_is_not_sure(line: str) -> None:
    verdict = judged(scene(line))
    assert (verdict.certainty, verdict.evidence_against) == (POSSIBLE, (MENTIONED,))


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: CUDA out of memory. Tried to allocate",
        '{"level": "ERROR", "message": "CUDA out of memory. Tried to allocate"}',
        "host:1:1 [0] NCCL WARN No space left on device",
        '"hipErrorNoBinaryForGpu: Unable to find code object for all current devices!"',
        'OSError: [Errno 28] No space left on device: "/data/a"',
    ],
)
def test_a_line_that_is_the_error_is_sure_whatever_is_said_before_it(line: str) -> None:
    verdict = judged(
        scene(f'INFO: "CUDA out of memory" and "No space left on device" are handled\n{line}')
    )
    assert (verdict.certainty, verdict.evidence_against) == (LIKELY, ())


def test_a_disk_that_would_be_full_is_none() -> None:
    assert judged(scene("No space left on device would be raised at 100 %")).certainty is UNKNOWN


def test_an_end_without_an_error_speaks_against_what_a_log_says() -> None:
    verdict = judged(scene("RuntimeError: CUDA out of memory. Tried to allocate", code=0))
    assert verdict.certainty is POSSIBLE
    assert verdict.evidence_against == (
        "it ended with exit code 0: what the log says was survived",
    )


def test_no_example_of_a_cause_is_taken_for_talk() -> None:
    causes = [s for s in KNOWN if s.says is Says.CAUSE]
    talk = [
        example.text
        for known in causes
        for example in known.examples
        if example.finds and matches(Evidence(output=example.text), [known])[0].is_mention
    ]
    assert len(causes) > 40
    assert talk == []
