"""What is installed, read from files alone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.adapters.prefixes.find import place_for
from envguard.adapters.prefixes.reader import PrefixReaderOnDisk, find_prefix
from envguard.errors import InputError
from envguard.model.package import Manager

FORGE = "https://conda.anaconda.org/conda-forge/linux-64"


@pytest.fixture
def reader(tmp_path: Path) -> PrefixReaderOnDisk:
    return PrefixReaderOnDisk({"HOME": str(tmp_path / "home")})


def add_record(prefix: Path, name: str, version: str = "1.0", **more: object) -> None:
    meta = prefix / "conda-meta"
    meta.mkdir(parents=True, exist_ok=True)
    entry = {
        "name": name,
        "version": version,
        "build": "h1_0",
        "build_number": 0,
        "subdir": "linux-64",
        "url": f"{FORGE}/{name}-{version}-h1_0.conda",
        "depends": [],
        **more,
    }
    (meta / f"{name}-{version}-h1_0.json").write_text(json.dumps(entry, indent=2))


def add_distribution(site: Path, name: str, version: str, files: Mapping[str, str]) -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: numpy>=1\n\n"
        "Name: not-a-header\n"
    )
    for path, text in files.items():
        (info / path).write_text(text)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A conda prefix with python 3.12 and a site-packages folder."""
    path = tmp_path / "train"
    add_record(path, "python", "3.12.4")
    (path / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    (path / "bin").mkdir()
    (path / "bin" / "python").write_text("")
    return path


def site_of(prefix: Path) -> Path:
    return prefix / "lib" / "python3.12" / "site-packages"


def test_a_conda_record_keeps_what_was_installed(prefix: Path, reader: PrefixReaderOnDisk) -> None:
    add_record(prefix, "numpy", "2.1", depends=["python >=3.12"], constrains=["x <1"], size=7)
    installed = reader.read(prefix)
    numpy = next(record for record in installed.records if record.name == "numpy")
    assert (numpy.version, numpy.build, numpy.channel) == ("2.1", "h1_0", "conda-forge")
    assert (numpy.depends, numpy.constrains, numpy.size_bytes) == (("python >=3.12",), ("x <1",), 7)
    assert (installed.kind, installed.subdir) == ("prefix", "linux-64")
    assert (installed.python, installed.python_version) == (prefix / "bin" / "python", "3.12.4")


@pytest.mark.parametrize(
    ("noted", "channel", "url"),
    [
        pytest.param(
            {"url": "https://me:pw@host.example/t/tk-123/team/linux-64/x-1.0-h1_0.conda"},
            "https://host.example/team",
            "https://host.example/team/linux-64/x-1.0-h1_0.conda",
            id="password and token in the URL",
        ),
        pytest.param(
            {"url": None, "channel": "https://conda.anaconda.org/conda-forge/linux-64"},
            "conda-forge",
            None,
            id="only the channel field, with subdir",
        ),
        pytest.param({"url": None, "channel": "pytorch"}, "pytorch", None, id="a short name"),
        pytest.param({"url": None}, None, None, id="nobody noted it"),
        pytest.param(
            {"url": "https://repo.anaconda.com/pkgs/main/linux-64/x-1.0-h1_0.conda"},
            "pkgs/main",
            "https://repo.anaconda.com/pkgs/main/linux-64/x-1.0-h1_0.conda",
            id="main",
        ),
    ],
)
def test_the_channel_has_its_short_name_and_no_credentials(
    prefix: Path,
    reader: PrefixReaderOnDisk,
    noted: dict[str, object],
    channel: str | None,
    url: str | None,
) -> None:
    add_record(prefix, "x", **noted)
    record = next(record for record in reader.read(prefix).records if record.name == "x")
    assert (record.channel, record.url) == (channel, url)


def test_long_file_lists_with_brackets_in_names_are_read(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    paths = ["share/a[1].txt", 'share/b"],.txt', "share/c.txt"]
    add_record(
        prefix,
        "odd",
        files=paths,
        paths_data={"paths": [{"_path": path} for path in paths], "paths_version": 1},
        version="3.0",
    )
    installed = reader.read(prefix)
    assert installed.problems == ()
    assert "odd 3.0 h1_0" in [record.label for record in installed.records]


def test_a_broken_record_is_told_and_the_others_count(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    (prefix / "conda-meta" / "cut-1.0-h1_0.json").write_text('{"name": "cut",\n "vers')
    (prefix / "conda-meta" / "bare-1.0-h1_0.json").write_text('{"name": "bare"}')
    (prefix / "conda-meta" / "list-1.0-h1_0.json").write_text("[]")
    (prefix / "conda-meta" / "nested-1.0-h1_0.json").write_text("[" * 100_000)
    installed = reader.read(prefix)
    assert [record.name for record in installed.records] == ["python"]
    bare, cut, listed, nested = installed.problems
    assert nested.startswith("conda-meta/nested-1.0-h1_0.json: ")
    assert bare == "conda-meta/bare-1.0-h1_0.json: has no 'version'"
    assert cut.startswith("conda-meta/cut-1.0-h1_0.json: line 2: not JSON")
    assert listed == "conda-meta/list-1.0-h1_0.json: not a JSON object"


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param("", None, id="empty: nobody recorded it"),
        pytest.param(
            "# update specs: ['python=3.12', 'numpy>=1.24']\n",
            ("python=3.12", "numpy>=1.24"),
            id="conda",
        ),
        pytest.param(
            '# update specs: ["python=3.12","numpy"]\n', ("python=3.12", "numpy"), id="mamba"
        ),
        pytest.param(
            "# update specs: ['numpy=1']\n# update specs: ['numpy=2']\n",
            ("numpy=2",),
            id="the newest wins",
        ),
        pytest.param(
            "# update specs: ['python', 'numpy']\n# remove specs: ['numpy']\n",
            ("python",),
            id="removed",
        ),
        pytest.param("# update specs: ['gone=1']\n", None, id="no longer installed"),
        pytest.param(
            "# update specs: ['https://me:pw@host.example/t/tk-1/team::numpy']\n",
            ("https://host.example/team::numpy",),
            id="credentials in a channel",
        ),
    ],
)
def test_what_was_asked_for_is_in_the_history(
    prefix: Path, reader: PrefixReaderOnDisk, history: str, expected: tuple[str, ...] | None
) -> None:
    add_record(prefix, "numpy", "2.1")
    (prefix / "conda-meta" / "history").write_text(history)
    assert reader.read(prefix).requested == expected


def test_what_was_asked_for_is_in_the_records_where_there_is_no_history(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    add_record(prefix, "numpy", "2.1", requested_spec="None", requested_specs=["numpy >=2"])
    add_record(prefix, "zlib", "1.3", requested_spec="None")
    assert reader.read(prefix).requested == ("numpy >=2",)


def test_channels_come_in_the_order_of_the_command_line(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    add_record(prefix, "pytorch", url="https://conda.anaconda.org/pytorch/linux-64/p.conda")
    add_record(prefix, "numpy", "2.1")
    (prefix / "conda-meta" / "history").write_text(
        "# cmd: /opt/conda/bin/conda create -n x -c pytorch --channel=conda-forge -c unused pytorch\n"
    )
    found = reader.read(prefix)
    assert (found.channels, found.channels_told) == (("pytorch", "conda-forge"), True)


def test_channels_that_nobody_told_are_by_number_and_that_is_known(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    add_record(prefix, "numpy", "2.1")
    add_record(prefix, "scipy", "1.1")
    assert reader.read(prefix).channels_told
    add_record(prefix, "pytorch", url="https://conda.anaconda.org/pytorch/linux-64/p.conda")
    history = prefix / "conda-meta" / "history"
    for command in ("conda env create -f environment.yml", "conda create -c conda-forge numpy"):
        history.write_text(f"# cmd: {command}\n")
        found = reader.read(prefix)
        assert (found.channels, found.channels_told) == (("conda-forge", "pytorch"), False)


def test_defaults_on_a_command_line_are_the_channels_they_stand_for(
    prefix: Path, reader: PrefixReaderOnDisk
) -> None:
    add_record(prefix, "python", url="https://repo.anaconda.com/pkgs/main/linux-64/p.conda")
    add_record(prefix, "numpy", "2.1")
    add_record(prefix, "scipy", "1.1")
    history = prefix / "conda-meta" / "history"
    history.write_text("# cmd: conda create -c defaults -c conda-forge python\n")
    assert reader.read(prefix).channels == ("pkgs/main", "conda-forge")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('["pytorch", "conda-forge"]', ("pytorch", "conda-forge")),
        ('["conda-forge", "pytorch"]', ("conda-forge", "pytorch")),
        ('["pytorch", ', ("conda-forge", "pytorch")),
        ('{"a": 1}', ("conda-forge", "pytorch")),
    ],
)
def test_an_installation_from_a_lock_tells_the_priority_of_its_channels(
    prefix: Path, reader: PrefixReaderOnDisk, line: str, expected: tuple[str, ...]
) -> None:
    add_record(prefix, "pytorch", url="https://conda.anaconda.org/pytorch/linux-64/p.conda")
    add_record(prefix, "numpy", "2.1")
    add_record(prefix, "scipy", "1.1")
    (prefix / "conda-meta" / "history").write_text(f"# envguard channels: {line}\n")
    assert reader.read(prefix).channels == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(None, None, id="no file"),
        pytest.param(
            '{"env_vars": {"A": "1", "B": "***unset***"}}', {"A": "1"}, id="set and unset"
        ),
        pytest.param('{"version": 1}', {}, id="none set"),
    ],
)
def test_variables_are_those_of_conda_env_config_vars(
    prefix: Path, reader: PrefixReaderOnDisk, state: str | None, expected: dict[str, str] | None
) -> None:
    if state is not None:
        (prefix / "conda-meta" / "state").write_text(state)
    assert reader.read(prefix).variables == expected


