"""Answers of `why` on the screen and as JSON."""

from __future__ import annotations

import json

import pytest

from envguard.formats.why_json import why_to_json
from envguard.formats.why_text import WIDTH, why_text
from envguard.model.explanation import (
    Explanation,
    OtherBuild,
    PackageAnswer,
    PackageAnswers,
    SpecAnswer,
    TabledBuild,
)
from envguard.model.package import PackageRecord
from envguard.model.report import Finding, Status

RECORD = PackageRecord("libcudnn", "9.13", build="h0_0", channel="conda-forge", url="https://x/y")
FAIL = Finding("EG201", Status.FAIL, "no code")
UNKNOWN = Finding("EG101", Status.UNKNOWN, "no driver")
WARN = Finding("EG201", Status.WARN, "only PTX")
RULE = Explanation(
    id="EG306",
    title="two runtimes",
    symptom="OMP: Error #15",
    cause="both are loaded " * 12,
    fix="take one",
    sources=("https://index.example/1", "https://index.example/2"),
    date="2026-11-21",
    aliases=("two-openmp-runtimes",),
    status=Status.WARN,
    confidence="medium",
)


def package(**more: object) -> PackageAnswers:
    one = PackageAnswer(RECORD, ("linux-64",), (), (("pytorch=2", "libcudnn >=9"),), **more)  # type: ignore[arg-type]
    return PackageAnswers("libcudnn", "conda-lock.yml", (one,), ())


def test_a_rule_is_told_whole_and_within_the_screen() -> None:
    lines = why_text(RULE).splitlines()

    assert lines[0] == "EG306 warn  two runtimes"
    assert [line.split()[0] for line in lines if line[2:3].strip()][1:] == [
        "you'd",
        "because",
        "fix",
        "sources",
        "also",
        "as",
    ]
    assert lines[-1].split() == ["as", "of", "2026-11-21,", "confidence", "medium"]
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("more", "line"),
    [
        pytest.param({}, "findings   not judged: no machine of linux-64 was named (--for)", id="-"),
        pytest.param({"targets": ("a100",)}, "findings   none, for a100", id="nothing found"),
        pytest.param(
            {"findings": (Finding("EG210", Status.FAIL, "no kernels", target="v100"),)},
            "findings   EG210 fail no kernels [v100]",
            id="a finding",
        ),
        pytest.param(
            {"others": (OtherBuild("13.0"),)},
            "others     CUDA 13.0 would run there too, as far as driver and cards go",
            id="another build that runs",
        ),
        pytest.param(
            {"others": (OtherBuild("13.0", (UNKNOWN, FAIL)),)},
            "others     CUDA 13.0 would not run: EG201 fail no code; EG101 unknown no driver",
            id="another build that does not, the worst reason first",
        ),
        pytest.param(
            {"others": (OtherBuild("13.0", (WARN, UNKNOWN)),)},
            "others     CUDA 13.0 may run or not: EG101 unknown no driver; EG201 warn only PTX",
            id="another build of which it is not known",
        ),
        pytest.param(
            {"others": (OtherBuild("13.0", (WARN,)),)},
            "others     CUDA 13.0 would run, but: EG201 warn only PTX",
            id="another build that starts slowly",
        ),
    ],
)
def test_a_package_is_told_with_its_verdict(more: dict[str, object], line: str) -> None:
    text = why_text(package(**more))

    assert "needed by  pytorch=2 -> libcudnn >=9\n" in text
    assert f"  {line}\n" in text


def test_a_long_list_is_cut_and_says_how_much_is_left() -> None:
    chains = tuple((f"root{n}", "libcudnn") for n in range(6))
    one = PackageAnswer(RECORD, ("linux-64",), None, chains)

    text = why_text(PackageAnswers("libcudnn", "l.yml", (one,), ()))

    assert "root3 -> libcudnn" in text
    assert "root4" not in text
    assert "and 2 more (--format json has all)" in text


@pytest.mark.parametrize(
    ("tabled", "words"),
    [
        pytest.param((), "none is tabled for CUDA 11.8: it is unknown", id="no row"),
        pytest.param(
            (TabledBuild("wheel", "linux-64", "2.8.*", ("12.9",), "https://x", fits=False),),
            "none is tabled for CUDA 11.8; of that version there are",
            id="other CUDA versions",
        ),
        pytest.param(
            (TabledBuild("wheel", "linux-64", "2.7.*", ("11.8",), "https://x", fits=True),),
            "builds     wheel linux-64  torch 2.7.*  CUDA 11.8",
            id="a row",
        ),
    ],
)
def test_what_was_never_built_is_not_said_of_what_is_unknown(
    tabled: tuple[TabledBuild, ...], words: str
) -> None:
    assert words in why_text(SpecAnswer("torch==2.8.0+cu118", None, (), tabled, "11.8"))


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        pytest.param(RULE, "rule", id="rule"),
        pytest.param(package(), "package", id="package"),
        pytest.param(SpecAnswer("numpy>=3", None, (), None, None), "spec", id="spec"),
    ],
)
def test_json_names_its_kind_and_leaves_out_what_is_not_known(told: object, kind: str) -> None:
    document = json.loads(why_to_json(told, rules_date="2026-11-21"))  # type: ignore[arg-type]

    assert (document["schema_version"], document["kind"]) == (1, kind)
    assert document["tool"]["rules_date"] == "2026-11-21"
    assert None not in document["answer"].values()


def test_json_names_a_package_without_its_address() -> None:
    document = json.loads(why_to_json(package(), rules_date="2026-11-21"))

    assert document["answer"]["packages"][0]["record"] == {
        "name": "libcudnn",
        "version": "9.13",
        "build": "h0_0",
        "channel": "conda-forge",
        "manager": "conda",
    }
