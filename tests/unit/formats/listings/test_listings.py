"""Texts of other tools, told apart by what they look like, and what is read from each."""

from __future__ import annotations

import pytest

from envguard.errors import InputError
from envguard.formats.listings import MOST_PACKAGES, parse_listing
from envguard.model.listing import Listing
from envguard.model.machine import Driver, DriverState
from envguard.model.package import Manager
from envguard.model.version import Dotted

CF = "https://conda.anaconda.org/conda-forge"

EXPLICIT = f"""\
# platform: linux-64
@EXPLICIT
{CF}/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda#{"a" * 32}
https://user:secret@index.example/ch/noarch/pip-25.2-pyh8b19718_0.conda#{"b" * 64}
"""
CONDA_LIST = """\
# packages in environment at /home/somebody/envs/train:
#
# Name                    Version                   Build  Channel
pytorch                   2.0.1           py3.10_cuda11.8_cudnn8.7.0_0    pytorch
python                    3.10.12              h955ad1f_0
torchmetrics              1.0.3                    pypi_0    pypi
"""
MAMBA_LIST = """\
List of packages in environment: "/home/somebody/envs/train"

  Name          Version   Build            Channel
────────────────────────────────────────────────────
  numpy         2.3.1     py312h6cf2f7f_0  conda-forge
"""
FREEZE = """\
numpy==1.26.4
torch @ https://download.pytorch.org/whl/cu118/torch-2.0.1%2Bcu118-cp310-cp310-linux_x86_64.whl
torchvision==0.15.2+cu118
"""
PIXI = f"""\
version: 6
environments:
  default:
    channels:
    - url: {CF}/
    packages:
      linux-64:
      - conda: {CF}/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda
      - pypi: https://index.example/einops-0.8.0-py3-none-any.whl
  gpu:
    packages:
      win-64:
      - conda: {CF}/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda
packages:
- conda: {CF}/linux-64/numpy-2.3.1-py312h6cf2f7f_0.conda
  sha256: {"a" * 64}
  depends: [python >=3.12]
- pypi: https://index.example/einops-0.8.0-py3-none-any.whl
  name: einops
  version: 0.8.0
"""
UV = """\
version = 1
revision = 3

[[package]]
name = "torch"
version = "2.7.1"
source = { registry = "https://index.example/simple" }
dependencies = [{ name = "numpy" }]
wheels = [{ url = "https://u:p@index.example/torch-2.7.1-cp312-cp312-manylinux_2_28_x86_64.whl" }]

[[package]]
name = "numpy"
version = "2.3.1"
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "einops"
version = "0.8.0"
marker = "sys_platform == 'linux'"
"""
COLLECT_ENV = """\
Collecting environment information...
PyTorch version: 2.1.0+cu121
Is debug build: False
CUDA used to build PyTorch: 12.1
ROCM used to build PyTorch: N/A

OS: Ubuntu 22.04.3 LTS (x86_64)
Libc version: glibc-2.35
Python platform: Linux-5.15.0-86-generic-x86_64-with-glibc2.35
Is CUDA available: True
GPU models and configuration:
GPU 0: NVIDIA A100-SXM4-80GB
GPU 1: Tesla V100-SXM2-32GB

Nvidia driver version: 535.104.05

Versions of relevant libraries:
[pip3] numpy==1.26.0
[pip3] torch==2.1.0+cu121
[conda] numpy 1.26.0 py311h64a7726_0 conda-forge
"""


def only(text: str, path: str = "x"):
    [listing] = parse_listing(text, path)
    return listing


def labels(listing, subdir: str | None = None) -> list[str]:
    return [f"{r.manager}:{r.label}" for r in listing.records_for(subdir)]


def test_an_explicit_file_knows_its_platform_and_its_hashes():
    listing = only(EXPLICIT)
    records = listing.records_for("linux-64")
    assert (listing.kind, listing.complete) == ("explicit", True)
    assert [(r.name, r.build) for r in records] == [
        ("numpy", "py312h6cf2f7f_0"),
        ("pip", "pyh8b19718_0"),
    ]
    assert (records[0].md5, records[1].sha256) == ("a" * 32, "b" * 64)
    assert "secret" not in repr(listing)
    assert listing.records_for("win-64") is None


@pytest.mark.parametrize(
    ("digest", "md5", "sha256"),
    [
        ("#" + "c" * 32, "c" * 32, None),
        ("#" + "a" * 64, None, "a" * 64),
        ("#sha256:" + "A" * 64, None, "a" * 64),
        ("", None, None),
    ],
)
def test_a_hash_of_an_explicit_file_is_told_by_its_length(digest, md5, sha256):
    [record] = only(f"@EXPLICIT\n{CF}/linux-64/a-1-0.conda{digest}\n").records["linux-64"]
    assert (record.md5, record.sha256) == (md5, sha256)


