"""Lines of a file are changed, and not a byte of the others."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envguard.cleaning import clean_file
from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_edit import edited
from envguard.model.cleaning import SPELT_OUT, Edits, Pin, Policy, Rewrite

FILE = """\
# our environment
name: train   # by us
channels:
    - conda-forge
dependencies:
    # the language
    - python=3.12
    - 'numpy >=1.24'  # arrays
    - "pandas"

    - pip:
        # no conda package
        - einops
        - smplx
variables:
  OMP_NUM_THREADS: "4"
  TOKEN_X: abc
prefix: /home/me/envs/train
"""


def changed(text: str, **edits: object) -> str:
    environment = parse_environment(text, "environment.yml")
    return edited(text, environment, Edits(**edits))


def line(text: str, spec: str):
    environment = parse_environment(text, "environment.yml")
    lines = (*environment.dependencies, *environment.pip, *environment.channel_lines)
    return next(each for each in lines if each.spec == spec)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_line_that_is_named_changes(newline):
    text = FILE.replace("\n", newline)
    numpy = line(text, "numpy >=1.24")
    new = changed(text, rewrites=(Rewrite(numpy, "numpy >=1.24,<2"),))
    assert new == text.replace("'numpy >=1.24'", "'numpy >=1.24,<2'")


def test_a_selector_goes_behind_the_comment_that_is_there():
    numpy = line(FILE, "numpy >=1.24")
    new = changed(FILE, rewrites=(Rewrite(numpy, "numpy >=1.24", selector="linux"),))
    assert "    - 'numpy >=1.24'  # arrays  # [linux]\n" in new
    [found] = [x for x in parse_environment(new, "e.yml").dependencies if x.selector]
    assert (found.spec, found.selector) == ("numpy >=1.24", "linux")


def test_a_line_goes_with_its_comment_and_what_stands_above_stays():
    new = changed(FILE, removals=(line(FILE, "python=3.12"), line(FILE, "einops")))
    assert new == FILE.replace("    - python=3.12\n", "").replace("        - einops\n", "")


def test_a_pip_section_goes_with_its_last_line():
    new = changed(FILE, removals=(line(FILE, "einops"), line(FILE, "smplx")))
    assert "pip" not in new
    assert parse_environment(new, "e.yml").pip == ()


def test_keys_go_whole():
    new = changed(FILE, drop_prefix=True, drop_variables=("TOKEN_X",))
    assert new == FILE.replace("  TOKEN_X: abc\n", "").replace("prefix: /home/me/envs/train\n", "")
    assert "variables" not in changed(FILE, drop_variables=("TOKEN_X", "OMP_NUM_THREADS"))


def test_packages_are_added_before_the_pip_section_as_their_neighbours_are_written():
    assert '    - "pandas"\n    - pip\n' in changed(FILE, dependencies=("pip",))
    bare = "dependencies:\n- pip:\n  - einops\n"
    assert changed(bare, dependencies=("python", "pip")) == (
        "dependencies:\n- python\n- pip\n- pip:\n  - einops\n"
    )


def test_channels_are_added_where_there_are_none():
    bare = "dependencies:\n- numpy"
    assert changed(bare, channels=("conda-forge",)) == (
        "channels:\n  - conda-forge\ndependencies:\n- numpy"
    )
    assert changed("channels:\n" + bare, channels=("conda-forge",)).startswith(
        "channels:\n  - conda-forge\ndependencies"
    )


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"removals": "a"}, "[b, 'c d']"),
        ({"removals": "c d"}, "[a, b]"),
        ({"rewrites": "a"}, "[\"x[y='1,2']\", b, 'c d']"),
    ],
)
def test_lists_in_brackets(edits, expected):
    text = "channels: [a, b, 'c d']  # mine\ndependencies: [numpy]\n"
    [(key, name)] = edits.items()
    value = line(text, name) if key == "removals" else Rewrite(line(text, name), "x[y='1,2']")
    assert changed(text, **{key: (value,)}) == text.replace("[a, b, 'c d']", expected)


def test_one_channel_may_become_two():
    text = "channels: [defaults, bioconda]\ndependencies: [numpy]\n"
    environment = parse_environment(text, "e.yml")
    new = edited(text, environment, clean_file(environment, Policy(defaults=SPELT_OUT)))
    assert parse_environment(new, "e.yml").channels == (
        "https://repo.anaconda.com/pkgs/main",
        "https://repo.anaconda.com/pkgs/r",
        "bioconda",
    )


def test_what_is_written_otherwise_is_refused():
    text = "dependencies:\n- &n numpy=1.2.3=py_0\n- *n\n"
    environment = parse_environment(text, "e.yml")
    with pytest.raises(InputError, match="cannot be edited line by line"):
        edited(text, environment, clean_file(environment))


NAMES = st.sampled_from(["numpy", "python", "pip", "libgcc-ng", "ld_impl_linux-64", "mpi", "torch"])
VERSIONS = st.sampled_from(
    ["", "=1.2", "==1.2.3", "=1.2.3=py312_0", " >=1.2,<2", "=*=*cuda*", "=1.2.3"]
)
SPECS = st.builds("{}{}".format, NAMES, VERSIONS)
QUOTES = st.sampled_from(["{}", '"{}"', "'{}'", "{}  # why", "'{}' # [win]"])
LINES = st.lists(st.builds(lambda quote, spec: quote.format(spec), QUOTES, SPECS), min_size=1)
CHANNELS = st.lists(
    st.sampled_from(["conda-forge", "defaults", "https://u:secret@index.example/c", "nodefaults"])
)
PIP = st.lists(st.sampled_from(["numpy", "torch==2.7.1", "einops[x]>=1", "-e .", "-r r.txt"]))


@st.composite
def files(draw) -> str:
    indent = draw(st.sampled_from(["", "  ", "    "]))
    channels, pip = draw(CHANNELS), draw(PIP)
    text = "# head\n" if draw(st.booleans()) else ""
    if channels and draw(st.booleans()):
        text += f"channels: [{', '.join(channels)}]\n"
    elif channels:
        text += "channels:\n" + "".join(f"{indent}- {c}\n" for c in channels)
    text += "dependencies:\n" + "".join(f"{indent}- {x}\n" for x in draw(LINES))
    if pip:
        text += f"{indent}- pip:\n" + "".join(f"{indent}  - {x}\n" for x in pip)
    text += draw(st.sampled_from(["", "prefix: /x\n", "variables: {A_TOKEN: x, B: y}\n"]))
    return text if draw(st.booleans()) else text.rstrip("\n")


MANY = "dependencies:\n" + "".join(f"- {name}==1.2.3\n" for name in "abcdefghi")


@settings(deadline=None)
@example(f"{MANY}- numpy=1.2\n- numpy=1.2\n", Policy(Pin.NONE))  # ten, once the same line is out
@example(f"{MANY}- numpy >=1.2,<2\n- pip\n", Policy(Pin.NONE))  # a person's: not all are exact
@given(
    files(),
    st.builds(Policy, st.sampled_from(Pin), st.sampled_from([None, SPELT_OUT, "conda-forge"])),
)
def test_a_cleaned_file_is_clean_and_loses_no_package(text, policy):
    environment = parse_environment(text, "e.yml")
    new = edited(text, environment, clean_file(environment, policy))
    found = parse_environment(new, "e.yml")

    assert clean_file(found, policy).empty
    assert "secret" not in new
    assert "prefix" not in yaml.safe_load(new)
    assert names(found) >= names(environment)
    if not clean_file(environment, policy).removals:  # a line that goes takes its comment along
        assert comments(text) <= comments(new)


def names(environment) -> set[str]:
    from envguard.model.conda import parse_match_spec

    conda = {parse_match_spec(x.spec).name for x in environment.dependencies}
    return conda | {
        x.spec.partition("=")[0] for x in environment.pip if x.spec != "numpy" or not conda
    }


def comments(text: str) -> set[str]:
    """What was said behind a line; a selector may stand behind it now."""
    return {part.strip() for x in text.splitlines() for part in x.split("#")[1:]}
