"""The configuration as a user meets it: real commands in a real folder, real locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rattler import LockFile

from envguard import api
from envguard.errors import InputError, UnsatisfiableError
from envguard.formats.listings import parse_listing
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.model.lock_options import LockOptions
from envguard.model.rendering import RenderKind
from tests.integration.test_check import LOCK

WAIVER = "waivers:\n  - {rule: EG105, reason: new card in January, expires: %s}\n"
GOOD, EXPIRED = WAIVER % "2999-12-31", WAIVER % "2020-12-31"
OLD_CARD = ("--for", "v100,driver=590.48.01")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "conda-lock.yml").write_text(LOCK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def envguard(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "envguard", *arguments],
        env={**os.environ, "GITHUB_STEP_SUMMARY": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def refuse(project: Path, package: str) -> None:
    """A rule of the project's own, site/SITE001.yaml: this package is not wanted."""
    (project / "site").mkdir()
    (project / "site" / "SITE001.yaml").write_text(
        f"id: SITE001\ntitle: no {package} here\nstatus: fail\nconfidence: high\ndate: '2026-01-01'\n"
        f"when: {{package: {{name: {package}}}}}\nsymptom: s\ncause: c\nfix: {{text: f}}\n"
        "sources: [https://index.example/]\nexamples:\n"
        f"- {{packages: [{package} 2.7.1], finds: 'yes'}}\n- {{packages: [other 2.0], finds: 'no'}}\n"
    )


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return envguard("check", "envs/conda-lock.yml", *arguments)


@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        pytest.param("", (), 1, "EG105 fail", id="no waiver"),
        pytest.param(GOOD, (), 0, "EG105 waived", id="a waiver"),
        pytest.param(GOOD, ("--fail-on", "warn"), 0, "1 waived", id="also of the mildest answer"),
        pytest.param(GOOD, ("--no-config",), 1, "EG105 fail", id="not read"),
        pytest.param(EXPIRED, (), 1, "EG603 fail", id="expired"),
        pytest.param(EXPIRED, ("--select", "EG2"), 1, "EG603 fail", id="whatever is selected"),
        pytest.param(EXPIRED, ("--ignore", "EG"), 1, "EG603 fail", id="or ignored"),
        pytest.param(
            EXPIRED.replace("reason", "subject: 'other/*', reason"),
            (),
            1,
            "EG105 fail",
            id="not ours",
        ),
        pytest.param(
            GOOD.replace("reason", "subject: 'envs/*', reason"), (), 0, "EG105 waived", id="ours"
        ),
        pytest.param(GOOD.replace("EG105", "EG15"), (), 2, "the nearest is EG", id="no such rule"),
        pytest.param(GOOD.replace("EG105", "EG701"), (), 2, "cannot be waived", id="a probe's"),
        pytest.param("fail_on: never", (), 0, "EG105 fail", id="fail_on"),
        pytest.param(
            "fail_on: never", ("--fail-on", "fail"), 1, "EG105 fail", id="the option wins"
        ),
        pytest.param("ignore: EG105", (), 0, "left out by", id="ignore"),
        pytest.param("ignore: EG105", ("--ignore", "EG2"), 1, "EG105 fail", id="--ignore wins"),
        pytest.param("select: [EG2]", (), 0, "left out by", id="select"),
        pytest.param("select: [EG2]", ("--select", "EG1"), 1, "EG105 fail", id="--select wins"),
        pytest.param("fail_on: nope", (), 2, ".envguard.yml:1: fail_on", id="a mistake"),
    ],
)
def test_what_the_configuration_decides(
    project: Path, text: str, options: tuple[str, ...], code: int, said: str
) -> None:
    (project / ".envguard.yml").write_text(text)

    done = check(*OLD_CARD, *options)

    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_allow_of_the_configuration_and_of_the_options(project: Path) -> None:
    (project / "unknown.json").write_text('{"schema_version": 1, "subdir": "linux-64"}')
    machine = ("--for", "unknown.json")

    assert check(*machine).returncode == 3
    (project / ".envguard.yml").write_text("allow: [unknown]")
    assert check(*machine).returncode == 0


def test_lint_and_no_lint(project: Path) -> None:
    (project / ".envguard.yml").write_text("lint: true\n")
    (project / "environment.yml").write_text("channels: [defaults]\ndependencies: [python=3.12]\n")

    options = ("check", "environment.yml", "--for", "cpu", "--format", "concise", "-v")
    assert "EG620" in envguard(*options).stdout
    assert "EG620" not in envguard(*options, "--no-lint").stdout