@pytest.mark.parametrize("digest", ["abc", "a" * 63, "sha256:" + "a" * 32, "sha512:" + "a" * 64])
def test_a_hash_that_checks_nothing_is_a_mistake(digest):
    with pytest.raises(InputError, match="damaged @EXPLICIT"):
        parse_listing(f"@EXPLICIT\n{CF}/linux-64/a-1-0.conda#{digest}\n", "e.txt")


def test_files_named_by_url_have_their_version_and_hash():
    listing = only(
        f"einops @ https://index.example/einops-0.8.0-py3-none-any.whl#sha256={'a' * 64}\n"
        "torch @ https://index.example/torch-2.7.0%2Bcu126-cp312-cp312-linux_x86_64.whl\n"
        f"warm @ https://index.example/warm_up-0.3.tar.gz#subdirectory=p&sha256={'b' * 64}\n"
        "dashed @ https://index.example/my-old-name-1.2.zip\n",
        "requirements.txt",
    )
    assert [(r.name, r.version, r.sha256) for r in listing.records[None]] == [
        ("einops", "0.8.0", "a" * 64),
        ("torch", "2.7.0+cu126", None),
        ("warm", "0.3", "b" * 64),
        ("dashed", "1.2", None),
    ]
    assert listing.complete


def test_a_commit_in_a_pylock_leaves_it_open():
    listing = only(
        'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\n'
        'sdist = {url = "https://index.example/a-1.tar.gz", hashes = {sha256 = "ab"}}\n'
        '[[packages]]\nname = "b"\nvcs = {type = "git", url = "https://index.example/b"}\n',
        "pylock.toml",
    )
    assert [(r.name, r.sha256) for r in listing.records[None]] == [("a", "ab")]
    assert not listing.complete


def test_conda_list_has_builds_and_channels():
    listing = only(CONDA_LIST)
    assert labels(listing) == [
        "conda:pytorch 2.0.1 py3.10_cuda11.8_cudnn8.7.0_0",
        "conda:python 3.10.12 h955ad1f_0",
        "pip:torchmetrics 1.0.3",
    ]
    assert [r.channel for r in listing.records_for(None)] == ["pytorch", "defaults", None]


def test_mamba_list_is_read_too():
    assert labels(only(MAMBA_LIST)) == ["conda:numpy 2.3.1 py312h6cf2f7f_0"]


def test_a_freeze_is_complete_where_every_line_is_pinned():
    listing = only(FREEZE)
    assert labels(listing) == [
        "pip:numpy 1.26.4",
        "pip:torch 2.0.1+cu118",
        "pip:torchvision 0.15.2+cu118",
    ]
    assert listing.complete
    assert listing.records_for(None)[1].url.startswith("https://download.pytorch.org/whl/cu118/")


@pytest.mark.parametrize(
    "line",
    [
        "pandas>=2",
        "-r other.txt",
        "colorama==0.4 ; sys_platform == 'win32'",
        "git+https://index.example/r",
    ],
)
def test_a_line_that_pins_nothing_leaves_a_freeze_open(line):
    listing = only(FREEZE + line + "\n", "requirements.txt")
    assert not listing.complete


def test_hashes_on_their_own_lines_are_no_packages():
    text = "numpy==1.26.4 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n"
    assert labels(only(text, "requirements.txt")) == ["pip:numpy 1.26.4"]
    assert only(text, "requirements.txt").complete


def test_a_pixi_lock_is_one_listing_an_environment():
    default, gpu = parse_listing(PIXI, "pixi.lock")
    assert (default.name, gpu.name) == ("default", "gpu")
    assert labels(default, "linux-64") == ["conda:numpy 2.3.1 py312h6cf2f7f_0", "pip:einops 0.8.0"]
    assert default.records_for("linux-64")[0].depends == ("python >=3.12",)
    assert default.records_for("win-64") is None
    assert gpu.records_for("win-64")


def test_version_7_of_pixi_names_its_platforms():
    text = PIXI.replace("version: 6", "version: 7\nplatforms:\n- name: cluster\n  subdir: linux-64")
    text = text.replace("      linux-64:\n", "      cluster:\n")
    assert parse_listing(text, "pixi.lock")[0].records_for("linux-64")


def platforms_of_pixi(*declared: str) -> tuple[Listing, ...]:
    """A version 7 whose platforms are declared so, each with one package."""
    names = [text.partition("\n")[0] for text in declared]
    url = "https://conda.anaconda.org/conda-forge/noarch/six-1.17.0-pyhd8ed1ab_0.conda"
    text = "version: 7\nplatforms:\n" + "".join(f"- name: {text}\n" for text in declared)
    text += "environments:\n  default:\n    packages:\n"
    text += "".join(f"      {name}: [{{conda: {url}}}]\n" for name in names)
    return parse_listing(text + f"packages: [{{conda: {url}}}]\n", "pixi.lock")


