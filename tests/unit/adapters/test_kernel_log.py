"""The kernel's log: only what is new and telling; nothing where it may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.probing.kernel_log import MOST_LINES, KernelLog

XID = "NVRM: Xid (PCI:0000:10:1c): 79, pid=1896, GPU has fallen off the bus."
LATER = 10**15


def news(path: Path, text: str) -> tuple[str, ...]:
    path.write_text("")
    log = KernelLog(path)
    path.write_text(text)
    return log.news()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"3,1,{LATER},-;{XID}\n", (XID,), id="an Xid"),
        pytest.param(f"3,1,1,-;{XID}\n", (), id="before the probe"),
        pytest.param(f"3,1,{LATER},-;usb 1-1: new device\n", (), id="something else"),
        pytest.param(f"{XID}\n", (), id="no record of the kernel's"),
        pytest.param(f"3,1,{LATER},-;{XID}\n" * 99, (XID,) * MOST_LINES, id="many"),
    ],
)
def test_new_and_telling_lines(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    assert news(tmp_path / "kmsg", text) == expected


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert KernelLog(tmp_path / "none").news() == ()
