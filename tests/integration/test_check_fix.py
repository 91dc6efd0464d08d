"""`check --fix`: shown, asked for, written whole, checked again."""

from __future__ import annotations

import pytest

from envguard.cli.main import run

FILE = """\
name: x  # by us
channels: [conda-forge]
dependencies:
  - python=3.10
  - pytorch=2.2.0=cuda118*   # the model
  - numpy=2.1   # arrays
  - pip:
    - numpy==2.1.0
"""


def fixed(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["check", *arguments, "--for", "linux-64:a100,driver=570.124.06"])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "environment.yml"
    path.write_text(FILE)
    return path


def test_a_fix_that_passes_is_shown_written_and_checked_again(file, capsys):
    assert "EG304 fail" in fixed(capsys, str(file))[1]
    _, out, err = fixed(capsys, str(file), "--fix", "--yes")
    assert "-  - numpy=2.1   # arrays\n+  - numpy <2   # arrays\n" in err
    assert "-    - numpy==2.1.0\n+    - numpy<2\n" in err
    assert "EG304" not in out
    new = FILE.replace("numpy=2.1 ", "numpy <2 ").replace("numpy==2.1.0", "numpy<2")
    assert file.read_text() == new
    assert "no fix that was checked applies" in fixed(capsys, str(file), "--fix", "--yes")[2]
    assert file.read_text() == new


def test_nobody_to_ask_writes_nothing(file, capsys, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, out, err = fixed(capsys, str(file), "--fix")
    assert (code, out) == (2, "")
    assert "nobody is there to answer: --yes" in err
    assert file.read_text() == FILE


def test_a_fix_that_brings_another_finding_is_not_applied():
    from envguard.commands.fix import fix
    from envguard.formats.environments.environment_yml import parse_environment
    from envguard.model.report import Finding, Fix, Report, Status, Subject

    def judge(environment):
        specs = {line.spec for line in environment.dependencies}
        bad = Finding("EG901", Status.FAIL, "old", fix=Fix("newer", ("numpy <1",)))
        worse = Finding("EG902", Status.FAIL, "too old")
        return (
            Report("check", Subject("e", "e"), findings=(worse if "numpy <1" in specs else bad,)),
        )

    result = fix(FILE, "environment.yml", judge)
    assert result.text == FILE
    assert result.refused == (("EG901", "numpy <1"),)
    assert parse_environment(result.text, "e.yml").dependencies


@pytest.mark.parametrize("extra", [["other.yml"], ["-n", "x"], ["--format", "matrix"]])
def test_only_one_file_is_fixed(file, capsys, extra):
    code, _, err = fixed(capsys, str(file), "--fix", "--yes", *extra)
    assert code == 2
    assert "--fix is of one environment.yml" in err
    assert file.read_text() == FILE


def test_a_lock_is_no_environment_file(tmp_path, capsys):
    lock = tmp_path / "conda-lock.yml"
    lock.write_text(
        "version: 1\nmetadata:\n  content_hash: {}\n  channels: []\n  platforms: [linux-64]\n"
        "  sources: []\npackage: []\n"
    )
    code, _, err = fixed(capsys, str(lock), "--fix", "--yes")
    assert code == 2
    assert "only such a file is fixed" in err


def test_secrets_beside_a_fixed_line_are_not_shown_and_stay_in_the_file(tmp_path, capsys):
    path = tmp_path / "environment.yml"
    text = (
        "name: x\nchannels:\n  - https://me:hunter2@conda.example/t/hunter2/ch\n  - conda-forge\n"
        "dependencies:\n  - numpy=2.1\n  - pytorch=2.2.0=cuda118*\n"
        "variables: {API_TOKEN: hunter2 and more}\n"
    )
    path.write_text(text)
    _, _, err = fixed(capsys, str(path), "--fix", "--yes")
    assert "-  - numpy=2.1\n+  - numpy <2\n" in err
    assert "  - https://conda.example/ch\n" in err
    assert "API_TOKEN: ***" in err
    assert "hunter2" not in err
    assert path.read_text() == text.replace("numpy=2.1", "numpy <2")


def test_a_byte_order_mark_and_windows_lines_stay(tmp_path, capsys):
    path = tmp_path / "environment.yml"
    text = "\ufeffdependencies: [numpy=2.1, pytorch=2.2.0=cuda118*]\r\nchannels: [conda-forge]\r\n"
    path.write_bytes(text.encode())
    fixed(capsys, str(path), "--fix", "--yes")
    assert path.read_bytes() == text.replace("numpy=2.1", "numpy <2").encode()


def test_a_read_only_file_is_not_replaced(file, capsys):
    file.chmod(0o444)
    code, _, err = fixed(capsys, str(file), "--fix", "--yes")
    assert code == 4
    assert f"{file} is read-only, and stays as it is\nhint: chmod u+w {file}" in err
    assert file.read_text() == FILE
    assert [path.name for path in file.parent.iterdir()] == [file.name]
