"""What every PipResolver promises: the fake's wheels are nobody's, uv's are made here."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envguard.adapters.pip.resolver import UvPipResolver
from envguard.errors import EnvguardError, InputError, UnavailableError, UnsatisfiableError
from envguard.model.package import Manager, PackageRecord
from envguard.ports.pip import PipRequest
from tests.fakes import FakePipResolver
from tests.wheels import make_wheel


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, "einops", "0.8.0")
    make_wheel(folder, "smplx", "0.1", requires=["torch>=2.0"])
    make_wheel(folder, "needs_old", "1.0", requires=["torch<2"])
    make_wheel(folder, "torch", "9.9")
    make_wheel(folder, "only_win", "1.0", tag="cp312-cp312-win_amd64")
    make_wheel(folder, "both", "1.0", tag="cp312-cp312-manylinux_2_17_x86_64")
    make_wheel(folder, "both", "1.0", tag="cp312-cp312-manylinux_2_28_x86_64")
    return folder


def pip_request(
    wheels: Path, *lines: str, subdir: str = "linux-64", **kwargs: object
) -> PipRequest:
    return PipRequest(
        subdir=subdir,
        python_version="3.12.11",
        lines=("--no-index", f"--find-links {wheels}", *lines),
        **kwargs,
    )


@pytest.fixture(params=["fake", "uv"])
def resolve(request, wheels):
    """Resolves lines beside conda's records."""
    resolver = (
        FakePipResolver()
        if request.param == "fake"
        else UvPipResolver(pypi_names={"pytorch": "torch"})
    )
    return lambda *lines, **kwargs: resolver.resolve([pip_request(wheels, *lines, **kwargs)])[0]


@pytest.fixture
def resolve_uv(wheels):
    resolver = UvPipResolver(pypi_names={"pytorch": "torch"})
    return lambda *lines, **kwargs: resolver.resolve([pip_request(wheels, *lines, **kwargs)])[0]


TORCH = PackageRecord("pytorch", "2.7.1", depends=("python >=3.12",))


def test_a_package_has_its_url_and_its_hash(resolve):
    [record] = resolve("einops==0.8.0")
    assert (record.name, record.version, record.manager) == ("einops", "0.8.0", Manager.PIP)
    assert record.url.endswith("einops-0.8.0-py3-none-any.whl")
    assert len(record.sha256) == 64


def test_what_has_no_solution_is_an_answer_for_the_user(resolve):
    with pytest.raises(UnsatisfiableError, match="the pip section cannot be locked"):
        resolve("no-such-distribution")


def test_what_conda_provides_is_neither_locked_again_nor_replaced(resolve_uv):
    assert [r.name for r in resolve_uv("smplx", provided=(TORCH,))] == ["smplx"]


def test_a_conflict_with_what_conda_provides_is_told(resolve_uv):
    with pytest.raises(UnsatisfiableError, match=r"torch.*2"):
        resolve_uv("needs_old", provided=(TORCH,))


def test_the_best_wheel_of_the_platform_is_taken(resolve_uv):
    [record] = resolve_uv("both", glibc="2.28")
    assert "manylinux_2_28" in record.url
    [record] = resolve_uv("both", glibc="2.17")
    assert "manylinux_2_17" in record.url
    [record] = resolve_uv("only_win", subdir="win-64")
    assert record.url.endswith("win_amd64.whl")


def test_a_wheel_of_another_platform_is_no_solution(resolve_uv):
    with pytest.raises(UnsatisfiableError):
        resolve_uv("only_win")


def test_a_source_distribution_is_not_built_here(resolve_uv, wheels):
    import tarfile

    marker = wheels.parent / "ran"
    setup = wheels.parent / "setup.py"
    setup.write_text(f"open({str(marker)!r}, 'w')")
    info = wheels.parent / "PKG-INFO"
    info.write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    with tarfile.open(wheels / "evil-1.0.tar.gz", "w:gz") as archive:
        archive.add(setup, "evil-1.0/setup.py")
        archive.add(info, "evil-1.0/PKG-INFO")

    with pytest.raises(InputError, match=r"no wheel of evil 1\.0 .* nothing is built from source"):
        resolve_uv("evil")
    assert not marker.exists()


def test_a_wheel_beside_the_file_is_locked_by_its_own_url(resolve_uv, wheels):
    [record] = resolve_uv("./einops-0.8.0-py3-none-any.whl", directory=wheels)
    assert record.url == (wheels / "einops-0.8.0-py3-none-any.whl").as_uri()
    assert (record.name, record.version) == ("einops", "0.8.0")


def test_a_wheel_in_a_folder_called_stubs_is_locked(resolve_uv, wheels):
    (wheels / "stubs").mkdir()
    wheel = make_wheel(wheels / "stubs", "mine", "1.0")
    [record] = resolve_uv(f"./stubs/{wheel.name}", directory=wheels)
    assert record.url == wheel.as_uri()


def test_a_requirements_file_is_the_one_beside_the_environment(resolve_uv, wheels):
    (wheels / "req.txt").write_text("einops\n")
    assert [r.name for r in resolve_uv("-r req.txt", directory=wheels)] == ["einops"]
    with pytest.raises(InputError, match=r"nowhere\.txt"):
        resolve_uv("-r nowhere.txt", directory=wheels)


def test_what_is_not_cached_is_no_answer_when_offline():
    resolver = UvPipResolver(pypi_names={}, offline=True)
    request = PipRequest(
        "linux-64", "3.12.11", ("no-such-package-eg", "--index-url https://index.example/simple")
    )
    with pytest.raises(UnavailableError, match="not in the cache") as caught:
        resolver.resolve([request])
    assert "without --offline" in caught.value.hint


def test_requests_are_answered_in_their_order(wheels):
    requests = [pip_request(wheels, name) for name in ("einops", "torch")]
    found = UvPipResolver(pypi_names={}).resolve(requests)
    assert [[r.name for r in records] for records in found] == [["einops"], ["torch"]]


def test_one_that_fails_ends_the_others(wheels):
    started = time.monotonic()
    with silent_index() as url:
        waits = PipRequest("linux-64", "3.12.11", ("einops", f"--index-url {url}"))
        with pytest.raises(UnsatisfiableError):
            UvPipResolver(pypi_names={}).resolve(
                [pip_request(wheels, "no-such-distribution"), waits]
            )
    assert time.monotonic() - started < 10


@contextmanager
def silent_index() -> Iterator[str]:
    """An index that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


def test_a_line_that_is_no_requirement_is_the_users(resolve_uv):
    with pytest.raises(InputError, match="foo=="):
        resolve_uv("foo==")


def test_no_scratch_folder_stays_and_none_is_named(resolve_uv, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(EnvguardError) as caught:
        resolve_uv("no-such-distribution")
    assert str(tmp_path / "tmp") not in caught.value.message
    assert list((tmp_path / "tmp").glob("envguard-*")) == []
