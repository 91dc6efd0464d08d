"""`verify --format markdown`: what is pasted into an issue."""

from __future__ import annotations

import re

from envguard.formats.collect_env_text import collect_env_text
from envguard.formats.listings.collect_env import is_collect_env, parse_collect_env
from envguard.formats.reports.verify_markdown import verify_markdown
from envguard.model.machine import Driver, DriverState, Machine
from envguard.model.report import Report, Subject
from tests.verify_reports import SCRIPT, full_report


def test_the_verdict_is_the_first_line_and_the_probes_are_a_table() -> None:
    lines = verify_markdown(full_report("")).splitlines()
    assert lines[0] == "### NOT verified: 1 crashed, 1 not run; passed 8 of 10 on 4 GPUs"
    assert "| probe | gpu0 | gpu1 | gpu2 | gpu3 | |" in lines
    [row] = [line for line in lines if line.startswith("| conv fwd+bwd")]
    assert row.split(" | ")[:5] == ["| conv fwd+bwd", "ok", "ok", "ok", "**CRASHED**"]
    [speed] = [line for line in lines if line.startswith("| matmul")]
    assert "float16 701.4 TFLOP/s  71 % of peak" in speed


def test_findings_have_their_fix_and_its_proof() -> None:
    text = verify_markdown(full_report(""))
    assert "**EG701 fail** conv on gpu3 crashed with SIGSEGV" in text
    assert "* fix: module unload cudnn/9.1" in text
    assert "* checked: tried: 12 of 12 pass" in text
    assert "EG101" not in text, "what passed is left out"


def test_a_strangers_text_stays_in_its_place() -> None:
    text = verify_markdown(full_report())
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert SCRIPT not in outside
    assert outside.count("<details>") == outside.count("</details>") == 2
    assert "````text" in text, "three backticks in the output do not end its block"
    assert "\x00" not in text
    assert "[x](y)" not in outside


def test_the_environment_is_in_the_words_of_collect_env_and_read_back_by_us() -> None:
    text = collect_env_text(full_report(""))
    assert is_collect_env(text)
    listing = parse_collect_env(text)
    assert len(listing.machines) == 1
    assert listing.machines[0].subdir == "linux-64"
    assert isinstance(listing.machines[0].driver, Driver)
    assert str(listing.machines[0].driver.version) == "570.26"
    assert [gpu.name for gpu in listing.machines[0].gpus or ()] == ["NVIDIA H100 80GB HBM3"] * 4
    [records] = listing.records.values()
    assert {(r.name, r.version) for r in records} == {
        ("pytorch", "2.9.1"),
        ("numpy", "2.4.6"),
        ("nvidia-cudnn-cu12", "9.10.2.21"),
    }
    assert "Python version: 3.12.1" in text
    assert "CUDA used to build PyTorch: 12.9" in text


def test_what_nobody_observed_is_said_to_be_so() -> None:
    text = collect_env_text(Report("verify", Subject("python", "/p"), machine=Machine("linux-64")))
    assert "Nvidia driver version: not observed" in text
    assert "GPU models and configuration: not observed" in text
    assert "CUDA used to build PyTorch: not observed" in text
    none = Machine("linux-64", driver=DriverState.ABSENT, gpus=())
    text = collect_env_text(Report("verify", Subject("python", "/p"), machine=none))
    assert "Nvidia driver version: none" in text
    assert "GPU models and configuration: No GPU" in text
