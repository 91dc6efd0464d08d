"""`envguard export` as a process of its own would run it: prefixes, files, formats, proofs."""

from __future__ import annotations

import json
import sys
import tomllib
import venv
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from envguard.cli.main import run
from envguard.errors import InputError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_edit import edited
from tests.channel import write_channel
from tests.pixi_manifest import mistakes
from tests.real_data import DATA, real_data

CORPUS = sorted((DATA / "corpus" / "environments").glob("*.yml"))


def prefix_of(folder: Path, *records: dict[str, object], history: str = "") -> Path:
    """A prefix with conda-meta, a python and nothing else."""
    meta = folder / "conda-meta"
    meta.mkdir(parents=True)
    for record in records:
        whole = {"build": "h0_0", "build_number": 0, "depends": [], "subdir": "linux-64", **record}
        url = f"https://conda.anaconda.org/conda-forge/linux-64/{record['name']}.conda"
        whole.setdefault("url", url)
        (meta / f"{record['name']}-{record['version']}.json").write_text(json.dumps(whole))
    (meta / "history").write_text(history)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").touch()
    return folder


PYTHON = {"name": "python", "version": "3.12.11"}
NUMPY = {"name": "numpy", "version": "1.26.4", "depends": ["python"]}
TORCH = {
    "name": "pytorch",
    "version": "2.2.2",
    "build": "cuda118_py312_h0_300",
    "depends": ["__cuda", "python", "numpy"],
}


def exported(capsys, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["export", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_prefix_says_what_was_asked_for_with_the_bounds_that_are_known(tmp_path, capsys):
    history = "==> 2026-01-01 00:00:00 <==\n# update specs: ['pytorch', 'numpy >=1.24']\n"
    prefix = prefix_of(tmp_path / "train", PYTHON, NUMPY, TORCH, history=history)
    code, out, err = exported(capsys, "-p", str(prefix))
    assert code == 0
    assert yaml.safe_load(out) == {
        "name": "train",
        "channels": ["conda-forge"],
        "dependencies": ["pytorch=2.2.*=*cuda118*", "numpy >=1.24,<2", "python=3.12"],
    }
    assert err == "not proven: nothing was solved again (--prove does)\n"


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ("none", ["pytorch=2.2.*=*cuda118*", "python=3.12"]),
        ("exact", ["pytorch=2.2.2=*cuda118*", "python==3.12.11"]),
    ],
)
def test_versions_are_by_policy(tmp_path, capsys, pin, expected):
    prefix = prefix_of(tmp_path, PYTHON, NUMPY, TORCH)
    _, out, err = exported(capsys, "-p", str(prefix), "--pin", pin)
    assert yaml.safe_load(out)["dependencies"] == expected
    assert "nobody recorded what was asked for" in err


def listing(prefix: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in prefix.rglob("*") if path.is_file()}


def broken_json(prefix: Path) -> None:
    (prefix / "conda-meta" / "numpy-1.26.4.json").write_text('{"name": "numpy",')


def half_installed(prefix: Path) -> None:
    (prefix / "conda-meta" / "numpy-1.26.4.json").unlink()


def without_python(prefix: Path) -> None:
    (prefix / "bin" / "python").unlink()


def marked(prefix: Path) -> None:
    (prefix / "conda-meta" / "envguard-half-installed").write_text("{}")


@pytest.mark.parametrize("format_", ["environment-yml", "explicit", "sbatch"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (marked, "half-installed: `envguard install LOCK -p "),
        (broken_json, "conda-meta/numpy-1.26.4.json: line 1: not JSON"),
        (half_installed, "numpy is not installed, and pytorch needs it"),
        (without_python, "python is recorded as installed, and there is no bin/python"),
    ],
)
def test_a_prefix_that_is_not_whole_is_refused_and_left_alone(
    tmp_path, capsys, damage, said, format_
):
    prefix = prefix_of(tmp_path / "p", PYTHON, NUMPY, TORCH)
    damage(prefix)
    before = listing(prefix)
    options = ["-p", str(prefix), "--format", format_]
    code, out, err = exported(capsys, *options, "-o", str(tmp_path / "e.yml"))
    assert (code, out) == (2, "")
    assert said in err
    assert "--allow incomplete" in err
    assert listing(prefix) == before
    assert not (tmp_path / "e.yml").exists()
    assert exported(capsys, *options, "--allow", "incomplete")[0] == 0


