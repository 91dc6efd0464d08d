"""Archives of rules from elsewhere: what is no set of rules is refused before it is unpacked."""

from __future__ import annotations

import io
import json
import stat
import warnings
import zipfile

import pytest

from envguard.errors import InputError
from envguard.formats.rules import rules_archive
from envguard.formats.rules.rules_archive import dump_index, pack, parse_index, unpack
from envguard.model.rule_archive import RuleArchive

FILES = {"EG301-a.yaml": b"a: 1\n", "checks/EG101-b.yaml": b"b: 2\n", "tables/gpus.yaml": b"c\n"}
INDEX = RuleArchive("2026-12-24", "rules.zip", "ab" * 32, 100)


def zipped(name: str, content: bytes = b"x", *, mode: int = 0, times: int = 1) -> bytes:
    """A zip that `pack` would not make."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the duplicate name
        for _ in range(times):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def test_what_is_packed_is_unpacked_and_the_same_bytes() -> None:
    content = pack(FILES)

    assert unpack(content, "x.zip") == FILES
    assert pack(dict(reversed(FILES.items()))) == content


@pytest.mark.parametrize(
    "name",
    [
        "../EG301-a.yaml",
        "/etc/EG301-a.yaml",
        "tables/../../EG301-a.yaml",
        "tables\\..\\x.yaml",
        "tables/sub/x.yaml",
        "tables/.hidden.yaml",
        "tables/",
        "EG301-a.py",
        "EG301-a.yaml\n",
        "compiled.json",
        "C:EG301-a.yaml",
    ],
)
def test_a_name_that_no_set_has_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no file of a set of rules"):
        unpack(zipped(name), "x.zip")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(zipped("EG301-a.yaml", mode=stat.S_IFLNK | 0o777), "no plain file", id="link"),
        pytest.param(zipped("EG301-a.yaml", mode=stat.S_IFIFO | 0o644), "no plain file", id="pipe"),
        pytest.param(zipped("EG301-a.yaml", times=2), "there twice", id="twice"),
        pytest.param(zipped("EG301-a.yaml", b"0" * (4 << 20)), None, id="as large as may be"),
        pytest.param(zipped("EG301-a.yaml", b"0" * ((4 << 20) + 1)), "has more than", id="a bomb"),
        pytest.param(b"", "no zip that can be read", id="empty"),
        pytest.param(b"PK\x03\x04 or so", "no zip that can be read", id="no zip"),
        pytest.param(pack(FILES)[:-30], "no zip that can be read", id="cut"),
        pytest.param(pack(FILES).replace(b"a: 1", b"a: 2"), "no zip that can", id="checksum"),
    ],
)
def test_what_is_no_set_is_refused(content: bytes, said: str | None) -> None:
    if said is None:
        assert len(unpack(content, "x.zip")["EG301-a.yaml"]) == 4 << 20
    else:
        with pytest.raises(InputError, match=said):
            unpack(content, "x.zip")


def test_a_size_that_is_a_lie_is_refused() -> None:
    real = zipped("EG301-a.yaml", b"0" * 5_000_000)
    lie = real.replace((5_000_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    assert lie != real

    with pytest.raises(InputError, match=r"x\.zip"):
        unpack(lie, "x.zip")


def test_more_files_than_any_set_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_archive, "_MOST_FILES", len(FILES) - 1)
    with pytest.raises(InputError, match="at most 2 are read"):
        unpack(pack(FILES), "x.zip")


def test_an_index_comes_back() -> None:
    assert parse_index(dump_index(INDEX), "x.json") == INDEX


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param({"rules_date": "24.12.2026"}, "rules_date", id="a date in another form"),
        pytest.param({"sha256": "AB" * 32}, "sha256", id="a hash in capitals"),
        pytest.param({"sha256": "ab"}, "sha256", id="half a hash"),
        pytest.param({"url": None}, "url: is missing", id="no URL"),
        pytest.param({"size": 0}, "size: 1 to", id="no size"),
        pytest.param({"size": "100"}, "size: a whole number", id="a size as text"),
    ],
)
def test_a_mistake_in_an_index_is_named(told: dict[str, object], said: str) -> None:
    text = json.dumps(json.loads(dump_index(INDEX)) | told)
    with pytest.raises(InputError) as error:
        parse_index(text, "x.json")
    assert any(said in problem for problem in error.value.problems)


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        pytest.param(2, "upgrade envguard: pipx upgrade conda-envguard", id="newer"),
        pytest.param(0, None, id="older"),
        pytest.param(None, None, id="none"),
    ],
)
def test_another_schema_version_is_told(version: int | None, hint: str | None) -> None:
    text = json.dumps(json.loads(dump_index(INDEX)) | {"schema_version": version})
    with pytest.raises(InputError, match=f"rules of schema version {version}; this") as error:
        parse_index(text, "x.json")
    assert error.value.hint == hint


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, "<html>"])
def test_what_is_no_index_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"x\.json"):
        parse_index(text, "x.json")
