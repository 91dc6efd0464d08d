"""The pip section, locked by real uv from indexes, repositories and folders that are made here."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from envguard.adapters.pip.resolver import UvPipResolver
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.model.package import PackageRecord
from envguard.ports.pip import IndexRoute, PipRequest
from tests.real_data import serving
from tests.wheels import make_index, make_project, make_repository, make_source, make_wheel

TORCH = PackageRecord("pytorch", "2.7.1", build="cuda129_0", depends=("python >=3.12",))
Resolve = Callable[..., tuple[PackageRecord, ...]]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """No index and no links but those of the lines."""
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder of the environment.yml."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def resolve(here: Path) -> Resolve:
    """Resolves lines without any index, but for those that the lines name."""

    def run(*lines: str, **kwargs: object) -> tuple[PackageRecord, ...]:
        names = {option for line in lines for option in line.split()[:1]}
        if not names & {"--index-url", "-i"}:
            lines = ("--no-index", *lines)
        request = PipRequest("linux-64", "3.12.11", lines, directory=here, **kwargs)
        return UvPipResolver(pypi_names={"pytorch": "torch"}).resolve([request])[0]

    return run


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index with einops 0.7.0, 0.8.0 and 0.9.0rc1."""
    made = [make_wheel(tmp_path / "made", "einops", v) for v in ("0.7.0", "0.8.0", "0.9.0rc1")]
    make_index(tmp_path / "index", *made)
    with serving(tmp_path / "index") as url:
        yield url


def versions(records: tuple[PackageRecord, ...]) -> dict[str, str]:
    return {record.name: record.version for record in records}


def test_a_repository_is_locked_at_its_commit_without_a_hash(resolve, tmp_path):
    project = make_project(tmp_path / "repo", "mine", "1.0")
    commit = make_repository(project)
    [record] = resolve(f"mine @ git+{project.as_uri()}@main")
    assert record.url == f"git+{project.as_uri()}@{commit}"
    assert (record.version, record.sha256, record.md5) == ("1.0", None, None)


def test_a_repository_without_a_name_and_with_a_subdirectory(resolve, tmp_path):
    project = make_project(tmp_path / "repo" / "python", "mine", "1.0")
    commit = make_repository(project.parent)
    [record] = resolve(f"git+{project.parent.as_uri()}@main#subdirectory=python")
    assert record.url == f"git+{project.parent.as_uri()}@{commit}#subdirectory=python"
    assert record.name == "mine"


def test_a_branch_that_is_not_there_is_the_users(resolve, tmp_path):
    project = make_project(tmp_path / "repo", "mine", "1.0")
    make_repository(project)
    with pytest.raises(InputError, match="no branch, tag or commit 'nowhere'"):
        resolve(f"mine @ git+{project.as_uri()}@nowhere")


@pytest.mark.parametrize(
    ("line", "fragment"),
    [("./src", ""), ("-e ./src", "#editable=true"), ("mine @ file:src", "")],
)
def test_a_folder_is_recorded_as_one(resolve, here, line, fragment):
    project = make_project(here / "src", "mine", "1.0")
    [record] = resolve(line)
    assert record.url == project.as_uri() + fragment
    assert (record.name, record.version, record.sha256) == ("mine", "1.0", None)


@pytest.mark.parametrize("line", ["./src", "-e ./src"])
def test_what_only_a_build_tells_runs_no_code_unasked(resolve, here, line):
    project = make_project(here / "src", "mine", "1.0", static=False)
    with pytest.raises(InputError, match=r"only a build tells what .*(mine|src)") as caught:
        resolve(line)
    assert "--allow build" in caught.value.hint
    assert not (project / "built").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("only-source", "no wheel of only-source 2.0 is for linux-64, python 3.12.11"),
        ("wants-source", "no wheel of only-source 2.0 (needed by wants-source) is for"),
    ],
)
def test_a_package_without_a_wheel_is_one_sentence_and_the_users_choice(
    resolve, tmp_path, line, told
):
    wanting = make_wheel(tmp_path / "made", "wants-source", "1.0", requires=["only-source"])
    make_index(tmp_path / "index", wanting, make_source(tmp_path / "made", "only-source", "2.0"))
    with serving(tmp_path / "index") as url, pytest.raises(InputError) as caught:
        resolve(f"--index-url {url}", line)
    assert told in caught.value.message
    assert "\n" not in caught.value.message
    assert "--allow build" in caught.value.hint


