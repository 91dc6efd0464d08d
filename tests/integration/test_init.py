"""`envguard init`: what is missing is made from what is there, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from envguard.adapters.project import write_new
from envguard.cli.main import run
from envguard.commands.init import plan_init
from envguard.errors import InputError
from envguard.formats.configuration import parse_yaml_configuration
from envguard.formats.environments.environment_yml import parse_environment
from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.project import GITLAB, WORKFLOW, Project
from envguard.model.version import Dotted


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my project").mkdir()
    monkeypatch.chdir(tmp_path / "my project")


def contents() -> dict[str, str]:
    return {
        str(p): p.read_text() for p in Path().rglob("*") if p.is_file() and ".git/" not in str(p)
    }


def test_in_an_empty_folder_what_is_made_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--yes", "--for", "h100", "--for", "a100,driver=535.104.05"]) == 0
    made = contents()
    assert set(made) == {"environment.yml", ".envguard.yml"}
    environment = parse_environment(made["environment.yml"], "environment.yml")
    assert environment.name == "my project"
    assert [d.spec for d in environment.dependencies] == ["python=3.12"]
    assert yaml.safe_load(made[".envguard.yml"])["lock_for"] == ["gpu"]
    assert run(["check", "environment.yml", "--for", "gpu"]) in (0, 3)
    assert "no GitHub and no GitLab was seen" in capsys.readouterr().out


def test_what_is_there_stays(capsys: pytest.CaptureFixture[str]) -> None:
    Path("environment.yml").write_text("dependencies: [numpy]\n")
    Path("pyproject.toml").write_text("[tool.envguard]\nlint = true\n")
    Path(".github/workflows").mkdir(parents=True)
    Path(WORKFLOW).write_text("mine\n")
    before = contents()
    assert run(["init", "--yes"]) == 0
    assert contents() == before
    assert capsys.readouterr().out.count("stays as it is") == 3


def test_requirements_and_a_repository_on_github() -> None:
    Path("requirements.txt").write_text("einops\n")
    Path(".python-version").write_text("3.11.7\n")
    Path(".git").mkdir()
    Path(".git/config").write_text('[remote "origin"]\n  url = git@github.com:me/x.git\n')
    assert run(["init", "--yes", "--for", "cpu"]) == 0
    made = contents()
    environment = parse_environment(made["environment.yml"], "environment.yml")
    assert [d.spec for d in environment.dependencies] == ["python=3.11", "pip"]
    assert [d.spec for d in environment.pip] == ["-r requirements.txt"]
    steps = yaml.safe_load(made[WORKFLOW])["jobs"]["check"]["steps"]
    assert "lock --check environment.yml" in steps[1]["run"]


PYPROJECT = """\
[project]
name = "x"
requires-python = ">=3.10,<3.12"
dependencies = ["numpy>=1.2", "torch==2.7.1; sys_platform == 'linux'"]
[project.optional-dependencies]
docs = ["sphinx"]
[dependency-groups]
dev = ["pytest"]
lint = [{include-group = "dev"}]
[tool.poetry.group.test.dependencies]
y = "*"
[build-system]
requires = []
"""


def test_what_a_pyproject_asks_for_is_in_the_file_and_the_rest_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("pyproject.toml").write_text(PYPROJECT)
    Path("setup.cfg").touch()
    assert run(["init", "--yes", "--for", "cpu"]) == 0
    environment = parse_environment(contents()["environment.yml"], "environment.yml")
    assert [d.spec for d in environment.dependencies] == ["python=3.11", "pip"]
    assert [d.spec for d in environment.pip] == [
        *("numpy>=1.2", "torch==2.7.1; sys_platform == 'linux'", "pytest")
    ]
    told = capsys.readouterr().out
    assert "what is asked for: pyproject.toml, its group dev, by pip" in told
    assert "of pyproject.toml not taken: extra docs, group lint" in told
    assert "the project itself is not in it: add `- -e .`" in told
    assert "is not read: setup.cfg, [tool.poetry.group]" in told


@pytest.mark.parametrize(
    ("requires", "python", "said"),
    [
        (">=3.12", "3.12", ""),
        (">=3.12.4", "3.12", ""),
        ("<3.12", "3.11", ""),
        (">=3.13", "3.13", ""),
        ("==3.9.*", "3.9", ""),
        ("<3", "3.12", "no Python 3 is '<3'"),
    ],
)
def test_python_is_the_nearest_that_the_project_takes(
    requires: str, python: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(f'[project]\nname = "x"\nrequires-python = "{requires}"\n')
    assert run(["init", "--yes", "--for", "cpu"]) == 0
    assert f"- python={python}\n" in contents()["environment.yml"]
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project", "pyproject.toml: not TOML"),
        (
            "[project]\ndependencies = ['a b']\n",
            "pyproject.toml:2: project.dependencies: 'a b' is no",
        ),
        ("[project]\ndependencies = 'a'\n", "pyproject.toml:2: project.dependencies: a list is"),
        (
            "[project]\nrequires-python = '3.x'\n",
            "pyproject.toml:2: project.requires-python: '3.x'",
        ),
    ],
)
def test_a_pyproject_with_a_mistake_is_refused(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(text)
    assert run(["init", "--yes", "--for", "cpu"]) == 2
    assert said in capsys.readouterr().err
    assert contents() == {"pyproject.toml": text}


def test_requirements_go_before_a_pyproject_which_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("pyproject.toml").write_text(PYPROJECT)
    Path("requirements.txt").write_text("einops\n")
    assert run(["init", "--yes", "--for", "cpu"]) == 0
    assert contents()["environment.yml"].endswith("- -r requirements.txt\n")
    assert "asks for 3 packages, too: not taken" in capsys.readouterr().out


def test_dynamic_dependencies_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[project]\nname = 'x'\ndynamic = ['dependencies']\n")
    assert run(["init", "--yes", "--for", "cpu"]) == 0
    assert "leaves its dependencies to its build (dynamic)" in capsys.readouterr().out


def test_nobody_there_to_be_asked_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 2
    assert "envguard init --yes" in capsys.readouterr().err
    assert contents() == {}


def test_a_machine_that_means_nothing_is_refused() -> None:
    assert run(["init", "--yes", "--for", "h10o"]) == 2
    assert contents() == {}


def test_the_cards_of_this_machine_are_what_for_takes() -> None:
    gpus = tuple(
        Gpu(index=n, name=name, vendor="nvidia")
        for n, name in enumerate(("NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB"))
    )
    machine = Machine("linux-64", driver=Driver(Dotted.parse("550.54.14")), gpus=gpus)
    plan = plan_init(Project("x", ()), machine)
    text = next(file.text for file in plan.files if file.path == ".envguard.yml")
    configuration = parse_yaml_configuration(text, ".envguard.yml", Path())
    assert configuration.targets["gpu"].texts == ("NVIDIA A100-SXM4-80GB,driver=550.54.14",)
    assert configuration.lock_for == ("gpu",)


def test_gitlab() -> None:
    machine = Machine("linux-64", gpus=())
    plan = plan_init(Project("x", (), remote="url = https://gitlab.example/x.git"), machine)
    job = next(file for file in plan.files if file.path == GITLAB)
    assert "lock --check" in yaml.safe_load(job.text)["envguard"]["script"][1]
    there = plan_init(Project("x", (GITLAB,), remote="gitlab"), machine)
    assert GITLAB not in [file.path for file in there.files]


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(InputError, match="stays as it is"):
        write_new(tmp_path / "f", "ours")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["f"]
    assert (tmp_path / "f").read_text() == "mine"
