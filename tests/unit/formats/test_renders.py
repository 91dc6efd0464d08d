"""Locks in the formats of other tools: what each file says, and what it says it does not."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
import yaml
from packaging.markers import Marker
from packaging.pylock import Pylock, is_valid_pylock_path

from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.listings import parse_listing
from envguard.formats.renders import render
from envguard.formats.renders.install_order import install_order
from envguard.model.lockfile import LockedPackage, LockedTarget, Lockfile, LockRequest
from envguard.model.machine import Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.rendering import OF_THE_CONTRACT, Rendered, RenderKind
from envguard.model.subdir import SUBDIRS, environment_marker
from envguard.model.target import Target

CHANNEL = "https://conda.anaconda.org/conda-forge"
COMMIT = "f337da0f5c24af44eb982d7c39fe81e9bc1d5017"


def conda(name: str, *depends: str, subdir: str = "linux-64", **values: object) -> PackageRecord:
    record = PackageRecord(
        name,
        "1.0",
        build="h0_0",
        build_number=0,
        channel="conda-forge",
        subdir=subdir,
        depends=depends,
        url=f"{CHANNEL}/{subdir}/{name}-1.0-h0_0.conda",
        sha256="ab" * 32,
        md5="cd" * 16,
    )
    return replace(record, **values)


def pip(name: str, url: str, sha256: str | None = "ef" * 32, **values: object) -> PackageRecord:
    return PackageRecord(name, "0.8.0", Manager.PIP, url=url, sha256=sha256, **values)


PYTHON = conda("python", "pip", version="3.12.11")
EINOPS = pip("einops", "https://u:secret@index.example/einops-0.8.0-py3-none-any.whl?sig=secret")
SDIST = pip("warmup_scheduler", "https://index.example/warmup_scheduler-0.8.0.tar.gz")
GIT = pip("concepts", f"git+https://tok@github.com/a/b.git@{COMMIT}", sha256="0" * 64)
BARE = pip("bare", "https://index.example/bare-0.8.0-py3-none-any.whl", sha256=None)


def lock(*records: PackageRecord, platforms: tuple[str, ...] = ("linux-64",)) -> Lockfile:
    return Lockfile(
        platforms=platforms,
        channels=("conda-forge",),
        packages=tuple(LockedPackage(r, p) for p in platforms for r in records),
    )


def only(lockfile: Lockfile, kind: RenderKind) -> Rendered:
    [rendered] = render(lockfile, kind)
    return rendered


def urls(rendered: Rendered) -> list[str]:
    return [line for line in rendered.text.splitlines() if line.startswith("https://")]


# all of them

OF_PACKAGES = [kind for kind in RenderKind if kind not in OF_THE_CONTRACT]


@pytest.mark.parametrize("kind", OF_PACKAGES)
def test_no_credential_is_written(kind):
    rendered = only(lock(PYTHON, EINOPS, GIT), kind)
    assert "secret" not in rendered.text + " ".join(rendered.notes)
    assert "tok@" not in rendered.text


@pytest.mark.parametrize("kind", OF_PACKAGES)
def test_the_order_of_packages_does_not_change_the_bytes(kind):
    records = (PYTHON, conda("zlib"), conda("numpy", "zlib"), EINOPS, SDIST)
    assert only(lock(*records), kind) == only(lock(*records[::-1]), kind)


@pytest.mark.parametrize("kind", list(RenderKind))
def test_a_platform_that_is_not_locked_is_refused(kind):
    with pytest.raises(InputError, match="no packages for win-64: it is locked for linux-64"):
        render(lock(PYTHON), kind, platforms=("win-64",))


@pytest.mark.parametrize("kind", [kind for kind in OF_PACKAGES if kind is not RenderKind.PIXI])
def test_packages_of_another_category_are_told(kind):
    dev = LockedPackage(conda("pytest"), "linux-64", category="dev", optional=True)
    rendered = only(replace(lock(PYTHON), packages=(*lock(PYTHON).packages, dev)), kind)
    assert "pytest" not in rendered.text
    assert "linux-64: left out: 1 package of category dev" in rendered.notes


@pytest.mark.parametrize(
    ("kind", "lock_name", "name"),
    [
        (RenderKind.EXPLICIT, "conda-lock.yml", "conda-linux-64.lock"),
        (RenderKind.ENV, "conda-lock.yml", "conda-linux-64.lock.yml"),
        (RenderKind.REQUIREMENTS, "conda-lock.yml", "requirements-linux-64.txt"),
        (RenderKind.PYLOCK, "conda-lock.yml", "pylock.linux-64.toml"),
        (RenderKind.EXPLICIT, "conda-lock.a100.yml", "conda-a100-linux-64.lock"),
        (RenderKind.PYLOCK, "x.y.conda-lock.yml", "pylock.x-y-linux-64.toml"),
        (RenderKind.ENV, "gpu.yaml", "conda-gpu-linux-64.lock.yml"),
    ],
)
def test_files_are_named_as_their_tools_look_for_them(kind, lock_name, name):
    assert Rendered(kind, "linux-64", "").file_name(lock_name) == name


def test_all_platforms_are_in_one_pixi_lock():
    rendered = only(lock(PYTHON, platforms=("linux-64", "win-64")), RenderKind.PIXI)
    assert rendered.file_name("conda-lock.yml") == "pixi.lock"
    assert rendered.file_name("conda-lock.a100.yml") == "a100-pixi.lock"


# explicit


def test_an_explicit_file_has_the_sha256_and_else_the_md5():
    records = (conda("a"), conda("b", sha256=None), conda("c", sha256=None, md5=None))
    rendered = only(lock(*records), RenderKind.EXPLICIT)
    tails = [url.rpartition(".conda")[2] for url in urls(rendered)]
    assert tails == ["#" + "ab" * 32, "#" + "cd" * 16, ""]
    assert rendered.notes == (
        "linux-64: no hash is known, so nothing checks the download of c 1.0",
    )


def test_pip_packages_of_an_explicit_file_are_told_in_it_and_beside_it():
    rendered = only(lock(PYTHON, EINOPS), RenderKind.EXPLICIT)
    assert "# Not in this file: pip's einops==0.8.0\n" in rendered.text
    assert "1 pip package left out (einops 0.8.0)" in rendered.notes[0]


@pytest.mark.parametrize(
    ("records", "order"),
    [
        pytest.param(
            (conda("a", "z >=1"), conda("z", "m"), conda("m")), ["m", "z", "a"], id="chain"
        ),
        pytest.param((conda("b"), conda("a")), ["a", "b"], id="by name"),
        pytest.param((conda("a", "b"), conda("b", "a")), ["b", "a"], id="cycle"),
        pytest.param((conda("a", "gone", "__cuda"),), ["a"], id="what is not there"),
        pytest.param(
            (PYTHON, conda("pip", "python"), conda("aiohttp", "python")),
            ["python", "aiohttp", "pip"],
            id="python before pip, whoever comes first",
        ),
    ],
)
def test_dependencies_come_first(records, order):
    assert [record.name for record in install_order(records)] == order
    assert [record.name for record in install_order(records[::-1])] == order


def test_a_chain_of_ten_thousand_is_ordered():
    records = [conda(f"p{n:05}", f"p{n + 1:05}") for n in range(10_000)]
    assert [r.name for r in install_order(records)] == [r.name for r in reversed(records)]


# env


def test_an_environment_names_version_and_build():
    request = LockRequest("train", variables={"A": "b"})
    rendered = only(replace(lock(PYTHON, EINOPS, GIT), request=request), RenderKind.ENV)
    environment = parse_environment(rendered.text, "conda-linux-64.lock.yml")
    assert environment.name == "train"
    assert environment.channels == ("conda-forge", "nodefaults")
    assert [d.spec for d in environment.dependencies] == ["python=3.12.11=h0_0"]
    assert [d.spec for d in environment.pip] == [
        f"concepts @ git+https://github.com/a/b.git@{COMMIT}",
        f"einops @ https://index.example/einops-0.8.0-py3-none-any.whl#sha256={'ef' * 32}",
    ]
    assert environment.variables == {"A": "b"}


def test_packages_of_several_channels_name_theirs():
    records = (PYTHON, conda("mkl", channel="pkgs/main"))
    lockfile = replace(lock(*records), channels=("conda-forge", "defaults"))
    environment = parse_environment(only(lockfile, RenderKind.ENV).text, "e.yml")
    assert environment.channels == ("conda-forge", "defaults")
    assert [d.spec for d in environment.dependencies] == [
        "pkgs/main::mkl=1.0=h0_0",
        "conda-forge::python=3.12.11=h0_0",
    ]


# requirements


def test_requirements_name_the_very_files_with_their_hashes():
    rendered = only(lock(PYTHON, EINOPS, SDIST), RenderKind.REQUIREMENTS)
    [listing] = parse_listing(rendered.text, "requirements-linux-64.txt") or ()
    assert [(r.name, r.version, r.sha256) for r in listing.records[None]] == [
        ("einops", "0.8.0", "ef" * 32),
        ("warmup_scheduler", "0.8.0", "ef" * 32),
    ]
    assert listing.complete
    assert "--require-hashes" in rendered.text
    assert rendered.notes == ("linux-64: not in it: 1 conda package",)


def test_what_has_no_hash_is_named_and_hashes_are_not_required():
    rendered = only(lock(PYTHON, EINOPS, GIT, BARE), RenderKind.REQUIREMENTS)
    assert rendered.notes[1] == "linux-64: no sha256 can be given for bare 0.8.0, concepts 0.8.0"
    assert "--require-hashes" not in rendered.text
    assert "0" * 64 not in rendered.text  # a commit has no hash, whatever a lock says


def test_the_folder_of_a_source_tree_stays_in_its_url():
    record = replace(SDIST, url=f"{SDIST.url}#subdirectory=python")
    text = only(lock(record), RenderKind.REQUIREMENTS).text
    assert f".tar.gz#subdirectory=python&sha256={'ef' * 32}\n" in text


@pytest.mark.parametrize("kind", [RenderKind.REQUIREMENTS, RenderKind.PYLOCK])
def test_without_pip_packages_there_is_nothing_and_it_is_said(kind):
    rendered = only(lock(PYTHON), kind)
    assert rendered.notes == ("linux-64: no pip package is locked, so there is nothing in it",)


# pylock


def test_a_pylock_is_what_the_standard_says():
    subtree = replace(SDIST, name="tree", url=f"{SDIST.url}#subdirectory=python")
    records = (PYTHON, EINOPS, SDIST, GIT, subtree)
    rendered = only(lock(*records), RenderKind.PYLOCK)
    document = tomllib.loads(rendered.text)
    locked = Pylock.from_dict(document)  # raises for what PEP 751 does not allow
    assert [p.name for p in locked.packages] == ["concepts", "einops", "tree", "warmup-scheduler"]
    git, wheel, tree, sdist = locked.packages
    assert (git.vcs.commit_id, git.vcs.url, git.version) == (
        COMMIT,
        "https://github.com/a/b.git",
        None,
    )
    assert wheel.wheels[0].hashes == {"sha256": "ef" * 32}
    assert (tree.archive.subdirectory, sdist.sdist.filename) == (
        "python",
        "warmup_scheduler-0.8.0.tar.gz",
    )
    assert str(locked.requires_python) == "==3.12.*"
    assert is_valid_pylock_path(rendered_path(rendered))


def rendered_path(rendered: Rendered):
    from pathlib import Path

    return Path(rendered.file_name("conda-lock.yml"))


def test_a_pylock_leaves_out_what_has_no_hash_and_says_so():
    rendered = only(lock(PYTHON, EINOPS, BARE), RenderKind.PYLOCK)
    assert [p["name"] for p in tomllib.loads(rendered.text)["packages"]] == ["einops"]
    assert rendered.notes[1] == (
        "linux-64: a pylock.toml wants a hash of each file: left out bare 0.8.0"
    )


def test_an_empty_pylock_is_valid():
    assert not Pylock.from_dict(tomllib.loads(only(lock(PYTHON), RenderKind.PYLOCK).text)).packages


@pytest.mark.parametrize("subdir", SUBDIRS)
def test_the_marker_of_a_platform_holds_on_that_one_alone(subdir):
    system = {"linux": "linux", "osx": "darwin", "win": "win32"}
    machines = {
        "linux-64": "x86_64",
        "osx-64": "x86_64",
        "win-64": "AMD64",
        "osx-arm64": "arm64",
        "win-arm64": "ARM64",
    }
    here = {
        name: {
            "sys_platform": system[name.partition("-")[0]],
            "platform_machine": machines.get(name, name.partition("-")[2]),
        }
        for name in SUBDIRS
    }
    marker = Marker(environment_marker(subdir) or "")
    assert [name for name in SUBDIRS if marker.evaluate(here[name])] == [subdir]


def test_a_platform_without_a_marker_has_none():
    assert environment_marker("linux-riscv64") is None
    rendered = only(lock(EINOPS, platforms=("linux-riscv64",)), RenderKind.PYLOCK)
    assert "environments" not in tomllib.loads(rendered.text)


# pixi


def test_a_pixi_lock_has_platforms_with_their_virtual_packages():
    target = LockedTarget(Target("a100", Machine("linux-64")), ("__glibc=2.28=0", "__cuda=12.8=0"))
    lockfile = replace(lock(PYTHON, platforms=("win-64", "linux-64")), targets=(target,))
    assert yaml.safe_load(only(lockfile, RenderKind.PIXI).text)["platforms"] == [
        {"name": "linux-64", "virtual-packages": ["__cuda=12.8=0", "__glibc=2.28=0"]},
        {"name": "win-64"},
    ]


def test_a_pixi_lock_has_an_environment_for_each_category():
    dev = LockedPackage(conda("pytest"), "linux-64", category="dev", optional=True)
    lockfile = replace(lock(PYTHON), packages=(*lock(PYTHON).packages, dev))
    listings = parse_listing(only(lockfile, RenderKind.PIXI).text, "pixi.lock") or ()
    assert {one.name: [r.name for r in one.records["linux-64"]] for one in listings} == {
        "default": ["python"],
        "dev": ["pytest", "python"],
    }


def test_requirements_of_pip_packages_are_put_as_pixi_reads_them():
    record = replace(EINOPS, depends=("numpy >=1.2,<3", "torch *", "odd ^1.2 || 3"))
    [entry] = yaml.safe_load(only(lock(record), RenderKind.PIXI).text)["packages"]
    assert entry["requires_dist"] == ["numpy<3,>=1.2", "torch", "odd"]


@pytest.mark.parametrize(
    ("record", "notes"),
    [
        (BARE, ("no hash can be given for bare 0.8.0",)),
        (conda("c", sha256=None, md5=None), ("no hash can be given for c 1.0",)),
        (conda("c", sha256=None), ()),
        (GIT, ()),
    ],
    ids=["pip without", "conda without", "conda with md5", "a commit is one"],
)
def test_a_pixi_lock_tells_what_nothing_checks(record, notes):
    assert only(lock(record), RenderKind.PIXI).notes == notes
