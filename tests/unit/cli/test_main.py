"""How the command ends: one exit code a kind of error, and what is said."""

from __future__ import annotations

import errno

import click
import pytest

from envguard.cli import main as cli_main
from envguard.errors import InputError, UnavailableError, UnsatisfiableError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        pytest.param(InputError("a", hint="b"), 2, "error: a\nhint: b\n", id="wrong input"),
        pytest.param(
            InputError("a", problems=("f:1: b",)), 2, "error: a\n  f:1: b\n", id="several mistakes"
        ),
        pytest.param(UnsatisfiableError("a"), 1, "error: a\n", id="no solution"),
        pytest.param(UnavailableError("a"), 4, "error: a\n", id="the outside gave out"),
        pytest.param(KeyboardInterrupt(), 130, "interrupted", id="^C"),
        pytest.param(click.Abort(), 130, "interrupted", id="^C at a prompt"),
        pytest.param(click.UsageError("a"), 2, "Error: a\n", id="wrong usage"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device", "f"),
            4,
            "error: f cannot be written: No space left on device",
            id="the disk is full",
        ),
        pytest.param(OSError(errno.EBADF, "a"), 70, "This is a bug", id="another OSError of ours"),
        pytest.param(ZeroDivisionError("a"), 70, "This is a bug of envguard", id="our bug"),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli_main, "cli", fails)

    assert cli_main.run([]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["--version"], 0, id="--version"),
        pytest.param(["--help"], 0, id="--help"),
        pytest.param(["chekc"], 2, id="a verb that is none"),
        pytest.param(["check", "--nope"], 2, id="an option that is none"),
        pytest.param(["check", "nothing.yml"], 2, id="a file that is not there"),
    ],
)
def test_a_command_line_ends_with_its_code(arguments: list[str], code: int) -> None:
    assert cli_main.run(arguments) == code


def test_a_mistyped_verb_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    cli_main.run(["chekc"])
    assert "Did you mean 'check'?" in capsys.readouterr().err