def test_channels_whose_priority_nobody_recorded_are_told(tmp_path, capsys):
    url = "https://conda.anaconda.org/nvidia/linux-64/nccl-2.1-h0_0.conda"
    prefix = prefix_of(tmp_path, PYTHON, NUMPY, {"name": "nccl", "version": "2.1", "url": url})
    _, out, err = exported(capsys, "-p", str(prefix))
    assert yaml.safe_load(out)["channels"] == ["conda-forge", "nvidia"]
    assert "nobody recorded the priority of the channels" in err
    history = prefix / "conda-meta" / "history"
    history.write_text("# cmd: conda create -c nvidia -c conda-forge x\n")
    _, out, err = exported(capsys, "-p", str(prefix))
    assert yaml.safe_load(out)["channels"] == ["nvidia", "conda-forge"]
    assert "nobody recorded the priority" not in err


def test_wheels_that_conda_pypi_installed_are_pip_packages(tmp_path, capsys):
    wheel = {
        "name": "einops",
        "version": "0.8.1",
        "build": "pypi_0",
        "url": "file:///c/einops.conda",
    }
    prefix = prefix_of(tmp_path, PYTHON, {**wheel, "depends": ["python"]})
    _, out, err = exported(capsys, "-p", str(prefix))
    assert yaml.safe_load(out)["dependencies"] == ["python=3.12", "pip", {"pip": ["einops==0.8.*"]}]
    assert "einops: wheels that conda-pypi installed; no channel has them" in err
    _, out, err = exported(capsys, "-p", str(prefix), "--format", "explicit")
    assert "file:///c/einops.conda" not in out
    assert "# Not in this file: pip's einops==0.8.1\n" in out
    assert "einops: wheels that conda-pypi installed; no channel has them" in err


def test_two_packages_that_own_a_file_are_named(tmp_path, capsys):
    files = {"files": ["lib/libx.so", "lib/other"]}
    mkl = {"name": "mkl", "version": "2024.0", "files": ["lib/libx.so"]}
    prefix = prefix_of(tmp_path, PYTHON, {**NUMPY, **files}, mkl)
    code, _, err = exported(capsys, "-p", str(prefix))
    assert code == 0
    assert "mkl and numpy both own lib/libx.so: what is there is of the one that came last" in err
    _, _, err = exported(capsys, "-p", str(prefix), "--format", "explicit")
    assert "mkl and numpy both own lib/libx.so: what is there is of the one that came last" in err


def test_an_environment_file_keeps_its_comments_and_its_order(tmp_path, capsys):
    file = tmp_path / "environment.yml"
    file.write_text(
        "# ours\nname: x\nchannels: [conda-forge, 'https://u:secret@index.example/c']\ndependencies:\n"
        "  - numpy=1.26.4=py312heda63a1_0  # arrays\n  - pytorch=2.7.1=cuda129_mkl_py312_h0_304\n"
        "  - libgcc-ng\nprefix: /home/me/x\n"
    )
    before = file.read_text()
    _, out, err = exported(capsys, str(file))
    assert out == (
        "# ours\nname: x\nchannels: [conda-forge, 'https://index.example/c']\ndependencies:\n"
        "  - numpy=1.26  # arrays\n  - pytorch=2.7.*=*cuda129*\n"
        "  - libgcc-ng  # [linux]\n"
    )
    assert (
        "behind a selector that conda-lock and envguard read, conda does not: libgcc-ng [linux]"
        in err
    )
    assert file.read_text() == before


def test_a_byte_order_mark_stays_also_where_its_line_is_edited(tmp_path, capsys):
    file, out = tmp_path / "environment.yml", tmp_path / "new.yml"
    file.write_bytes("\ufeffdependencies: [numpy=1.26.4=py312heda63a1_0]  # ä\r\n".encode())
    for _ in range(2):
        exported(capsys, str(file), "-o", str(out))
        assert out.read_bytes() == "\ufeffdependencies: [numpy=1.26]  # ä\r\n".encode()
        file = out


def test_a_read_only_file_is_not_written_over(tmp_path, capsys):
    out = tmp_path / "environment.yml"
    out.write_text("mine\n")
    out.chmod(0o444)
    prefix = prefix_of(tmp_path / "p", PYTHON)
    code, _, err = exported(capsys, "-p", str(prefix), "-o", str(out))
    assert code == 4
    assert f"{out} is read-only, and stays as it is" in err
    assert out.read_text() == "mine\n"


