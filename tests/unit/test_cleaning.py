"""A clean environment: what was asked for, the GPU choice, and nothing of the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.cleaning import clean_installed, clean_lock
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.environments.environment_yml_dump import dump_environment
from envguard.model.lockfile import LockedPackage, Lockfile, LockRequest
from envguard.model.package import Manager, PackageRecord
from envguard.ports.prefixes import Installed

PYTHON = PackageRecord("python", "3.12.11", build="h9e4cc4f_0_cpython")
PYTORCH = PackageRecord(
    "pytorch", "2.7.1", build="cuda129_mkl_py312_hfde4d7d_304", depends=("__cuda", "python >=3.12")
)
CPU_PYTORCH = PackageRecord("pytorch", "2.8.0", build="cpu_mkl_py312_h6a7998d_100")
PYTORCH_GPU = PackageRecord("pytorch-gpu", "2.7.1", build="cuda129_h0_304", depends=("pytorch",))
VISION = PackageRecord(
    "torchvision", "0.22.1", build="cuda129_py312_h8d9b3aa_3", depends=("pytorch",)
)
NUMPY = PackageRecord("numpy", "2.3.1", build="py312h6cf2f7f_0", depends=("python >=3.12",))
EINOPS = PackageRecord("einops", "0.8.0", manager=Manager.PIP)


def lockfile(*specs: str, records=(PYTHON, PYTORCH, NUMPY), pip=(), request=True) -> Lockfile:
    return Lockfile(
        platforms=("linux-64",),
        channels=("https://u:secret@index.example/ch", "conda-forge", "pkgs/main", "pkgs/r"),
        packages=tuple(LockedPackage(record, "linux-64") for record in records),
        request=LockRequest("train", {"linux-64": specs}, {"linux-64": pip}, {})
        if request
        else None,
    )


def specs_of(environment) -> list[str]:
    return [dependency.spec for dependency in environment.dependencies]


@pytest.mark.parametrize(
    ("asked", "clean"),
    [
        ("numpy", "numpy=2.3"),
        ("numpy=1.26", "numpy=1.26"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy >=1.24,<2", "numpy >=1.24,<2"),
        ("numpy=2.3.1=py312h6cf2f7f_0", "numpy=2.3"),
        ("numpy=2.3=*_llvm", "numpy=2.3=*_llvm"),
        ("numpy[build_number=3]", "numpy[build_number=3]"),
        ("conda-forge::numpy=1.26", "conda-forge::numpy=1.26"),
        ("https://u:secret@index.example/ch::numpy", "https://index.example/ch::numpy=2.3"),
        ("pytorch", "pytorch=2.7.*=*cuda129*"),
        ("pytorch=2.7.1", "pytorch=2.7.1.*=*cuda129*"),
        ("pytorch >=2.4,<3", "pytorch >=2.4,<3 *cuda129*"),
        ("pytorch=2.7.1=cuda129_mkl_py312_hfde4d7d_304", "pytorch=2.7.*=*cuda129*"),
        ("pytorch=*=*cuda*", "pytorch=2.7.*=*cuda*"),
        ("pytorch::pytorch=2.0.1=*cuda11.8*", "pytorch::pytorch=2.0.1=*cuda11.8*"),
        ("torchvision", "torchvision=0.22"),
        ("cuda-version=12.9", "cuda-version=12.9"),
        ("pytorch-gpu=*=cuda129_h0_304", "pytorch-gpu=*=*cuda129*"),
    ],
)
def test_build_strings_go_unless_they_choose_the_gpu(asked, clean):
    records = (PYTHON, PYTORCH, PYTORCH_GPU, VISION, NUMPY)
    assert specs_of(clean_lock(lockfile("python=3.12", asked, records=records)))[1] == clean


def test_what_was_cleaned_is_read_back_and_cleaning_it_again_changes_nothing():
    first = clean_lock(lockfile("python", "pytorch", "numpy >=1.24,<3", pip=("einops==0.8.0",)))
    read = parse_environment(dump_environment(first), "environment.yml")
    again = clean_lock(lockfile(*specs_of(read), pip=("einops==0.8.0",)))

    assert specs_of(again) == specs_of(first)
    assert [line.spec for line in read.pip] == ["einops==0.8.0"]


def test_a_cpu_build_that_nobody_chose_is_no_choice():
    records = (PYTHON, CPU_PYTORCH)
    assert specs_of(clean_lock(lockfile("python", "pytorch", records=records))) == [
        "python=3.12",
        "pytorch=2.8",
    ]
    chosen = clean_lock(lockfile("python", "pytorch=2.8=cpu_mkl*", records=records))
    assert specs_of(chosen)[1] == "pytorch=2.8=cpu_mkl*"


def test_channels_stay_in_order_without_credentials_and_defaults_by_name():
    assert clean_lock(lockfile("numpy")).channels == (
        "https://index.example/ch",
        "conda-forge",
        "defaults",
    )


def test_python_is_always_named_and_pip_where_pip_packages_are():
    clean = clean_lock(lockfile("numpy", records=(PYTHON, NUMPY, EINOPS), pip=("einops",)))
    assert specs_of(clean) == ["numpy=2.3", "python=3.12", "pip"]


def test_a_lock_that_records_no_request_gives_its_leaves_and_says_so():
    mutex = PackageRecord("_openmp_mutex", "4.5", build="2_gnu")
    records = (PYTHON, PYTORCH, VISION, NUMPY, EINOPS, mutex)
    clean = clean_lock(lockfile(records=records, request=False))

    assert specs_of(clean) == [
        *("numpy=2.3", "torchvision=0.22", "pytorch=2.7.*=*cuda129*", "python=3.12", "pip")
    ]
    assert [line.spec for line in clean.pip] == ["einops==0.8.*"]
    assert "nobody recorded" in clean.notes[0]


def test_lines_of_one_platform_stand_behind_a_selector():
    lock = Lockfile(
        platforms=("linux-64", "linux-aarch64", "win-64"),
        packages=(LockedPackage(PYTHON, "linux-64"),),
        request=LockRequest(
            "x",
            {
                "linux-64": ("python", "libgomp", "only-x86"),
                "linux-aarch64": ("python", "libgomp"),
                "win-64": ("python", "only-x86"),
            },
        ),
    )
    text = dump_environment(clean_lock(lock))
    assert "platforms:\n  - linux-64\n  - linux-aarch64\n  - win-64\n" in text
    assert "- libgomp  # [linux]\n" in text
    assert "- only-x86  # [linux64 or win]\n" in text
    for subdir, count in (("linux-64", 3), ("linux-aarch64", 2), ("win-64", 2)):
        assert len(parse_environment(text, "e.yml").for_subdir(subdir).dependencies) == count


def test_a_prefix_gives_what_was_requested_in_it():
    installed = Installed(
        path=Path("envs/train"),
        kind="prefix",
        subdir="linux-64",
        python=None,
        python_version="3.12.11",
        records=(PYTHON, PYTORCH, NUMPY, EINOPS),
        requested=("python=3.12", "pytorch"),
        channels=("conda-forge",),
        variables={"OMP_NUM_THREADS": "4"},
        pip_origins={"einops": "git+https://token@index.example/einops.git@0123abc"},
    )
    text = dump_environment(clean_installed(installed))

    assert "prefix" not in text
    assert "token" not in text
    environment = parse_environment(text, "environment.yml")
    assert environment.name == "train"
    assert specs_of(environment) == ["python=3.12", "pytorch=2.7.*=*cuda129*", "pip"]
    assert [d.spec for d in environment.pip] == [
        "einops @ git+https://index.example/einops.git@0123abc"
    ]
    assert environment.variables == {"OMP_NUM_THREADS": "4"}


def test_what_pip_was_asked_for_is_named_though_another_one_needs_it():
    needs = PackageRecord("timm", "1.0", manager=Manager.PIP, depends=("einops>=0.8",))
    installed = Installed(
        path=Path("v"),
        kind="venv",
        subdir="linux-64",
        python=None,
        python_version="3.12.1",
        records=(needs, EINOPS),
        pip_requested=("einops", "timm"),
    )
    lines = [line.spec for line in clean_installed(installed).pip]
    assert lines == ["einops==0.8.*", "timm==1.0.*"]


def test_channels_of_a_lock_are_those_that_were_written_with_nodefaults():
    lock = lockfile("numpy")
    request = replace(lock.request, channels=("conda-forge", "nodefaults"))
    assert clean_lock(replace(lock, request=request)).channels == ("conda-forge", "nodefaults")


def test_pip_packages_that_others_need_are_not_named():
    needs = PackageRecord(
        "timm", "1.0", manager=Manager.PIP, depends=("einops>=0.8", "x; extra == 'y'")
    )
    optional = PackageRecord("x", "2.0", manager=Manager.PIP)
    lock = lockfile(records=(PYTHON, needs, EINOPS, optional), request=False)
    assert [line.spec for line in clean_lock(lock).pip] == ["timm==1.0.*", "x==2.0.*"]


def test_what_could_not_be_read_of_a_prefix_is_told():
    installed = Installed(
        path=Path("envs/train"),
        kind="prefix",
        subdir="linux-64",
        python=None,
        python_version="3.12.11",
        records=(PYTHON,),
        requested=("python",),
        problems=("conda-meta/x.json: not JSON",),
    )
    assert clean_installed(installed).notes == ("conda-meta/x.json: not JSON",)


@pytest.mark.parametrize(
    "text", ["numpy >=1.24,<2", "a: b", "x #y", "1.10", "yes", "pytorch=*=*cuda*"]
)
def test_every_scalar_is_read_back_as_it_was(text):
    from envguard.model.environment import Dependency, Environment

    dumped = dump_environment(Environment(name=text, pip=(Dependency(text),)))
    import yaml

    data = yaml.safe_load(dumped)
    assert data["name"] == text
    assert data["dependencies"] == [{"pip": [text]}]
