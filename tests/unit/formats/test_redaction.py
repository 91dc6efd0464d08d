"""Secrets and names, taken out of what others see."""

from __future__ import annotations

import pytest

from envguard.formats.redaction import Names, without_names, without_secrets

NAMES = Names(user="ada", host="gpu-17", home="/data/people/ada")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(
            "pip install --index-url https://ada:hunter2@index.example/simple", "hunter2", id="URL"
        ),
        pytest.param("http://localhost:8888/?token=bfe6d0a66020dc", "bfe6d0a66020dc", id="Jupyter"),
        pytest.param("HF_TOKEN=hf_abcdefghijklmnopqrstuvwx", "hf_abcdef", id="a variable"),
        pytest.param(
            "login with hf_abcdefghijklmnopqrstuvwx", "hf_abcdef", id="a key by its shape"
        ),
        pytest.param('{"password": "correct horse"}', "correct", id="JSON"),
        pytest.param("Authorization: Bearer abcdef123456", "abcdef123456", id="a header"),
        pytest.param("aws AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP", id="a cloud's key"),
        pytest.param("ghp_0123456789abcdef0123456789abcdef0123", "0123456789abcdef", id="GitHub"),
    ],
)
def test_secrets_go(text: str, secret: str) -> None:
    assert secret not in without_secrets(text)
    assert secret not in without_names(text, NAMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/data/people/ada/env/bin", "~/env/bin", id="the home folder"),
        pytest.param("/data/people/adamant/x", "/data/people/adamant/x", id="not a longer name"),
        pytest.param("/home/grace/x", "/home/user/x", id="another's home"),
        pytest.param(r"C:\Users\Grace\x", r"C:\Users\user\x", id="Windows"),
        pytest.param("[ada@gpu-17 ~]$", "[user@host ~]$", id="a prompt"),
        pytest.param("adapter", "adapter", id="a word that begins so"),
        pytest.param("mail grace@host.example", "mail <mail>", id="mail"),
        pytest.param("tcp://10.1.2.3:5000", "tcp://<address>:5000", id="an address"),
        pytest.param(
            "cudnn 9.1.0.70 of 12.4.131", "cudnn 9.1.0.70 of 12.4.131", id="versions stay"
        ),
        pytest.param("http://127.0.0.1:8888/", "http://127.0.0.1:8888/", id="this machine"),
    ],
)
def test_names_go_and_what_matters_stays(text: str, expected: str) -> None:
    assert without_names(text, NAMES) == expected


def test_what_a_diagnosis_needs_is_left() -> None:
    line = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
    assert without_names(line, NAMES) == line
    for line in ("tokenizer=bert", "Assertion `srcIndex < srcSelectDimSize` failed."):
        assert without_names(line, NAMES) == line