def test_a_platform_of_pixi_tells_the_least_machine_that_it_is_for():
    (listing,) = platforms_of_pixi(
        "cluster\n  subdir: linux-64\n  virtual-packages: [__cuda=12.8=0, __cuda_arch=9.0=0, "
        "__glibc=2.28=0, __archspec=1=x86_64_v3, __linux=6.8.0-45-generic=0]"
    )
    (machine,) = listing.machines
    assert (machine.subdir, str(machine.driver.cuda), machine.driver.version) == (
        "linux-64",
        "12.8",
        None,
    )
    assert [str(gpu.compute_capability) for gpu in machine.gpus] == ["9.0"]
    assert (str(machine.glibc), machine.archspec) == ("2.28", "x86_64_v3")
    assert machine.assumed == {"glibc", "archspec"}
    assert not listing.observed


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        pytest.param("linux-64", [], id="no virtual packages"),
        pytest.param(
            "linux-64\n  virtual-packages: [__glibc=2.28=0]", [], id="no CUDA: none is assumed"
        ),
        pytest.param(
            "linux-64\n  virtual-packages: [__cuda=12=0]",
            [("linux-64", Driver(None, Dotted.parse("12")), None)],
            id="a driver, and no card",
        ),
        pytest.param(
            "linux-64\n  virtual-packages: [__cuda=12]",
            [("linux-64", Driver(None, Dotted.parse("12")), None)],
            id="without a build",
        ),
        pytest.param(
            "osx-arm64\n  virtual-packages: [__osx=13.0=0]",
            [("osx-arm64", DriverState.ABSENT, ())],
            id="a Mac has no NVIDIA driver",
        ),
        pytest.param("osx-arm64", [], id="a Mac of which nothing is said"),
    ],
)
def test_the_machines_that_pixi_platforms_tell_of(declared, told):
    (listing,) = platforms_of_pixi(declared)
    assert [(m.subdir, m.driver, m.gpus) for m in listing.machines] == told


def test_two_platforms_of_one_subdir_are_two_listings_each_with_its_machine():
    found = platforms_of_pixi(
        "new\n  subdir: linux-64\n  virtual-packages: [__cuda=13.0=0]",
        "old\n  subdir: linux-64\n  virtual-packages: [__cuda=12.0=0]",
    )
    assert [(listing.name, str(listing.machines[0].driver.cuda)) for listing in found] == [
        ("default:new", "13.0"),
        ("default:old", "12.0"),
    ]


def test_a_virtual_package_of_pixi_that_is_no_version_is_damage():
    with pytest.raises(InputError, match=r"damaged pixi\.lock"):
        platforms_of_pixi("linux-64\n  virtual-packages: [__cuda=new=0]")


SOURCES = """\
version: 7
platforms: [{name: gpu, subdir: linux-64, virtual-packages: [__cuda=12.0]}]
environments:
  default:
    packages:
      gpu:
      - conda: https://conda.anaconda.org/conda-forge/noarch/six-1.17.0-pyhd8ed1ab_0.conda
      - conda_source: "mine[12345678] @ git+https://index.example/mine.git?tag=v0.1.0#abc123"
      - conda: ./local
      - pypi: ./here
packages:
- conda: https://conda.anaconda.org/conda-forge/noarch/six-1.17.0-pyhd8ed1ab_0.conda
- conda_source: "mine[12345678] @ git+https://index.example/mine.git?tag=v0.1.0#abc123"
- conda: ./local
- pypi: ./here
  name: here
"""


def test_what_pixi_builds_from_sources_is_not_known_and_no_damage():
    (listing,) = parse_listing(SOURCES, "pixi.lock")
    assert labels(listing, "linux-64") == ["conda:six 1.17.0 pyhd8ed1ab_0"]
    assert not listing.complete
    whole = "\n".join(line for line in SOURCES.splitlines() if "mine" not in line)
    whole = whole.replace("      - conda: ./local\n", "").replace("      - pypi: ./here\n", "")
    assert parse_listing(whole, "pixi.lock")[0].complete


def test_uv_lock_and_pylock_are_read():
    listing = only(UV, "uv.lock")
    assert labels(listing) == ["pip:torch 2.7.1", "pip:numpy 2.3.1"]
    assert "u:p@" not in repr(listing)
    assert listing.complete
    marked = only(PYLOCK, "pylock.toml")
    assert (labels(marked), marked.complete) == (["pip:einops 0.8.0"], False)


