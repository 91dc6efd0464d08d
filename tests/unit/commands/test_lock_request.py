"""What the solver is asked: the file's lines, and what conda adds to them by itself."""

from __future__ import annotations

import pytest

from envguard.commands.locking.request import request_notes, solve_request
from envguard.errors import InputError
from envguard.model.environment import Dependency, Environment

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"
PYTORCH = "https://conda.anaconda.org/pytorch"
MAIN, R = "https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"


def environment(*specs: str, channels: tuple[str, ...] = ("conda-forge",), pip: str = ""):
    return Environment(
        channels=channels,
        dependencies=tuple(map(Dependency, specs)),
        pip=(Dependency(pip),) if pip else (),
        path="e.yml",
    )


@pytest.mark.parametrize(
    ("channels", "spec", "expected"),
    [
        pytest.param(("conda-forge",), "numpy", (CONDA_FORGE,), id="as the file says"),
        pytest.param((), "numpy", (CONDA_FORGE,), id="none: conda-forge"),
        pytest.param(
            ("conda-forge",), "pytorch::pytorch", (CONDA_FORGE, PYTORCH), id="of a spec: last"
        ),
        pytest.param(
            ("pytorch", "conda-forge"), "pytorch::x", (PYTORCH, CONDA_FORGE), id="there already"
        ),
        pytest.param(("conda-forge",), "conda-forge/noarch::x", (CONDA_FORGE,), id="with a subdir"),
        pytest.param(
            ("https://me:pw@index.example/ch",),
            "https://index.example/ch::x",
            ("https://me:pw@index.example/ch",),
            id="there already, with credentials",
        ),
        pytest.param(
            ("conda-forge",), "defaults::x", (CONDA_FORGE, MAIN, R), id="defaults are several"
        ),
    ],
)
def test_channels_are_the_files_and_then_those_that_a_spec_names(channels, spec, expected):
    request = solve_request(environment(spec, channels=channels), "linux-64", ())
    assert request.channels == expected


def test_only_nodefaults_is_no_channel():
    with pytest.raises(InputError, match="nodefaults"):
        solve_request(environment("numpy", channels=("nodefaults",)), "linux-64", ())


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        pytest.param(("numpy",), ("numpy", "pip"), id="neither python nor pip"),
        pytest.param(("python=3.12",), ("python=3.12",), id="python, which brings pip"),
        pytest.param(("conda-forge::pip",), ("conda-forge::pip",), id="pip"),
    ],
)
def test_a_pip_section_brings_pip_as_with_conda(specs, expected):
    asked = environment(*specs, pip="einops")
    assert solve_request(asked, "linux-64", ()).specs == expected
    assert len(request_notes(asked)) == len(expected) - len(specs)