def test_a_conflict_beside_a_package_without_a_wheel_keeps_the_words_of_uv(resolve, tmp_path):
    made = [
        make_wheel(tmp_path / "made", "a", "1.0", requires=["c<2"]),
        make_wheel(tmp_path / "made", "b", "1.0", requires=["c>=2"]),
        make_wheel(tmp_path / "made", "c", "1.0"),
        make_wheel(tmp_path / "made", "c", "2.0"),
    ]
    make_index(tmp_path / "index", *made, make_source(tmp_path / "made", "c", "3.0"))
    with serving(tmp_path / "index") as url, pytest.raises(UnsatisfiableError) as caught:
        resolve(f"--index-url {url}", "a", "b")
    assert "incompatible" in caught.value.message


def test_a_build_that_was_allowed_runs(resolve, tmp_path):
    project = make_project(tmp_path / "repo", "mine", "1.0", static=False)
    make_repository(project)
    [record] = resolve(f"mine @ git+{project.as_uri()}@main", build=True)
    assert (record.name, record.version) == ("mine", "1.0")


def test_pre_releases_are_taken_where_they_are_asked_for(resolve, index, here):
    assert versions(resolve(f"--index-url {index}", "einops")) == {"einops": "0.8.0"}
    assert versions(resolve(f"--index-url {index}", "--pre", "einops")) == {"einops": "0.9.0rc1"}
    (here / "req.txt").write_text("--pre\neinops\n")
    assert versions(resolve(f"--index-url {index}", "-r req.txt")) == {"einops": "0.9.0rc1"}


def test_constraints_hold(resolve, index, here):
    (here / "cap.txt").write_text("einops<0.8\n")
    found = resolve(f"--index-url {index}", "-c cap.txt", "einops")
    assert versions(found) == {"einops": "0.7.0"}


def test_the_best_version_of_all_indexes_is_taken_as_pip_does(resolve, index, tmp_path):
    make_index(tmp_path / "other", make_wheel(tmp_path / "made", "einops", "0.7.5"))
    with serving(tmp_path / "other") as other:
        found = resolve(f"--index-url {index}", f"--extra-index-url {other}", "einops")
    assert versions(found) == {"einops": "0.8.0"}


def test_markers_are_those_of_the_target(resolve, index):
    lines = (f"--index-url {index}", "einops==0.7.0 ; sys_platform == 'win32'")
    assert resolve(*lines) == ()


def test_extras_bring_what_they_need(resolve, index, tmp_path):
    wheel = make_wheel(tmp_path / "w", "plus", "1.0", requires=["einops ; extra == 'all'"])
    found = resolve(f"--index-url {index}", f"plus[all] @ {wheel.as_uri()}")
    assert versions(found) == {"einops": "0.8.0", "plus": "1.0"}


def test_a_file_with_another_hash_than_its_line_allows_is_not_locked(resolve, index, tmp_path):
    wheel = tmp_path / "index" / "files" / "einops-0.8.0-py3-none-any.whl"
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    [record] = resolve(f"--index-url {index}", f"einops==0.8.0 --hash=sha256:{sha256}")
    assert record.sha256 == sha256
    with pytest.raises(UnsatisfiableError, match="with a sha256 that its line allows"):
        resolve(f"--index-url {index}", f"einops==0.8.0 --hash=sha256:{'0' * 64}")


def test_what_pip_would_replace_is_named_with_who_wants_it(resolve, index, tmp_path):
    make_index(
        tmp_path / "index",
        make_wheel(tmp_path / "made", "torch", "2.4.0"),
        make_wheel(tmp_path / "made", "needs-old", "1.0", requires=["torch<2.5"]),
    )
    with pytest.raises(UnsatisfiableError) as caught:
        resolve(f"--index-url {index}", "needs-old", provided=(TORCH,))
    assert caught.value.message == (
        "pip would replace what conda provides: torch 2.4.0 over conda's pytorch 2.7.1 cuda129_0, "
        "for needs-old"
    )
    with pytest.raises(UnsatisfiableError, match=r"for `torch==2\.4\.0`"):
        resolve(f"--index-url {index}", "torch==2.4.0", provided=(TORCH,))


