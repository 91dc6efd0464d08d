"""How a process ended, from a number or a name."""

from __future__ import annotations

import pytest

from envguard.checks.endings import end_of, parse_exit_code
from envguard.model.diagnosis import End


@pytest.mark.parametrize(
    ("code", "signal", "expected"),
    [
        pytest.param(128, None, (128, None), id="128 is no signal"),
        pytest.param(129, None, (129, "SIGHUP"), id="the first that a shell tells"),
        pytest.param(139, None, (139, "SIGSEGV"), id="a shell"),
        pytest.param(-11, None, (-11, "SIGSEGV"), id="Python"),
        pytest.param(255, None, (255, None), id="beyond all signals"),
        pytest.param(1, None, (1, None), id="an error"),
        pytest.param(0, None, (0, None), id="well"),
        pytest.param(0xC0000005, None, (-1073741819, None), id="Windows without its sign"),
        pytest.param(-1073741819, None, (-1073741819, None), id="Windows"),
        pytest.param(None, "segv", (None, "SIGSEGV"), id="a short name"),
        pytest.param(None, "9", (None, "SIGKILL"), id="a number"),
        pytest.param(1, "SIGABRT", (1, "SIGABRT"), id="both"),
    ],
)
def test_an_end_is_understood(
    code: int | None, signal: str | None, expected: tuple[int | None, str | None]
) -> None:
    end = end_of(code, signal, "test")
    assert end is not None
    assert (end.exit_code, end.signal, end.told_by) == (*expected, "test")


def test_nothing_told_is_no_end() -> None:
    assert end_of(None, None, "test") is None


@pytest.mark.parametrize("name", ["SIGNOTHING", "99", "-3", ""])
def test_what_is_no_signal_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"signal|Signals"):
        end_of(None, name, "test")


@pytest.mark.parametrize(
    ("text", "code"), [("139", 139), ("-11", -11), ("0xC0000374", 0xC0000374), (" 1 ", 1)]
)
def test_an_exit_code_is_read(text: str, code: int) -> None:
    assert parse_exit_code(text) == code


@pytest.mark.parametrize("text", ["", "x", "1.5", "99999999999"])
def test_what_is_no_exit_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"exit code|invalid literal"):
        parse_exit_code(text)


@pytest.mark.parametrize(
    ("text", "code"), [("0139", 139), ("-11", -11), ("0xC0000005", 0xC0000005), (" 1 ", 1)]
)
def test_a_code_is_read_as_it_is_written(text: str, code: int) -> None:
    assert parse_exit_code(text) == code


@pytest.mark.parametrize("text", ["abc", "", "1.5", "0b1", "x"])
def test_what_is_no_code_is_told_how_codes_look(text: str) -> None:
    with pytest.raises(ValueError, match="is no exit code; such are 139, -11, 0xC0000005"):
        parse_exit_code(text)


@pytest.mark.parametrize(
    ("code", "signal", "told"),
    [
        pytest.param(139, "SIGSEGV", True, id="a shell"),
        pytest.param(-11, "SIGSEGV", True, id="Python"),
        pytest.param(1, "SIGSEGV", False, id="both were named and do not belong together"),
        pytest.param(1, None, False, id="no signal"),
        pytest.param(None, "SIGSEGV", False, id="no code"),
        pytest.param(139, "SIGWHAT", False, id="of another system"),
    ],
)
def test_a_code_tells_its_own_signal_only(code: int | None, signal: str | None, told: bool) -> None:
    assert End(code, signal).is_told_by_its_code is told
