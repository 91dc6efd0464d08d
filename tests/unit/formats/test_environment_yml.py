"""environment.yml: every form conda takes, and every mistake named with its line."""

from __future__ import annotations

import pytest

from envguard.errors import InputError
from envguard.formats.environments.environment_yml import MOST_ITEMS, parse_environment
from envguard.model.environment import selector_holds

FULL = """\
name: train
channels:
  - pytorch
  - https://user:secret@index.example/channel
  - nodefaults
platforms: [linux-64, osx-arm64]
dependencies:
  - numpy
  - numpy=1.26
  - numpy==1.26.4
  - numpy >=1.24,<2
  - numpy=1.26.4=py312*
  - conda-forge::numpy
  - pytorch::pytorch=2.0.1=*cuda11.8*
  - libgomp  # [linux]
  - pip
  - pip:
    - --extra-index-url https://index.example/simple
    - einops==0.8.0
variables:
  OMP_NUM_THREADS: 4
prefix: /home/somebody/envs/train
"""


def test_every_form_of_a_dependency_is_read_with_its_place():
    environment = parse_environment(FULL, "environment.yml")

    assert environment.name == "train"
    assert environment.channels[0] == "pytorch"
    assert environment.platforms == ("linux-64", "osx-arm64")
    assert [d.spec for d in environment.dependencies][:2] == ["numpy", "numpy=1.26"]
    assert len(environment.dependencies) == 9
    assert [line.spec for line in environment.pip] == [
        "--extra-index-url https://index.example/simple",
        "einops==0.8.0",
    ]
    assert (environment.dependencies[0].line, environment.dependencies[0].column) == (8, 5)
    assert environment.variables == {"OMP_NUM_THREADS": "4"}
    assert environment.prefix == "/home/somebody/envs/train"


def test_a_selector_keeps_its_line_for_the_platforms_it_names():
    environment = parse_environment(FULL, "environment.yml")

    linux = [d.spec for d in environment.for_subdir("linux-64").dependencies]
    osx = [d.spec for d in environment.for_subdir("osx-arm64").dependencies]
    assert set(linux) - set(osx) == {"libgomp"}


@pytest.mark.parametrize(
    ("selector", "subdir", "holds"),
    [
        ("linux", "linux-aarch64", True),
        ("linux64", "linux-aarch64", False),
        ("aarch64", "linux-aarch64", True),
        ("osx", "osx-arm64", True),
        ("osx64", "osx-64", True),
        ("osx64", "osx-arm64", False),
        ("win64", "win-64", True),
        ("win64", "win-arm64", False),
        ("arm64", "osx-arm64", True),
        ("arm64", "linux-aarch64", False),
        ("unix", "osx-arm64", True),
        ("unix", "win-64", False),
        ("not win", "win-64", False),
        ("not win", "osx-64", True),
        ("osx or win", "win-64", True),
        ("unix and not osx", "linux-64", True),
    ],
)
def test_selectors_name_platforms(selector, subdir, holds):
    assert selector_holds(selector, subdir) is holds


def test_a_key_that_is_none_of_conda_is_told_and_ignored():
    environment = parse_environment("dependencies: [numpy]\nowner: me\n", "e.yml")

    assert environment.notes == ("e.yml:2: owner: is no key of an environment.yml and is ignored",)


@pytest.mark.parametrize(
    "words", ["linux and", "linux osx", "not", "or win", "linux64 and not", "1"]
)
def test_words_that_are_no_whole_selector_lose_no_line(words):
    environment = parse_environment(f"dependencies:\n  - numpy  # [{words}]\n", "e.yml")
    assert len(environment.for_subdir("linux-64").dependencies) == 1
    assert f"e.yml:2: [{words}] is no selector" in environment.notes[0]