def test_a_distribution_in_the_package_cache_tells_its_own_name(tmp_path, index):
    record = PackageRecord("py-thing", "5", build="0", depends=("python",))
    info = tmp_path / "pkgs" / "py-thing-5-0" / "site-packages" / "einops-0.7.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: einops\nVersion: 0.7.0\n")
    request = PipRequest("linux-64", "3.12.11", (f"--index-url {index}", "einops"), (record,))
    resolver = UvPipResolver(pypi_names={}, package_cache=tmp_path / "pkgs")
    assert resolver.resolve([request]) == ((),)
    [[found]] = UvPipResolver(pypi_names={}).resolve([request])
    assert found.version == "0.8.0"


class _Guarded(SimpleHTTPRequestHandler):
    """Answers only who says me:sesame-77."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_head(self):  # type: ignore[no-untyped-def]
        wanted = "Basic " + base64.b64encode(b"me:sesame-77").decode()
        if self.headers.get("Authorization") == wanted:
            return super().send_head()
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.end_headers()
        return None


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """HOST:PORT of an index that wants a credential."""
    make_index(tmp_path / "guarded", make_wheel(tmp_path / "made", "private", "1.0"))
    with serving(tmp_path / "guarded", _Guarded) as url:
        yield url.removeprefix("http://")


@pytest.mark.parametrize(
    "lines",
    [
        ["--index-url http://${EG_USER}:${EG_TOKEN}@HOST", "private"],
        ["private @ http://${EG_USER}:${EG_TOKEN}@HOST/files/private-1.0-py3-none-any.whl"],
    ],
    ids=["an index", "a direct URL"],
)
def test_a_variable_is_used_and_written_as_a_variable(resolve, guarded, monkeypatch, lines):
    monkeypatch.setenv("EG_USER", "me")
    monkeypatch.setenv("EG_TOKEN", "sesame-77")
    [record] = resolve(*(line.replace("HOST", guarded) for line in lines))
    assert record.url == (
        f"http://${{EG_USER}}:${{EG_TOKEN}}@{guarded}/files/private-1.0-py3-none-any.whl"
    )


def test_a_wrong_credential_names_the_index_and_shows_no_secret(resolve, guarded, monkeypatch):
    monkeypatch.setenv("EG_TOKEN", "wrong-secret")
    with pytest.raises(UnavailableError, match="refused the credential") as caught:
        resolve(f"--index-url http://me:${{EG_TOKEN}}@{guarded}", "private")
    assert guarded in caught.value.message
    assert ".netrc" in caught.value.hint
    assert "wrong-secret" not in caught.value.message + caught.value.hint


def test_a_variable_that_is_not_set_is_named(resolve, monkeypatch):
    monkeypatch.delenv("EG_TOKEN", raising=False)
    with pytest.raises(InputError, match="names the variable EG_TOKEN") as caught:
        resolve("--index-url https://${EG_TOKEN}@index.example/simple", "private")
    assert caught.value.hint == "export EG_TOKEN=..."


def test_an_index_that_is_not_there_is_the_outside(resolve, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(UnavailableError, match="did not answer"):
        resolve("--index-url http://127.0.0.1:9/simple", "einops")


def test_a_requirements_file_elsewhere_that_does_not_answer_is_the_outside(resolve, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(UnavailableError, match="did not answer"):
        resolve("-r http://127.0.0.1:9/req.txt")


def test_a_repository_needs_git_and_says_so(resolve, tmp_path, monkeypatch):
    project = make_project(tmp_path / "repo", "mine", "1.0")
    make_repository(project)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="needs git, and there is none here"):
        resolve(f"mine @ git+{project.as_uri()}@main")


def test_options_that_no_lock_can_keep_are_refused_together(resolve):
    with pytest.raises(InputError) as caught:
        resolve("--no-deps", "einops --global-option=x")
    assert len(caught.value.problems) == 2


def test_a_route_takes_its_package_from_its_own_index(index, tmp_path):
    make_index(tmp_path / "cu", make_wheel(tmp_path / "made", "torch", "2.9.1+cu126"))
    with serving(tmp_path) as url:
        canonical = "https://download.pytorch.org/whl"
        request = PipRequest("linux-64", "3.12.11", (f"--index-url {index}", "einops", "torch"))
        routed = replace(request, routes=(IndexRoute("torch", f"{canonical}/cu", ">=2.6"),))
        resolver = UvPipResolver(pypi_names={}, mirrors={canonical: url})
        [records] = resolver.resolve([routed])
    assert versions(records) == {"einops": "0.8.0", "torch": "2.9.1+cu126"}
    [torch] = (record for record in records if record.name == "torch")
    assert torch.url.startswith(f"{canonical}/cu/files/torch-2.9.1")