def test_collect_env_tells_the_packages_and_the_machine():
    listing = only(COLLECT_ENV)
    (machine,) = listing.machines

    assert labels(listing, "linux-64") == [
        "pip:torch 2.1.0+cu121",
        "conda:numpy 1.26.0 py311h64a7726_0",
    ]
    assert not listing.complete
    assert machine is not None
    assert machine.driver == Driver(machine.driver.version)
    assert str(machine.driver.version) == "535.104.05"
    assert [gpu.name for gpu in machine.gpus] == ["NVIDIA A100-SXM4-80GB", "Tesla V100-SXM2-32GB"]
    assert str(machine.glibc) == "2.35"


def test_a_single_card_stands_behind_its_heading():
    text = "PyTorch version: 2.6.0\nCUDA used to build PyTorch: 12.4\nPython platform: Linux-5\n"
    listing = only(text + "GPU models and configuration: GPU 0: NVIDIA GeForce RTX 5090\n")
    assert len(listing.machines) == 1
    assert [gpu.name for gpu in listing.machines[0].gpus or ()] == ["NVIDIA GeForce RTX 5090"]


def test_collect_env_without_a_gpu_says_that_there_is_none():
    text = COLLECT_ENV.replace(
        "GPU models and configuration:\n", "GPU models and configuration: No CUDA\n"
    )
    text = text.replace("GPU 0: NVIDIA A100-SXM4-80GB\nGPU 1: Tesla V100-SXM2-32GB\n", "")
    text = text.replace("535.104.05", "No CUDA")
    (machine,) = only(text).machines
    assert (machine.driver, machine.gpus) == (DriverState.ABSENT, ())


def test_collect_env_that_could_not_ask_knows_nothing():
    text = (
        COLLECT_ENV.replace("535.104.05", "Could not collect")
        .replace("GPU 0:", "x")
        .replace("GPU 1:", "x")
    )
    (machine,) = only(text).machines
    assert (machine.driver, machine.gpus) == (None, None)


@pytest.mark.parametrize(
    ("text", "path", "told"),
    [
        pytest.param("@EXPLICIT\nnot a url\n", "e.txt", "damaged @EXPLICIT", id="no URL"),
        pytest.param(
            f"@EXPLICIT\n{CF}/linux-64/a-1-0.conda\n{CF}/win-64/b-1-0.conda\n",
            "e.txt",
            "several platforms: linux-64, win-64",
            id="two platforms",
        ),
        pytest.param(
            "version: 8\nenvironments: {}\n", "pixi.lock", "version 8 of pixi.lock", id="newer pixi"
        ),
        pytest.param(
            "version: 6\nenvironments:\n  a: 1\n",
            "pixi.lock",
            "damaged pixi.lock",
            id="broken pixi",
        ),
        pytest.param("version = 2\n", "uv.lock", "version 2 of its format", id="newer uv.lock"),
        pytest.param("version = \n", "uv.lock", "not TOML", id="no TOML"),
        pytest.param("x = " + "[" * 9999, "uv.lock", "nested too deeply", id="deep TOML"),
        pytest.param("[" * 100_000, "pixi.lock", "nested deeper", id="a bracket bomb"),
        pytest.param(
            "# packages in environment at /x:\n#\n",
            "-",
            "without a single package",
            id="empty list",
        ),
    ],
)
def test_a_damaged_listing_is_refused_by_name(text, path, told):
    with pytest.raises(InputError, match=told):
        parse_listing(text, path)


@pytest.mark.parametrize("text", ["", "hello\n", "name: x\ndependencies:\n  - numpy=1.26\n"])
def test_what_is_no_listing_is_left_to_others(text):
    assert parse_listing(text, "environment.yml") is None


def test_pip_packages_are_pip_packages():
    assert {r.manager for r in only(FREEZE).records_for(None)} == {Manager.PIP}


def test_a_line_that_is_there_again_is_one_package():
    listing = only("torch==2.6.0\n" * 50_000 + "torch==2.7.0\nnumpy==1.26.4\n", "requirements.txt")
    assert labels(listing) == ["pip:torch 2.6.0", "pip:torch 2.7.0", "pip:numpy 1.26.4"]
    listed = only(CONDA_LIST + CONDA_LIST.splitlines()[-1] + "\n")
    assert labels(listed) == labels(only(CONDA_LIST))


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_more_packages_than_any_environment_has_are_refused(more, fits):
    text = "".join(f"package{number}==1.0\n" for number in range(MOST_PACKAGES + more))
    if fits:
        assert len(only(text, "requirements.txt").records[None]) == MOST_PACKAGES
        return
    with pytest.raises(InputError, match="a pip of 20,001 packages; at most 20,000 are judged"):
        parse_listing(text, "requirements.txt")
