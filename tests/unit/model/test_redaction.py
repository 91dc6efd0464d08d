"""Reports and bundles name no home, user, host and secret, and are not mangled by short names."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envguard.formats.bundle_json import bundle_to_json
from envguard.formats.reports.report_json import reports_to_json
from envguard.model.bundle import Bundle
from envguard.model.diagnosis import Log
from envguard.model.machine import DriverState, Machine
from envguard.model.package import PackageRecord
from envguard.model.probe import Outcome, Owner, OwnerKind, ProbeResult
from envguard.model.redaction import WORDS, Private, cleaner, without_private, without_secrets
from envguard.model.report import Finding, Fix, Report, Status, Subject, Throwaway
from envguard.model.version import Dotted

ALICE = Private(
    homes=("/home/alice",),
    users=("alice",),
    hosts=("gpu-17", "gpu-17.cluster.example.org"),
    secrets=("hunter2hunter2", "abc"),
)
ROOT = Private(homes=("/root",), users=("root",), hosts=("node",))
SHORT = Private(homes=("/home/a",), users=("a",), hosts=("h",))


@pytest.mark.parametrize(
    ("private", "text", "expected"),
    [
        pytest.param(ALICE, "/home/alice", "~", id="the home itself"),
        pytest.param(ALICE, "-p /home/alice/envs/x", "-p ~/envs/x", id="below the home"),
        pytest.param(ALICE, "/home/alice.old/x", "/home/USER/x", id="a home that begins so"),
        pytest.param(ALICE, "/home/alicia/x", "/home/USER/x", id="somebody else's home"),
        pytest.param(ALICE, "/srv/home/alice/x", "/srv/home/USER/x", id="a home elsewhere"),
        pytest.param(ALICE, "/scratch/alice/x", "/scratch/USER/x", id="the user in a path"),
        pytest.param(ALICE, "/tmp/alice-1/x", "/tmp/USER-1/x", id="the user in a name"),
        pytest.param(ALICE, "by Alice", "by USER", id="capitals"),
        pytest.param(ALICE, "malice, alices", "malice, alices", id="inside of a word"),
        pytest.param(ALICE, "on gpu-17: x", "on HOST: x", id="the host"),
        pytest.param(ALICE, "on gpu-17.other.example.net", "on HOST", id="with another domain"),
        pytest.param(ALICE, "gpu-170 my-gpu-17b", "gpu-170 my-gpu-17b", id="no host"),
        pytest.param(ALICE, "key hunter2hunter2!", "key ***!", id="a secret of a variable"),
        pytest.param(ALICE, "abcdef", "abcdef", id="too short for a secret"),
        pytest.param(ALICE, "https://u:pw@x.example/t/tk-1/c", "https://x.example/c", id="a URL"),
        pytest.param(ALICE, "HF_TOKEN=xyz end", "HF_TOKEN=*** end", id="an assignment"),
        pytest.param(ALICE, "tokenizer=bert", "tokenizer=bert", id="no token"),
        pytest.param(ALICE, f"hf_{'a1' * 12}", "***", id="a token of a known shape"),
        pytest.param(ROOT, "/root, of root, /opt/root", "~, of root, /opt/root", id="root"),
        pytest.param(
            ROOT, "a node of the graph", "a node of the graph", id="a host that is a word"
        ),
        pytest.param(SHORT, "a GPU /usr/lib/a/b", "a GPU /usr/lib/a/b", id="a user called a"),
        pytest.param(SHORT, "/home/a/x /scratch/a/x", "~/x /scratch/USER/x", id="a in paths"),
        pytest.param(Private(homes=("/",)), "/usr/lib", "/usr/lib", id="a home that is the root"),
        pytest.param(Private(), "/Users/Bob/x", "/Users/USER/x", id="macOS"),
        pytest.param(Private(), r"C:\Users\Bob\x", r"C:\Users\USER\x", id="Windows"),
        pytest.param(Private(), r"C:\\Users\\Bob", r"C:\\Users\\USER", id="Windows, escaped"),
        pytest.param(ALICE, "[alice@gpu-17 ~]$", "[USER@HOST ~]$", id="a prompt"),
        pytest.param(ALICE, "of bob@x.example, bob", "of <mail>, bob", id="mail"),
        pytest.param(ALICE, "ssh://git@x.example/y", "ssh://git@x.example/y", id="no mail"),
        pytest.param(ALICE, "torch@2.6.0", "torch@2.6.0", id="a version behind an @"),
        pytest.param(ALICE, "tcp://10.1.2.3:5000", "tcp://<address>:5000", id="an address"),
        pytest.param(ALICE, "eth0:10.1.2.3<0>", "eth0:<address><0>", id="an address of NCCL's"),
        pytest.param(
            ALICE, "login from 10.1.2.3 port 22", "login from <address> port 22", id="from"
        ),
        pytest.param(ALICE, "at 192.168.0.17.", "at <address>.", id="a private address"),
        pytest.param(
            ALICE, "at fe80::1:5678:9abc:def0, x", "at <address>, x", id="an IPv6 address"
        ),
        pytest.param(ALICE, "[2001:db8::7]:29500", "[<address>]:29500", id="another with a port"),
        pytest.param(ALICE, "[2001:db8:1:2:3:4:5:6]", "[<address>]", id="a whole one"),
        pytest.param(ALICE, "ether 02:42:ac:11:00:02 x", "ether <address> x", id="a network card"),
        pytest.param(ALICE, "2026:11:22 09:30:00.1", "2026:11:22 09:30:00.1", id="a time"),
        pytest.param(
            ALICE, "00000000:81:00.0, a::b, fd::x", "00000000:81:00.0, a::b, fd::x", id="a bus"
        ),
        pytest.param(ALICE, "at c10::cuda and ::std", "at c10::cuda and ::std", id="C++"),
        pytest.param(
            ALICE, "from 9.1.0.70 to 9.2.0.8", "from 9.1.0.70 to 9.2.0.8", id="from a version"
        ),
        pytest.param(ALICE, "127.0.0.1:8888", "127.0.0.1:8888", id="this machine"),
        pytest.param(ALICE, "9.1.0.70 of 12.4.131", "9.1.0.70 of 12.4.131", id="versions"),
    ],
)
def test_one_text(private: Private, text: str, expected: str) -> None:
    assert cleaner(private)(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "pip install -i https://ada:hunter2@index.example/simple",
            "pip install -i https://index.example/simple",
            id="URL",
        ),
        pytest.param("/lab?token=bfe6d0a660", "/lab?token=***", id="Jupyter"),
        pytest.param("/x?sig=bfe6d0a660&y=1", "/x?sig=***&y=1", id="a signature"),
        pytest.param(f"HF_TOKEN=hf_{'a1' * 12}", "HF_TOKEN=***", id="a variable"),
        pytest.param(f"login with hf_{'a1' * 12}", "login with ***", id="a key by its shape"),
        pytest.param(
            '{"password": "correct horse"}', '{"password": "***"}', id="JSON, more than a word"
        ),
        pytest.param("SECRET='a b' c", "SECRET='***' c", id="quoted in a shell"),
        pytest.param("Authorization: Bearer abc123", "Authorization: Bearer ***", id="a header"),
        pytest.param("aws AKIAABCDEFGHIJKLMNOP", "aws ***", id="a cloud's key"),
        pytest.param(f"x-ghp_{'0a' * 18}", "x-***", id="GitHub"),
        pytest.param("tokenizer=bert", "tokenizer=bert", id="no token"),
        pytest.param(
            "Assertion `srcIndex < srcSelectDimSize` failed.",
            "Assertion `srcIndex < srcSelectDimSize` failed.",
            id="what a diagnosis needs",
        ),
    ],
)
def test_secrets_go_and_what_matters_stays(text: str, expected: str) -> None:
    assert without_secrets(text) == expected
    assert without_secrets(expected) == expected
    assert cleaner(ALICE)(text) == expected


NAMES = st.from_regex("[a-z][a-z0-9]{2,11}", fullmatch=True)
DIRTY = [
    "{home}/x",
    "{home}",
    "/scratch/{user}/y",
    "u={user};",
    "{host}:8",
    "{host}.a.example",
    "({secret})",
]
DIRTY += ["https://{user}:{secret}@c.example/t/{secret}/ch", "A_TOKEN={secret}", "'{user}@{host}'"]


@settings(deadline=None)
@given(
    user=NAMES,
    host=NAMES,
    secret=st.text(string.ascii_letters + string.digits, min_size=8, max_size=30),
    around=st.lists(st.sampled_from(DIRTY), min_size=1, max_size=6),
    filling=st.text(" /:;,()'\"\n", min_size=1, max_size=3),
)
def test_nothing_leaks_out_of_any_field(
    user: str, host: str, secret: str, around: list[str], filling: str
) -> None:
    assume(not ({user, host} & WORDS) and user not in host and host not in user)
    ours = reports_to_json([report_with("example users home token")], rules_date="2026-11-22")
    assume(not any(name in ours.lower() for name in (user, host, secret.lower())))
    assume(not any(name in secret.lower() for name in (user, host)))
    home = f"/home/{user}"
    private = Private((home,), (user,), (host, f"{host}.a.example"), (secret,))
    text = filling.join(
        each.format(home=home, user=user, host=host, secret=secret) for each in around
    )
    text = f" {text} "
    report = report_with(text)
    clean = without_private(report, private)
    log = bundle_to_json(Bundle("x", Machine("linux-64"), logs=(Log(text, text),)), private)
    for written in (reports_to_json([clean], rules_date="2026-11-22"), log):
        assert secret not in written
        assert home not in written
        assert f"/{user}/" not in written
        assert f"{user}@" not in written
        assert f"={user};" not in written
        assert f"{host}:" not in written
        assert f"{host}.a.example" not in written
    assert without_private(clean, private) == clean


def report_with(text: str) -> Report:
    """A report with `text` wherever a text can be."""
    probe = ProbeResult(
        "matmul",
        Outcome.CRASHED,
        stage=text,
        library=text,
        library_path=text,
        owner=Owner(OwnerKind.OUTSIDE, text),
        detail=text,
        kernel=(text,),
        stack=(text,),
        output=text,
        values={text: text, "nested": [text]},
    )
    finding = Finding(
        "EG701",
        Status.FAIL,
        text,
        message=text,
        have=text,
        need=text,
        symptom=text,
        evidence=(text,),
        packages=(PackageRecord("x", "1", channel=text, url=text),),
        fix=Fix(text, (text,), text),
    )
    machine = Machine(
        "linux-64",
        driver=DriverState.ABSENT,
        gpus=(),
        environment={"LD_LIBRARY_PATH": text},
        notes=(text,),
    )
    return Report(
        "verify",
        Subject("conda-lock", text, detail=text),
        machine=machine,
        findings=(finding,),
        probes=(probe,),
        notes=(text,),
        requirements=(text,),
        throwaway=Throwaway(1, text, "copies", text, 1.0),
    )


def test_what_names_nobody_is_the_same_object() -> None:
    report = report_with("nothing of anybody")
    assert without_private(report, ALICE) is report


def test_sources_and_values_that_are_no_text_stay() -> None:
    finding = Finding("EG101", Status.FAIL, "x", sources=("https://x.example/a?b=alice",))
    report = replace(report_with("alice"), findings=(finding,), seconds=1.5)
    clean = without_private(report, ALICE)
    assert clean.findings[0].sources == finding.sources
    assert clean.machine is not None
    assert clean.machine.driver is DriverState.ABSENT
    assert clean.seconds == 1.5
    assert without_private(Dotted.parse("570.26"), ALICE) == Dotted.parse("570.26")