def test_an_environment_without_packages_says_so(tmp_path, capsys):
    venv.create(tmp_path / "v", with_pip=False)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    code, out, err = exported(capsys, str(tmp_path / "v"))
    assert code == 0
    assert yaml.safe_load(out)["dependencies"] == [f"python={version}"]
    assert "no package is installed there" in err
    site = next((tmp_path / "v" / "lib").glob("python*/site-packages"))
    (site / "pip-25.0.dist-info").mkdir()
    (site / "pip-25.0.dist-info" / "METADATA").write_text("Name: pip\nVersion: 25.0\n")
    _, out, err = exported(capsys, str(tmp_path / "v"), "--format", "requirements")
    assert out == f"# for python={version}\n"
    assert err.endswith("not proven: nothing was solved again (--prove does)\n")
    assert "nothing is there but what a virtual environment begins with" in err
    (site / "pip-25.0.dist-info" / "METADATA").unlink()
    (site / "pip-25.0.dist-info").rmdir()
    code, out, err = exported(capsys, str(tmp_path / "v"), "--format", "env")
    assert (code, yaml.safe_load(out)["dependencies"]) == (0, [])
    assert f"no package is installed there; Python {version}" in err


def test_a_folder_that_is_installed_for_editing_is_a_requirement_that_pip_reads(tmp_path, capsys):
    venv.create(tmp_path / "v", with_pip=False)
    site = next((tmp_path / "v" / "lib").glob("python*/site-packages"))
    info = site / "own_proj-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: own-proj\nVersion: 1.0\n")
    (info / "REQUESTED").touch()
    folder = tmp_path / "proj"
    origin = {"url": folder.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(origin))
    _, out, _ = exported(capsys, str(tmp_path / "v"), "--format", "env")
    [line] = yaml.safe_load(out)["dependencies"][0]["pip"]
    assert Requirement(line).url == folder.as_uri()
    _, out, err = exported(capsys, str(tmp_path / "v"), "--format", "pixi-toml")
    assert mistakes(tomllib.loads(out)) == []
    assert "called proj, after its folder; pixi wants the project's name" in err


def test_what_is_made_of_a_prefix_does_not_speak_of_a_lock(tmp_path, capsys):
    prefix = prefix_of(tmp_path / "my env", PYTHON, NUMPY)
    _, out, _ = exported(capsys, "-p", str(prefix), "--format", "sbatch")
    assert "from what is installed" in out
    assert "lock" not in out
    assert f"envguard check '{prefix}' --for here || exit 1" in out


def test_a_clean_file_becomes_a_pixi_toml(tmp_path, capsys):
    file = tmp_path / "environment.yml"
    file.write_text(
        "name: x\nchannels: [conda-forge, defaults, nodefaults]\nplatforms: [linux-64, osx-arm64]\n"
        "dependencies:\n- python=3.12\n- pytorch=2.7.*=*cuda129*  # [linux]\n"
        "- nvidia::nccl  # [linux]\n- pip\n"
        "- pip:\n  - --extra-index-url https://index.example/simple\n  - einops==0.8.1\n"
        "  - a[x] @ git+https://index.example/a.git@abc123\n  - -e ./own\n"
        "  - git+https://index.example/b.git@v1#egg=b[y]&subdirectory=src\nvariables:\n  A: 'b'\n"
    )
    code, out, _ = exported(capsys, str(file), "--format", "pixi-toml")
    assert code == 0
    assert tomllib.loads(out) == {
        "workspace": {
            "name": "x",
            "channels": [
                "conda-forge",
                "https://repo.anaconda.com/pkgs/main",
                "https://repo.anaconda.com/pkgs/r",
                "nvidia",
            ],
            "platforms": ["linux-64", "osx-arm64"],
        },
        "system-requirements": {"cuda": "12"},
        "dependencies": {"python": "3.12.*", "pip": "*"},
        "target": {
            "linux-64": {
                "dependencies": {
                    "pytorch": {"version": "2.7.*", "build": "*cuda129*"},
                    "nccl": {"version": "*", "channel": "nvidia"},
                }
            }
        },
        "pypi-options": {"extra-index-urls": ["https://index.example/simple"]},
        "pypi-dependencies": {
            "einops": "==0.8.1",
            "a": {"git": "https://index.example/a.git", "rev": "abc123", "extras": ["x"]},
            "own": {"path": "./own", "editable": True},
            "b": {
                "git": "https://index.example/b.git",
                "rev": "v1",
                "subdirectory": "src",
                "extras": ["y"],
            },
        },
        "activation": {"env": {"A": "b"}},
    }


