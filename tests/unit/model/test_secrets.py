"""What is never written: passwords, tokens, keys."""

from __future__ import annotations

import pytest

from envguard.model.secrets import public_variables, redacted, urls_in, without_credentials


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://user:secret@index.example/ch", "https://index.example/ch"),
        (
            "https://conda.anaconda.org/t/tk-123/private/linux-64",
            "https://conda.anaconda.org/private/linux-64",
        ),
        ("https://index.example/t/tk-123", "https://index.example"),
        ("https://index.example/x.whl?token=abc#sha256=1", "https://index.example/x.whl#sha256=1"),
        ("git+ssh://git@index.example/r.git@abc", "git+ssh://git@index.example/r.git@abc"),
        ("ssh://git:secret@index.example/r.git", "ssh://git@index.example/r.git"),
        ("conda-forge", "conda-forge"),
        ("https://u:p#ss@index.example/ch", "https://index.example/ch"),
        ("https://u:p/ss@index.example/ch", "https://index.example/ch"),
        ("https://u:secret@[x/ch?y=1", "https://[x/ch"),
        ("https://index.example:8080/a@b", "https://index.example:8080/a@b"),
    ],
)
def test_credentials_are_taken_out_of_urls(url, clean):
    assert without_credentials(url) == clean


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("https://u:p@index.example/ch::numpy=1.26", "https://index.example/ch::numpy=1.26"),
        (
            "--extra-index-url https://u:p@index.example/simple",
            "--extra-index-url https://index.example/simple",
        ),
        ("x @ git+https://tok@index.example/r.git", "x @ git+https://index.example/r.git"),
        ("conda-forge::numpy >=1", "conda-forge::numpy >=1"),
    ],
)
def test_credentials_are_taken_out_of_lines(line, clean):
    assert redacted(line) == clean


@pytest.mark.parametrize(
    "name",
    [
        "WANDB_API_KEY",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "db_password",
        "GITHUB_PAT",
        "NETRC_AUTH",
        "DB_PWD",
        "PWD_OF_DB",
    ],
)
def test_a_variable_that_looks_like_a_secret_is_left_out(name):
    assert public_variables({name: "x"}) == ({}, (name,))


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM", "AUTHOR", "PATH"])
def test_other_variables_stay_but_not_the_credentials_in_their_urls(name):
    kept, secret = public_variables({name: "http://u:p@index.example/"})
    assert kept == {name: "http://index.example/"}
    assert secret == ()


@pytest.mark.parametrize("name", ["PWD", "OLDPWD"])
def test_where_the_shell_stands_is_no_password(name):
    assert public_variables({name: "/data/run"}) == ({name: "/data/run"}, ())


def test_urls_are_found_in_other_programs_words():
    told = "error (https://u:p@index.example/t/tok/ch/repodata.json?sig=1), gave up"
    assert redacted(told) == "error (https://index.example/ch/repodata.json), gave up"
    assert urls_in(told) == ("https://index.example/ch/repodata.json",)
