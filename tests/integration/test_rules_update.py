"""`envguard rules update` against a server: newer rules whole, or what was there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envguard import api
from envguard.adapters import rules, rules_store
from envguard.adapters.rule_sets import RulesOnDisk
from envguard.cli.main import run
from envguard.formats.rules import rules_archive
from envguard.model.rule_archive import RulesFrom
from tests.real_data import serving
from tests.schemas import mistakes

SHIPPED = rules.rules_directory()
NEWER, NEWEST = "2026-12-24", "2027-02-03"
A_RULE = "EG301-mkl-2024.1-pytorch-channel.yaml"
Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of this test alone."""
    monkeypatch.setenv(rules_store.DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.delenv(api.ruling.RULES_URL_VARIABLE, raising=False)
    rules.forget()
    yield tmp_path / "data"
    rules.forget()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def of_day(day: str, change: Callable[[Files], object] = lambda _: None) -> Files:
    """The shipped files, with one rule that is of another day and is titled so."""
    files = RulesOnDisk(SHIPPED).files()
    rule = files[A_RULE].decode()
    date = next(line for line in rule.splitlines() if line.startswith("date:"))
    title = next(line for line in rule.splitlines() if line.startswith("title:"))
    rule = rule.replace(date, f"date: '{day}'").replace(title, f"title: as of {day}")
    files[A_RULE] = rule.encode()
    change(files)
    return files


def publish(site: Path, files: Files, day: str, **told: object) -> None:
    """The archive and its index; `told` is what the index says otherwise."""
    content = rules_archive.pack(files)
    (site / "rules.zip").write_bytes(content)
    archive = rules_archive.archive_of(content, date=day, url="rules.zip")
    index = json.loads(rules_archive.dump_index(archive)) | told
    (site / "rules.json").write_text(json.dumps(index))


def update(site: Path, *options: str) -> int:
    with serving(site) as url:
        return run(["rules", "update", "--url", f"{url}/rules.json", *options])


def titles() -> set[str]:
    rules.forget()
    return {rule.title for rule in api.list_rules()}


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_newer_rules_are_in_use_afterwards(
    site: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(site, of_day(NEWER), NEWER)

    assert update(site) == 0
    assert f"the rules of {NEWER} are in use" in capsys.readouterr().out
    assert f"as of {NEWER}" in titles()
    told = api.rules_in_use()
    assert (told.date, told.origin, told.problem) == (NEWER, RulesFrom.UPDATE, None)
    assert Path(told.path).parent == data / "rules-v1"
    assert api.rules_date() == NEWER
    assert run(["rules", "list"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"rules of {NEWER}, by `envguard rules update`: {told.path}"


def test_what_was_downloaded_knows_the_same_compiled_and_parsed(site: Path, data: Path) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    compiled = rules.load()
    (path,) = (data / "rules-v1").glob("?" * 64 + ".json")
    path.unlink()
    rules.forget()

    assert rules.load() == compiled
    assert compiled != RulesOnDisk(SHIPPED).load()


def test_every_verb_asks_them(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    (tmp_path / "frozen.txt").write_text("requests==2.30.0\nurllib3==2.0.0\n")
    capsys.readouterr()

    run(["check", str(tmp_path / "frozen.txt"), "--for", "cpu"])
    assert f"rules of {NEWER}" in capsys.readouterr().out.splitlines()[-1]
    assert run(["why", "EG301"]) == 0
    assert f"as of {NEWER}" in capsys.readouterr().out
    assert run(["why", "EG101"]) == 0  # explained by a file of the archive
    assert "driver" in capsys.readouterr().out


def test_the_list_as_json_says_which_set_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "list", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert mistakes("rules-list", document) == []
    assert document["in_use"]["origin"] == "shipped"
    assert document["in_use"]["date"] == document["tool"]["rules_date"] == api.rules_date()
    assert len(document["rules"]) == len(rules.load().rules)


def test_a_dry_run_writes_nothing(
    site: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(site, of_day(NEWER), NEWER)

    assert update(site, "--dry-run") == 0
    assert f"would put the rules of {NEWER} in use" in capsys.readouterr().out
    assert not data.exists()


def test_the_same_rules_are_nothing_newer(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == update(site) == 0
    assert "nothing newer" in capsys.readouterr().out.splitlines()[-1]
    publish(site, of_day(NEWER, lambda files: files.update(moved(files))), NEWER)
    assert update(site) == 0
    assert "are in use" in capsys.readouterr().out.splitlines()[-1]


def moved(files: Files) -> Files:
    return {A_RULE: files[A_RULE] + b"# corrected on the same day\n"}


def test_older_rules_are_refused_unless_they_are_wanted(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(site, of_day(NEWEST), NEWEST)
    assert update(site) == 0
    publish(site, of_day(NEWER), NEWER)

    assert update(site) == 2
    assert "--allow-older" in capsys.readouterr().err
    assert f"as of {NEWEST}" in titles()
    assert update(site, "--allow-older") == 0
    assert f"as of {NEWER}" in titles()


def test_rules_older_than_the_shipped_ones_are_never_used(
    site: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(site, of_day("2020-01-01"), "2020-01-01")

    assert update(site, "--allow-older") == 2
    assert "no newer than those that came with envguard" in capsys.readouterr().err
    assert not data.exists()


def test_a_newer_envguard_is_not_held_back_by_what_was_downloaded(site: Path, data: Path) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    path = data / "rules-v1" / "current.json"
    path.write_text(path.read_text().replace(NEWER, api.ruling.rules_date()[:4] + "-01-01"))
    rules.forget()

    assert rules.in_use().origin is RulesFrom.SHIPPED
    assert rules.in_use().problem is None


def test_only_the_last_two_sets_stay(site: Path, data: Path) -> None:
    for day in (NEWER, "2027-01-01", "2027-01-02", NEWEST):
        publish(site, of_day(day), day)
        assert update(site) == 0

    kept = list((data / "rules-v1").iterdir())
    assert len([path for path in kept if path.suffix == ".zip"]) == 2
    assert len(kept) == 5  # each with its compiled form, and current.json
    assert f"as of {NEWEST}" in titles()


def without(part: str) -> Callable[[Files], object]:
    return lambda files: [files.pop(name) for name in list(files) if name.startswith(part)]


def broken(name: str, content: bytes) -> Callable[[Files], object]:
    return lambda files: files.update({name: content})


BAD: list[object] = [
    pytest.param(broken("tables/gpus.yaml", b"gpus: ["), {}, "gpus.yaml", id="no YAML"),
    pytest.param(broken(A_RULE, b"id: EG301\n"), {}, "mistake", id="a rule that lacks all"),
    pytest.param(broken("EG998-x.yaml", b"\xff"), {}, "not UTF-8", id="no text"),
    pytest.param(broken("checks/EG101-x.yaml", b"a: 1"), {}, "mistake", id="an explanation"),
    pytest.param(without("tables/driver_floors"), {}, "it has no driver_floors", id="no floors"),
    pytest.param(without("EG"), {}, "it has no rules", id="no rules"),
    pytest.param(lambda _: None, {"rules_date": NEWEST}, "its index says", id="another date"),
    pytest.param(lambda _: None, {"sha256": "0" * 64}, "sha256 expected 0000", id="another hash"),
    pytest.param(lambda _: None, {"size": 100}, "has more than 100 bytes", id="another size"),
    pytest.param(lambda _: None, {"size": 1 << 40}, "size: 1 to 16", id="far too large"),
    pytest.param(lambda _: None, {"sha256": None}, "sha256", id="no hash"),
    pytest.param(lambda _: None, {"schema_version": 2}, "schema version 2", id="a newer schema"),
    pytest.param(lambda _: None, {"url": "missing.zip"}, "HTTP 404", id="no archive"),
]


@pytest.mark.parametrize(("change", "told", "said"), BAD)
def test_what_is_not_whole_changes_nothing(
    site: Path,
    data: Path,
    change: Callable[[Files], object],
    told: dict[str, object],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    before = everything_in(data)
    day = "2026-12-25"
    publish(site, of_day(day, change), day, **told)
    capsys.readouterr()

    assert update(site) == 4
    assert said in capsys.readouterr().err
    assert everything_in(data) == before
    assert f"as of {NEWER}" in titles()


def test_an_example_that_does_not_hold_refuses_the_set(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = of_day(NEWER)
    files[A_RULE] = files[A_RULE].replace(b"finds: 'no'", b"finds: 'yes'", 1)
    publish(site, files, NEWER)

    assert update(site) == 4
    assert "EG301: example 2 finds 'no', and says 'yes'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("rules.zip", b"changed", "sha256 is another", id="the archive was changed"),
        pytest.param("rules.zip", None, "could not be read", id="the archive is gone"),
        pytest.param("current.json", b"{", "not JSON", id="what names it is damaged"),
    ],
)
def test_a_set_that_broke_later_is_not_used_and_that_is_said(
    site: Path,
    data: Path,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    path = next((data / "rules-v1").glob("*.zip" if name == "rules.zip" else name))
    path.unlink() if content is None else path.write_bytes(content)
    rules.forget()
    (tmp_path / "frozen.txt").write_text("requests==2.30.0\nurllib3==2.0.0\n")
    capsys.readouterr()

    code = run(["check", str(tmp_path / "frozen.txt"), "--for", "cpu", "--allow", "unknown"])
    told = capsys.readouterr()
    assert code == 0
    assert len(told.err.splitlines()) == 1
    assert "the downloaded rules are broken" in told.err
    assert said in told.err
    assert f"rules of {RulesOnDisk(SHIPPED).load().date}" in told.out.splitlines()[-1]
    assert update(site) == 0  # the next update mends it
    assert f"as of {NEWER}" in titles()


def test_offline_is_told_and_nothing_changes(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rules", "update", "--url", "http://127.0.0.1:9/rules.json"]) == 4
    assert "hint: nothing was changed; check the network" in capsys.readouterr().err
    assert not data.exists()


def test_the_environment_names_another_index(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(site, of_day(NEWER), NEWER)
    with serving(site) as url:
        monkeypatch.setenv("ENVGUARD_RULES_URL", f"{url}/rules.json")
        assert run(["rules", "update"]) == 0
    assert f"as of {NEWER}" in titles()


def test_what_is_packed_can_be_taken_and_is_the_same_each_time(
    site: Path, data: Path, tmp_path: Path
) -> None:
    publish(site, of_day(NEWER), NEWER)
    assert update(site) == 0
    (tmp_path / "a").mkdir()
    for folder in ("a", "made/b"):
        assert run(["rules", "pack", "-o", str(tmp_path / folder)]) == 0
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "made" / "b").iterdir())
    ]
    with zipfile.ZipFile(tmp_path / "a" / f"rules-v1-{NEWER}.zip") as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == of_day(NEWER)
    for path in (data / "rules-v1").iterdir():
        path.unlink()
    rules.forget()
    with serving(tmp_path / "a") as url:
        assert run(["rules", "update", "--url", f"{url}/rules-v1.json"]) == 0
    assert f"as of {NEWER}" in titles()


def test_a_folder_that_cannot_be_written_is_told(
    site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(rules_store.DATA_VARIABLE, str(tmp_path / "file" / "data"))
    publish(site, of_day(NEWER), NEWER)

    assert update(site) == 4
    assert "ENVGUARD_DATA_DIR" in capsys.readouterr().err