SECRETS = """\
channels: ["https://u:hunter2@index.example/t/hunter2/ch", conda-forge]
dependencies:
  - https://u:hunter2@index.example/t/hunter2/ch/linux-64/numpy-1.0-0.conda
  - https://u:hunter2@index.example/ch::scipy
  - pip
  - pip:
    - --extra-index-url https://u:hunter2@index.example/simple
    - a @ https://u:hunter2@index.example/a-1-py3-none-any.whl
    - git+https://u:hunter2@index.example/b.git#egg=b
variables: {API_TOKEN: hunter2}
"""


@pytest.mark.parametrize("format_", ["environment-yml", "pixi-toml", "requirements"])
def test_no_place_of_a_file_keeps_credentials(tmp_path, capsys, format_):
    file = tmp_path / "environment.yml"
    file.write_text(SECRETS)
    code, out, err = exported(capsys, str(file), "--format", format_)
    assert code == 0
    assert "index.example" in out
    assert "hunter2" not in out + err


def test_what_a_pixi_toml_has_another_place_for_or_none(tmp_path, capsys):
    file = tmp_path / "environment.yml"
    file.write_text(
        "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies:\n"
        "- https://index.example/ch/linux-64/zlib-1.0-0.conda#0123456789abcdef0123456789abcdef\n"
        "- conda-forge/noarch::tzdata\n- pkgs/main::mkl\n- pytorch=1.2=*cuda92*\n- 'scipy[build_number=3]'\n"
        "- pip:\n  - PyYAML\n  - -e ./own[x]\n  - --find-links ./wheels\n  - git+https://index.example/c.git\n"
    )
    _, out, err = exported(capsys, str(file), "--format", "pixi-toml")
    manifest = tomllib.loads(out)
    assert mistakes(manifest) == []
    assert manifest["workspace"]["channels"] == [
        "conda-forge",
        "https://repo.anaconda.com/pkgs/main",
    ]
    assert manifest["system-requirements"] == {"cuda": "9"}
    assert manifest["dependencies"] == {
        "zlib": {
            "url": "https://index.example/ch/linux-64/zlib-1.0-0.conda",
            "md5": "0123456789abcdef0123456789abcdef",
        },
        "tzdata": {"version": "*", "channel": "conda-forge", "subdir": "noarch"},
        "mkl": {"version": "*", "channel": "https://repo.anaconda.com/pkgs/main"},
        "pytorch": {"version": "==1.2", "build": "*cuda92*"},
        "scipy": "*",
        "python": "*",
        "pip": "*",
    }
    assert manifest["pypi-dependencies"]["own"]["extras"] == ["x"]
    assert manifest["pypi-options"] == {"find-links": [{"path": "./wheels"}]}
    assert "scipy[build_number=3]: left out of the pixi.toml: build_number" in err
    assert "write `NAME @ git+https://index.example/c.git`" in err


def test_every_file_of_the_corpus_becomes_a_pixi_toml_that_is_sound():
    from envguard import api

    real_data("corpus")
    made = 0
    for path in CORPUS:
        try:
            text = api.export(str(path), format_="pixi-toml").text
        except InputError:
            continue
        made += 1
        assert mistakes(tomllib.loads(text)) == [], path.name
    assert made > 0.85 * len(CORPUS)


def test_exact_formats_are_refused_for_a_file_that_names_no_exact_packages(tmp_path, capsys):
    file = tmp_path / "environment.yml"
    file.write_text("dependencies: [numpy]\n")
    code, out, err = exported(capsys, str(file), "--format", "cyclonedx")
    assert (code, out) == (2, "")
    assert "lock it first" in err