def test_rules_of_the_configurations_folder(project: Path) -> None:
    refuse(project, "pytorch")
    (project / ".envguard.yml").write_text("rules: site\n")
    assert "SITE001 fail" in check("--for", "a100").stdout

    waiver = GOOD.replace("EG105", "SITE001")
    (project / ".envguard.yml").write_text(f"rules: site\n{waiver}")
    assert check("--for", "a100").returncode == 0


def test_v_and_json_say_which_was_read(project: Path) -> None:
    assert "config " not in check("--for", "a100", "-v").stdout
    (project / "pixi.toml").write_text("[tool.envguard]\nfail_on = 'warn'\n")

    assert "config    pixi.toml" in check("--for", "a100", "-v").stdout
    document = json.loads(check("--for", "a100", "--format", "json").stdout)
    assert document["configuration"] == {"path": "pixi.toml", "unused_waivers": []}


def test_a_configuration_that_is_named(project: Path) -> None:
    (project / ".envguard.yml").write_text("nonsense: 1")
    (project / "ci.yml").write_text(GOOD)

    assert check(*OLD_CARD, "--config", "ci.yml").returncode == 0
    assert check(*OLD_CARD, "--config", "gone.yml").returncode == 2
    assert check(*OLD_CARD, "--config", "ci.yml", "--no-config").returncode == 2


def test_a_matrix_has_the_waivers_of_the_common_folder(project: Path) -> None:
    (project / ".envguard.yml").write_text(GOOD)
    done = check("envs/conda-lock.yml", "other.yml", *OLD_CARD, "--format", "matrix")

    assert "1 finding waived" in done.stdout


def test_targets_by_name_on_every_verb(project: Path) -> None:
    (project / ".envguard.yml").write_text("targets: {old: 'v100,driver=590.48.01'}\n")

    assert "Tesla V100" in check("--for", "old").stdout
    explained = envguard("why", "pytorch", "--lock", "envs/conda-lock.yml", "--for", "old")
    assert explained.returncode == 0, explained.stderr
    assert "EG105" in explained.stdout
    unknown = check("--for", "odl")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "did you mean old, of .envguard.yml?" in unknown.stderr


ENVIRONMENT = (
    "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: [python=3.12, pytorch]\n"
)
TARGETS = "targets:\n  old: v100,driver=535.104.05\n  new: [a100, 'h100,driver=570']\n"


@pytest.fixture
def locking(project: Path, channel: Path, monkeypatch: pytest.MonkeyPatch):
    """Locks environment.yml on the hand-written channel, with a configuration."""
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(project / "cache"))
    (project / "environment.yml").write_text(ENVIRONMENT)

    def lock(text: str, *targets: str, separate: bool = False, renders=()):
        (project / ".envguard.yml").write_text(text)
        options = LockOptions(
            targets=targets,
            mirrors={"https://conda.anaconda.org/conda-forge": channel.as_uri()},
            renders=renders,
            configuration=api.find_configuration(),
        )
        return (api.lock_separately if separate else api.lock)(options=options)

    return lock


def recorded(project: Path, name: str) -> list[str]:
    lockfile = parse_conda_lock((project / name).read_text(), name)
    assert lockfile.targets is not None
    return [locked.target.name for locked in lockfile.targets]


@pytest.mark.parametrize(
    ("text", "said", "names"),
    [
        (f"{TARGETS}lock_for: [old, new]\n", (), ["old", "a100", "h100,driver=570"]),
        (f"{TARGETS}lock_for: [old]\n", ("new",), ["a100", "h100,driver=570"]),
        (TARGETS, ("old", "a100"), ["old", "a100"]),
    ],
)
def test_lock_is_for_the_machines_of_the_option_else_of_lock_for(
    project: Path, locking, text: str, said: tuple[str, ...], names: list[str]
) -> None:
    locking(text, *said)
    assert recorded(project, "conda-lock.yml") == names


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        (TARGETS, (), {"old": ["old"], "new": ["a100", "h100,driver=570"]}),
        (f"{TARGETS}lock_for: new\n", (), {"new": ["a100", "h100,driver=570"]}),
        (TARGETS, ("old", "h100"), {"old": ["old"], "h100": ["h100"]}),
    ],
)
def test_separate_locks(
    project: Path, locking, text: str, said: tuple[str, ...], expected: dict[str, list[str]]
) -> None:
    summaries = locking(text, *said, separate=True)

    files = {path.name for path in project.glob("*lock*")}
    assert files == {f"conda-lock.{name}.yml" for name in expected}
    assert {summary.output for summary in summaries} == files
    for name, names in expected.items():
        assert recorded(project, f"conda-lock.{name}.yml") == names