def test_pip_packages_are_told_from_condas(prefix: Path, reader: PrefixReaderOnDisk) -> None:
    site = site_of(prefix)
    add_distribution(site, "From_Pip", "1.0", {"INSTALLER": "pip\n", "REQUESTED": ""})
    add_distribution(site, "dep", "2.0", {"INSTALLER": "uv"})
    add_distribution(site, "by-conda", "1.0", {"INSTALLER": "conda\n"})
    add_distribution(site, "listed", "1.0", {})
    files = ["lib/python3.12/site-packages/listed-1.0.dist-info/METADATA", "bin/listed"]
    add_record(prefix, "listed", files=files)
    installed = reader.read(prefix)
    pip = [record for record in installed.records if record.manager is Manager.PIP]
    assert {(r.name, r.version, r.depends) for r in pip} == {
        ("from-pip", "1.0", ("numpy>=1",)),
        ("dep", "2.0", ("numpy>=1",)),
    }
    assert installed.pip_requested == ("from-pip",)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param(
            {
                "url": "https://me:tok@host.example/x.git",
                "vcs_info": {"vcs": "git", "commit_id": "ab"},
            },
            "git+https://host.example/x.git@ab",
            id="git with a token",
        ),
        pytest.param(
            {"url": "ssh://git@host.example/x.git", "vcs_info": {"vcs": "git", "commit_id": "ab"}},
            "git+ssh://git@host.example/x.git@ab",
            id="the git user of ssh stays",
        ),
        pytest.param(
            {"url": "https://host.example/x-1.whl?sig=secret", "archive_info": {}},
            "https://host.example/x-1.whl",
            id="a signed URL",
        ),
        pytest.param(
            {"url": "file:///src/x", "dir_info": {"editable": True}}, "-e /src/x", id="editable"
        ),
        pytest.param({"url": "file:///src/x", "dir_info": {}}, "file:///src/x", id="a folder"),
        pytest.param(
            {
                "url": "https://host.example/x.git",
                "vcs_info": {"commit_id": "ab"},
                "subdirectory": "py",
            },
            "git+https://host.example/x.git@ab#subdirectory=py",
            id="a folder of a repository",
        ),
    ],
)
def test_where_a_pip_package_came_from(
    prefix: Path, reader: PrefixReaderOnDisk, told: dict[str, object], expected: str
) -> None:
    add_distribution(site_of(prefix), "x", "1.0", {"direct_url.json": json.dumps(told)})
    assert reader.read(prefix).pip_origins == {"x": expected}