@pytest.fixture
def locked(tmp_path, monkeypatch) -> tuple[Path, list[str]]:
    """A lock for an A100 from the small channel, and the options that find the channel again."""
    channel = write_channel(tmp_path / "channel")
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("environment.yml").write_text(
        "channels: [conda-forge]\ndependencies:\n- pytorch\n- numpy\n"
    )
    options = ["--mirror", f"conda-forge={channel.as_uri()}", "--no-condarc"]
    machine = ["--for", "linux-64:a100,driver=570.124.06"]
    assert run(["lock", *machine, *options]) == 0
    return Path("conda-lock.yml"), options


def test_an_export_that_solves_to_the_same_is_proven_and_nothing_is_written(locked, capsys):
    lock, options = locked
    before = sorted(Path().iterdir())
    code, out, err = exported(capsys, str(lock), "--prove", *options)
    assert code == 0
    assert "*cuda" in out
    assert (
        "proven     linux-64: 3 packages that are named, and the choice of the GPU: the same" in err
    )
    assert sorted(Path().iterdir()) == before


def test_a_card_with_any_driver_is_proven_as_it_was_locked(locked, capsys):
    """The lock records the card; which CUDA its drivers know is found out again."""
    lock, options = locked
    assert run(["lock", "--for", "linux-64:a100", *options]) == 0
    code, _, err = exported(capsys, str(lock), "--prove", *options)
    assert code == 0, err
    assert "the choice of the GPU: the same" in err


def test_only_the_platforms_that_are_named_are_proven(locked, capsys):
    lock, options = locked
    machines = ["--for", "linux-64:a100", "--for", "linux-aarch64:cpu"]
    Path("environment.yml").write_text("channels: [conda-forge]\ndependencies:\n- numpy\n")
    assert run(["lock", *machines, *options]) == 0
    _, _, err = exported(capsys, str(lock), "--prove", *options)
    assert "proven     linux-64" in err
    assert "proven     linux-aarch64" in err
    _, _, err = exported(capsys, str(lock), "--prove", "--for", "linux-aarch64:cpu", *options)
    assert "proven     linux-64" not in err
    assert "proven     linux-aarch64" in err


def test_what_is_to_be_typed_again_is_export(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ENVGUARD_CACHE_DIR", str(tmp_path / "cache"))
    prefix = prefix_of(tmp_path / "my env", PYTHON, NUMPY, TORCH)
    code, out, err = exported(capsys, "-p", str(prefix), "--prove", "--offline")
    if code != 2:
        pytest.skip("this machine has a GPU")
    assert out == ""
    assert f"envguard export '{prefix}' --prove --for 4090" in err


def test_an_export_that_does_not_solve_there_is_no_proof(locked, capsys):
    lock, options = locked
    code, out, err = exported(capsys, str(lock), "--prove", "--for", "linux-64:cpu", *options)
    assert (code, out) == (1, "")
    assert "cannot be installed, whatever the other lines say: 'pytorch=2.10.*=*cuda129*'" in err
    assert "solves (tried): a machine with an NVIDIA driver" in err
    code, out, err = exported(capsys, str(lock), "--prove", "--for", "win-64:a100", *options)
    assert (code, out) == (2, "")


@pytest.mark.parametrize("options", [[], ["--pin", "none", "--defaults", "urls"]])
def test_every_file_of_the_corpus_is_cleaned_once_and_for_all(options):
    """No crash, every spec is a MatchSpec, no package is lost, and a second time changes nothing."""
    from envguard.adapters import rules
    from envguard.cleaning import clean_file
    from envguard.model.cleaning import Pin, Policy
    from envguard.model.conda import parse_match_spec

    real_data("corpus")
    knowledge = rules.load()
    policy = Policy(Pin.NONE, "urls") if options else Policy()
    tables = {"pypi_names": knowledge.pypi_names, "one_platform": knowledge.one_platform}
    read = 0
    for path in CORPUS:
        text = path.read_text(errors="replace")
        try:
            environment = parse_environment(text, path.name)
        except InputError:
            continue
        read += 1
        found = parse_environment(
            edited(text, environment, clean_file(environment, policy, **tables)), path.name
        )
        asked = {parse_match_spec(line.spec).name for line in environment.dependencies}
        kept = {parse_match_spec(line.spec).name for line in found.dependencies}
        assert asked <= kept, path.name
        pip = {line.spec for line in environment.pip} - {line.spec for line in found.pip}
        assert all(not set("=<>@[-") & set(line) or "://" in line for line in pip), path.name
        assert clean_file(found, policy, **tables).empty, path.name
    assert read > 0.85 * len(CORPUS)