def test_separate_locks_share_one_pixi_lock(project: Path, locking) -> None:
    """Read back by rattler: a platform a machine, with what that machine has, and its packages."""
    text = "targets:\n  old: v100,driver=535.104.05\n  new.one: h100,driver=570\n"
    summaries = locking(text, separate=True, renders=(RenderKind.PIXI,))

    assert {p.name for p in project.glob("*lock*")} == {
        *("conda-lock.old.yml", "conda-lock.new.one.yml", "pixi.lock")
    }
    assert [summary.renders for summary in summaries] == [(), (("pixi.lock", "pixi"),)]
    environment = LockFile.from_path(project / "pixi.lock").default_environment()
    platforms = {platform.name: platform for platform in environment.platforms()}
    assert set(platforms) == {"old-linux-64", "new-one-linux-64"}
    listings = parse_listing((project / "pixi.lock").read_text(), "pixi.lock") or ()
    ours = {listing.name: listing.records_for("linux-64") or () for listing in listings}
    cuda = {"old": "__cuda=12.2=0", "new.one": "__cuda=12.8=0"}
    for name, virtual in cuda.items():
        lockfile = parse_conda_lock((project / f"conda-lock.{name}.yml").read_text(), name)
        platform = platforms[f"{name.replace('.', '-')}-linux-64"]
        assert str(platform.subdir) == "linux-64"
        assert virtual in platform.virtual_packages
        records = environment.conda_repodata_records_for_platform(platform) or []
        wanted = sorted(str(record.url) for record in lockfile.records_for("linux-64"))
        assert sorted(record.url for record in records) == wanted
        assert sorted(str(r.url) for r in ours[f"default:{platform.name}"]) == wanted


def test_machines_that_pixi_would_call_the_same_are_refused(project: Path, locking) -> None:
    text = "targets:\n  a.b: v100,driver=535.104.05\n  a-b: h100,driver=570\n"
    with pytest.raises(InputError, match="two machines would be the platform a-b-linux-64"):
        locking(text, separate=True, renders=(RenderKind.PIXI,))
    assert list(project.glob("*lock*")) == []


def test_a_separate_lock_is_for_the_platforms_of_its_machines(project: Path, locking) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT.replace("linux-64", "linux-64, win-64"))
    locking("", "h100", separate=True)

    lockfile = parse_conda_lock((project / "conda-lock.h100.yml").read_text(), "x")
    assert lockfile.platforms == ("linux-64",)


def test_where_one_has_no_solution_none_is_written(project: Path, locking) -> None:
    """The first machine's platform has the package, the second one's has not."""
    (project / "environment.yml").write_text(
        ENVIRONMENT.replace("linux-64", "linux-64, osx-arm64").replace("pytorch", "only-linux")
    )
    with pytest.raises(UnsatisfiableError, match=r"^mac: "):
        locking("", "h100", "mac", separate=True)
    assert list(project.glob("*lock*")) == []


def test_a_mistake_in_lock_for_is_said_to_be_there(locking) -> None:
    with pytest.raises(InputError, match=r"^\.envguard\.yml: lock_for: --for odl: ") as caught:
        locking(f"{TARGETS}lock_for: odl\n")
    assert "did you mean old" in (caught.value.hint or "")


def test_separate_without_a_machine_says_what_to_type(locking) -> None:
    with pytest.raises(InputError, match="none is named"):
        locking("", separate=True)


def test_a_lock_is_written_with_a_waiver_of_what_its_check_fails(project: Path, locking) -> None:
    """The check of the fixture's own lock: a rule of the project refuses it, a waiver lets it pass."""
    refuse(project, "python")
    with pytest.raises(UnsatisfiableError, match="would not run"):
        locking("rules: site\n", "cpu")
    assert not (project / "conda-lock.yml").exists()

    summary = locking(f"rules: site\n{GOOD.replace('EG105', 'SITE001')}", "cpu")

    assert (project / "conda-lock.yml").exists()
    assert [f.answer for f in summary.findings if f.rule == "SITE001"] == ["waived"]


def test_an_expired_waiver_is_told_and_refuses_no_lock(project: Path, locking) -> None:
    summary = locking(EXPIRED, "a100")

    assert [f.rule for f in summary.findings if f.answer == "fail"] == ["EG603"]
    assert (project / "conda-lock.yml").exists()


def test_verify_has_waivers_too(project: Path) -> None:
    (project / ".envguard.yml").write_text(GOOD)
    configuration = api.find_configuration()
    report = api.verify(prefix=Path(sys.prefix), configuration=configuration, timeout_s=60)

    assert report.configuration is not None
    assert report.configuration.path == ".envguard.yml"