def test_broken_distributions_are_told(prefix: Path, reader: PrefixReaderOnDisk) -> None:
    (site_of(prefix) / "empty-1.0.dist-info").mkdir()
    for name, told in (("x", "{"), ("y", "[" * 100_000), ("z", "[]")):
        add_distribution(site_of(prefix), name, "1.0", {"direct_url.json": told})
    empty, *others = reader.read(prefix).problems
    assert empty.startswith("site-packages/empty-1.0.dist-info: could not be read")
    assert [problem.partition(":")[0] for problem in others] == [
        f"site-packages/{name}-1.0.dist-info" for name in "xyz"
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, ("shadow",), id="seen"),
        pytest.param({"PYTHONNOUSERSITE": "1"}, (), id="switched off"),
    ],
)
def test_the_user_site_of_that_python_is_read(
    prefix: Path, tmp_path: Path, more: dict[str, str], expected: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    add_distribution(home / ".local/lib/python3.12/site-packages", "shadow", "1.0", {})
    add_distribution(home / ".local/lib/python3.11/site-packages", "other", "1.0", {})
    installed = PrefixReaderOnDisk({"HOME": str(home), **more}).read(prefix)
    assert installed.user_site is not None
    assert tuple(record.name for record in installed.user_site) == expected


def make_venv(path: Path, *, home: Path, system: bool) -> Path:
    add_distribution(path / "lib/python3.12/site-packages", "mine", "1.0", {"REQUESTED": ""})
    (path / "pyvenv.cfg").write_text(
        f"home = {home}\nimplementation = CPython\nversion_info = 3.12.4.final.0\n"
        f"include-system-site-packages = {str(system).lower()}\n"
    )
    return path


@pytest.mark.parametrize(
    ("system", "names"),
    [
        pytest.param(False, ["mine"], id="by itself"),
        pytest.param(True, ["mine", "python", "numpy"], id="over a conda prefix"),
    ],
)
def test_a_virtual_environment_sees_its_base_only_when_told(
    prefix: Path, tmp_path: Path, reader: PrefixReaderOnDisk, system: bool, names: list[str]
) -> None:
    add_record(prefix, "numpy", "2.1")
    installed = reader.read(make_venv(tmp_path / "venv", home=prefix / "bin", system=system))
    assert (installed.kind, installed.python_version) == ("venv", "3.12.4")
    assert sorted(record.name for record in installed.records) == sorted(names)
    assert installed.requested is None
    assert installed.pip_requested == ("mine",)


def test_a_folder_that_is_neither_is_refused(tmp_path: Path, reader: PrefixReaderOnDisk) -> None:
    with pytest.raises(InputError, match="neither a conda prefix"):
        reader.read(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        reader.read(tmp_path / "nothing")


def test_three_hundred_packages_are_read_quickly(
    tmp_path: Path, reader: PrefixReaderOnDisk
) -> None:
    prefix = tmp_path / "big"
    for number in range(300):
        files = [f"lib/python3.12/site-packages/p{number}/m{i}.py" for i in range(150)]
        paths = [{"_path": path, "sha256": "a" * 64, "size_in_bytes": 1} for path in files]
        more: dict[str, object] = {
            "files": files,
            "paths_data": {"paths": paths, "paths_version": 1},
        }
        add_record(prefix, f"p{number}", **more)
    before = time.process_time()
    assert len(reader.read(prefix).records) == 300
    assert time.process_time() - before < 0.5  # 0.03 s where it was written


class TestFindPrefix:
    """`-n NAME`, as conda finds it."""

    @pytest.mark.parametrize(
        ("folder", "variables"),
        [
            pytest.param("miniforge3/envs/train", {}, id="an installation in the home folder"),
            pytest.param(
                "shared/train", {"CONDA_ENVS_PATH": "{home}/shared"}, id="CONDA_ENVS_PATH"
            ),
            pytest.param("c/envs/train", {"CONDA_EXE": "{home}/c/bin/conda"}, id="CONDA_EXE"),
            pytest.param("c/envs/train", {"CONDA_PREFIX": "{home}/c/envs/other"}, id="a sibling"),
            pytest.param("m/envs/train", {"MAMBA_ROOT_PREFIX": "{home}/m"}, id="micromamba"),
        ],
    )
    def test_an_environment_is_found(
        self, tmp_path: Path, folder: str, variables: dict[str, str]
    ) -> None:
        add_record(tmp_path / folder, "python")
        told = {key: value.format(home=tmp_path) for key, value in variables.items()}
        assert find_prefix("train", {"HOME": str(tmp_path), **told}) == tmp_path / folder

    def test_what_conda_registered_is_found(self, tmp_path: Path) -> None:
        add_record(tmp_path / "odd" / "place" / "train", "python")
        (tmp_path / ".conda").mkdir()
        (tmp_path / ".conda" / "environments.txt").write_text(f"{tmp_path}/odd/place/train\n")
        assert find_prefix("train", {"HOME": str(tmp_path)}) == tmp_path / "odd/place/train"

    def test_the_first_place_wins(self, tmp_path: Path) -> None:
        add_record(tmp_path / "miniforge3/envs/train", "python")
        add_record(tmp_path / "shared/train", "python")
        environment = {"HOME": str(tmp_path), "CONDA_ENVS_DIRS": str(tmp_path / "shared")}
        assert find_prefix("train", environment) == tmp_path / "shared/train"

    def test_an_unknown_name_lists_the_nearest(self, tmp_path: Path) -> None:
        add_record(tmp_path / "miniforge3/envs/training", "python")
        add_record(tmp_path / "miniforge3/envs/docs", "python")
        with pytest.raises(InputError, match="no conda environment named 'trainin'") as caught:
            find_prefix("trainin", {"HOME": str(tmp_path)})
        assert caught.value.hint == "-n training"
        assert [line.split()[0] for line in caught.value.problems] == ["training"]


class TestPlaceFor:
    """Where `-n NAME` is, or is to be made."""

    @pytest.mark.parametrize(
        ("there", "envs_dirs", "expected"),
        [
            pytest.param(["miniforge3/envs"], [], "miniforge3/envs/new", id="the installation's"),
            pytest.param(
                ["miniforge3/envs", "work"], ["work"], "work/new", id="envs_dirs come first"
            ),
            pytest.param(
                ["miniforge3/envs/new", "work"],
                ["work"],
                "miniforge3/envs/new",
                id="one that is there comes before all places",
            ),
            pytest.param([], ["work/deep"], "work/deep/new", id="a folder that is yet to be made"),
            pytest.param([], [], ".conda/envs/new", id="without an installation the home"),
        ],
    )
    def test_as_conda_does(
        self, there: list[str], envs_dirs: list[str], expected: str, tmp_path: Path
    ) -> None:
        for folder in there:
            (tmp_path / folder).mkdir(parents=True)
        told = [str(tmp_path / folder) for folder in envs_dirs]
        assert place_for("new", told, {"HOME": str(tmp_path)}) == tmp_path / expected

    @pytest.mark.parametrize("name", ["base", "root", "a/b", "a b", "a:b", "..", ""])
    def test_what_is_no_name_is_refused(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is no name for an environment"):
            place_for(name, (), {"HOME": str(tmp_path)})

    def test_envs_dirs_of_a_condarc_are_looked_into(self, tmp_path: Path) -> None:
        add_record(tmp_path / "work/train", "python")
        (tmp_path / ".condarc").write_text(f"envs_dirs: [{tmp_path}/work]\n")
        assert find_prefix("train", {"HOME": str(tmp_path)}) == tmp_path / "work/train"