def test_a_comment_in_brackets_that_is_no_selector_is_kept_and_told():
    environment = parse_environment("dependencies:\n  - numpy  # [1]\n", "e.yml")

    assert len(environment.for_subdir("win-64").dependencies) == 1
    assert environment.notes == (
        "e.yml:2: [1] is no selector of platforms; the line holds for all of them",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "", "e.yml: the file is empty; at least `dependencies:` is needed", id="empty"
        ),
        pytest.param(
            "- numpy\n",
            "e.yml:1: a list where name, channels and dependencies are expected",
            id="not a mapping",
        ),
        pytest.param("name: x\n", "e.yml:1: dependencies: is missing", id="no dependencies"),
        pytest.param(
            "dependencies:\n  - pytorch=>2.4\n",
            "e.yml:2: dependencies[0]: 'pytorch=>2.4' is not a MatchSpec "
            "(unable to parse version spec: =>2.4); write 'pytorch >=2.4'",
            id="operator the wrong way round",
        ),
        pytest.param(
            "dependencies:\n  - torchvision -c pytorch\n",
            "e.yml:2: dependencies[0]: 'torchvision -c pytorch' is not a MatchSpec "
            "(unable to parse version spec: -c pytorch); write 'pytorch::torchvision'",
            id="an option of conda install",
        ),
        pytest.param(
            "dependencies:\n  - dask[complete]>=2024\n",
            "e.yml:2: dependencies[0]: 'dask[complete]>=2024' is not a MatchSpec (invalid package name "
            "'dask[complete]': 'dask[complete]' is not a valid package name. Package names can only "
            "contain 0-9, a-z, A-Z, -, _, or .); write 'dask>=2024'",
            id="an extra, which conda does not have",
        ),
        pytest.param(
            "dependencies:\n  - pip:\n    - six\n    - numpy=1.2\n",
            "e.yml:4: dependencies[0].pip[1]: 'numpy=1.2' is no requirement "
            "(expected semicolon (after name with no version specifier) or end; write 'numpy==1.2')",
            id="a pip line that is no requirement",
        ),
        pytest.param(
            "dependencies:\n  - https://me:pw@index.example/ch::a =>\n",
            "e.yml:2: dependencies[0]: 'https://index.example/ch::a =>' is not a MatchSpec "
            "(unable to parse version spec: =>)",
            id="a mistake beside a password",
        ),
        pytest.param(
            "dependencies:\n  - 3.8\n",
            "e.yml:2: dependencies[0]: '3.8' is no name; quote it if it is meant as text",
            id="a number",
        ),
        pytest.param(
            "dependencies:\n  - numpy: 1.26\n",
            "e.yml:2: dependencies[0]: 'numpy:' is a mapping; a package is written 'numpy 1.26'",
            id="a colon for a space",
        ),
        pytest.param(
            "dependencies: [numpy]\nplatforms: [linux-63]\n",
            "e.yml:2: platforms: 'linux-63' is no platform; 'linux-64' is",
            id="unknown platform",
        ),
        pytest.param(
            "dependencies: [numpy]\ndependencies: [pandas]\n",
            "e.yml:2: dependencies: is there twice, first in line 1",
            id="a key twice",
        ),
        pytest.param(
            "dependencies: [numpy]\nchannels: conda-forge\n",
            "e.yml:2: channels: a single value where a list ('- item' lines) is expected",
            id="a list written as a value",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(text, problem):
    with pytest.raises(InputError) as caught:
        parse_environment(text, "e.yml")
    assert caught.value.problems == (problem,)
    assert caught.value.exit_code == 2


def test_all_mistakes_are_reported_at_once():
    text = "dependencies:\n  - 3.8\n  - a=>1\nplatforms: [beos-64]\n"
    with pytest.raises(InputError) as caught:
        parse_environment(text, "e.yml")
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "e.yml:2",
        "e.yml:3",
        "e.yml:4",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: [x\n", "e.yml:2: not YAML", id="an open bracket"),
        pytest.param(
            "dependencies:\n\t- x\n", "e.yml:2: not YAML: a tab where YAML wants spaces", id="a tab"
        ),
        pytest.param("[" * 100_000, "e.yml:1: nested deeper than 64 levels", id="a bracket bomb"),
        pytest.param(
            "a: &a [x]\nb: [" + "*a," * 101 + "]",
            "e.yml:2: more than 100 aliases",
            id="an alias bomb",
        ),
        pytest.param("a: \x00", "not YAML", id="a binary file"),
    ],
)
def test_what_is_no_yaml_is_refused_before_it_is_loaded(text, message):
    with pytest.raises(InputError, match="e") as caught:
        parse_environment(text, "e.yml")
    assert message in caught.value.message


def test_exactly_the_permitted_depth_and_aliases_are_read():
    deep = "dependencies: [numpy]\nextra: " + "[" * 63 + "]" * 63
    assert parse_environment(deep, "e.yml").dependencies
    aliased = "x: &a [y]\nz: [" + "*a," * 100 + "]\ndependencies: [numpy]\n"
    assert parse_environment(aliased, "e.yml").dependencies


@pytest.mark.parametrize("key", ["dependencies", "channels", "dependencies[0].pip"])
def test_a_list_past_the_limit_is_refused_before_its_items_are_looked_at(key: str) -> None:
    def text(number: int) -> str:
        items = ", ".join(["x"] * number)
        pip = f"{{pip: [{items}]}}" if key.endswith("pip") else f"[{items}]"
        lists = {"dependencies[0].pip": f"dependencies: [{pip}]"}.get(key, f"{key}: {pip}")
        return lists if "dependencies" in key else f"{lists}\ndependencies: [y]"

    assert parse_environment(text(MOST_ITEMS), "environment.yml")
    with pytest.raises(InputError) as caught:
        parse_environment(text(MOST_ITEMS + 1), "environment.yml")
    assert caught.value.problems == (
        f"environment.yml:1: {key}: has 5,001 items; at most 5,000 are read",
    )
