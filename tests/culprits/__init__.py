"""Environments with one thing wrong, really: libraries are compiled, packages installed, scripts written.

A framework here is a small module that loads a compiled library, under a name that `verify` looks for.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).parent / "libraries.c"
ALL_PASS = "all of them pass"
"""What a fix has to do for the probes, of which there may be more one day."""
MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"


class NoCompiler(Exception):
    """There is no gcc."""


@dataclass(frozen=True)
class Scene:
    """A prefix, what its user's shell has set, and what the report has to say."""

    prefix: Path
    variables: Mapping[str, str]
    rule: str
    named: str
    """The culprit, in the title of the finding."""
    fix: str = ""
    tried: str = ALL_PASS
    """What came of the fix: ALL_PASS, or in words."""
    words: tuple[str, ...] = field(default_factory=tuple)


def compiled(path: Path, role: str, *options: str) -> Path:
    """A shared library with its file name as its SONAME. Raises NoCompiler."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise NoCompiler("the built culprits need gcc, which is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    name, *macros = role.split()
    command = [gcc, "-shared", "-fPIC", "-O0", "-w", f"-D{name}", *macros]
    command += [f"-Wl,-soname,{path.name}", "-o", str(path), str(SOURCE), *options]
    subprocess.run(command, check=True, timeout=60)
    return path


def make_prefix(folder: Path) -> Path:
    """A conda prefix whose python is this one, copied: unlike a virtual environment it reads a user site."""
    base = Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()
    library = folder / "lib" / MINOR
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(base, folder / "bin" / "python")
    for entry in Path(sysconfig.get_path("stdlib")).iterdir():
        if entry.name not in ("site-packages", "dist-packages", "__pycache__"):
            (library / entry.name).symlink_to(entry)
    (library / "site-packages").mkdir()
    version = ".".join(map(str, sys.version_info[:3]))
    conda_package(folder, "python", version, [])
    return folder


def conda_package(prefix: Path, name: str, version: str, files: list[str]) -> None:
    """A record in conda-meta."""
    record = {
        "name": name, "version": version, "build": "h_0", "build_number": 0, "files": files,
        "channel": "conda-forge", "subdir": "linux-64", "fn": f"{name}-{version}-h_0.conda",
    }  # fmt: skip
    path = prefix / "conda-meta" / f"{name}-{version}-h_0.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record))


def site_of(prefix: Path) -> Path:
    return prefix / "lib" / MINOR / "site-packages"


def wheel(site: Path, name: str, version: str, files: Mapping[str, str]) -> None:
    """Files and the RECORD that lists them."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        if text:
            (site / path).write_text(text)
    lines = [f"{path},," for path in (*files, f"{folder.name}/RECORD")]
    (folder / "RECORD").write_text("\n".join(lines) + "\n")
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def link_numpy(site: Path) -> None:
    """The numpy of the running interpreter, by links."""
    spec = importlib.util.find_spec("numpy")
    assert spec is not None
    assert spec.origin is not None
    there = Path(spec.origin).parent.parent
    for entry in there.glob("numpy*"):
        (site / entry.name).symlink_to(entry)


def framework(prefix: Path, name: str, library: Path, function: str) -> None:
    """A module that loads `library` from its own folder and calls `function`."""
    site = site_of(prefix)
    text = (
        "import ctypes, os\n"
        f"path = os.path.join(os.path.dirname(os.path.abspath(__file__)), {library.name!r})\n"
        f"ctypes.CDLL(path).{function}()\n"
    )
    wheel(site, name, "1.0", {f"{name}/__init__.py": text, f"{name}/{library.name}": ""})


def _with_kernels(folder: Path) -> Path:
    """Its torchaudio uses a cuDNN by its SONAME, and brings one: what the loader finds first counts."""
    prefix = make_prefix(folder / "prefix")
    own = site_of(prefix) / "torchaudio" / "libcudnn.so.9"
    compiled(own, "GOOD")
    core = site_of(prefix) / "torchaudio" / "_core.so"
    compiled(core, "USES", str(own), "-Wl,--enable-new-dtags,-rpath,$ORIGIN")
    framework(prefix, "torchaudio", core, "use_kernels")
    wheel(site_of(prefix), "nvidia_cudnn_cu12", "9.5.1", {"torchaudio/libcudnn.so.9": ""})
    return prefix


def _folders(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for path in made:
        path.mkdir(parents=True, exist_ok=True)
    return made


def first_on_the_library_path(folder: Path) -> Scene:
    prefix = _with_kernels(folder)
    *harmless, bad = _folders(folder, "apps/one", "apps/two", "apps/three", "apps/bad/lib")
    compiled(bad / "libcudnn.so.9", "CRASHES")
    entries = [harmless[0], bad, *harmless[1:]]
    rest = os.pathsep.join(map(str, harmless))
    return Scene(
        prefix,
        {"LD_LIBRARY_PATH": os.pathsep.join(map(str, entries)), "OMP_NUM_THREADS": "2"},
        "EG720",
        f"{bad} in LD_LIBRARY_PATH is not",
        fix=f"export LD_LIBRARY_PATH={rest}",
        words=("number 2 of 4 in LD_LIBRARY_PATH", "SIGSEGV"),
    )


def foreign_cudnn(folder: Path) -> Scene:
    prefix = _with_kernels(folder)
    (bad,) = _folders(folder, "opt/cudnn-8/lib")
    compiled(bad / "libcudnn.so.9", "OLDER")
    return Scene(
        prefix,
        {"LD_LIBRARY_PATH": str(bad)},
        "EG720",
        f"{bad} in LD_LIBRARY_PATH is not",
        fix="unset LD_LIBRARY_PATH",
        words=("undefined symbol: start_kernels",),
    )


def module_loaded(folder: Path) -> Scene:
    prefix = _with_kernels(folder)
    (bad, gcc) = _folders(folder, "apps/cudnn/9.1/lib", "apps/gcc/12/lib64")
    compiled(bad / "libcudnn.so.9", "CRASHES")
    return Scene(
        prefix,
        {"LD_LIBRARY_PATH": f"{bad}:{gcc}", "LOADEDMODULES": "gcc/12:cudnn/9.1"},
        "EG720",
        "`module load cudnn/9.1` is not",
        fix="module unload cudnn/9.1",
    )


def preloaded(folder: Path) -> Scene:
    """Its function comes before that of every other library."""
    prefix = _with_kernels(folder)
    harmless = compiled(folder / "opt" / "libharmless.so", "OLDER")
    bad = compiled(folder / "opt" / "libtrace.so", "CRASHES")
    return Scene(
        prefix,
        {"LD_PRELOAD": f"{harmless} {bad}"},
        "EG720",
        f"{bad} in LD_PRELOAD is not",
        fix=f"export LD_PRELOAD={harmless}",
        words=("SIGSEGV",),
    )


def kills_any_python(folder: Path) -> Scene:
    """Not among the culprits of a whole process: it would end envguard's python, too."""
    prefix = make_prefix(folder / "prefix")
    link_numpy(site_of(prefix))
    bad = compiled(folder / "opt" / "libtrace.so", "DIES_AT_START")
    return Scene(
        prefix,
        {"LD_PRELOAD": str(bad)},
        "EG720",
        f"{bad} in LD_PRELOAD is not",
        fix="unset LD_PRELOAD",
    )


def two_openmp_runtimes(folder: Path) -> Scene:
    prefix = make_prefix(folder / "prefix")
    for name, file in (("torchvision", "libomp.so"), ("torchaudio", "libiomp5.so")):
        path = compiled(site_of(prefix) / name / file, f'OPENMP -DNAME="{file}"')
        text = f"import ctypes\nctypes.CDLL({str(path)!r})\n"
        wheel(site_of(prefix), name, "1.0", {f"{name}/__init__.py": text, f"{name}/{file}": ""})
    return Scene(
        prefix,
        {},
        "EG730",
        "libomp.so and libiomp5.so",
        fix="import them in processes of their own",
        tried="tried: torchaudio passes without torchvision",
        words=("OMP: Error #15", "torchaudio 1.0 (wheel)", "torchvision 1.0 (wheel)"),
    )


def wrong_import_order(folder: Path) -> Scene:
    prefix = make_prefix(folder / "prefix")
    link_numpy(site_of(prefix))
    for name, role in (("torchvision", "FIRST"), ("torchaudio", "SECOND")):
        path = compiled(site_of(prefix) / name / f"lib{name}.so", role)
        framework(prefix, name, path, role.lower())
    return Scene(
        prefix,
        {},
        "EG721",
        "torchaudio cannot be imported after torchvision; the other order works",
        fix="import torchaudio before torchvision",
        tried="tried: 3 of 3 pass",
    )


def user_site(folder: Path) -> Scene:
    prefix = make_prefix(folder / "prefix")
    link_numpy(site_of(prefix))
    site = folder / "home" / "lib" / MINOR / "site-packages"
    wheel(site, "harmless", "1.0", {"harmless.py": "x = 1\n"})
    wheel(site, "numpy", "1.19.5", {"numpy/__init__.py": "import ctypes\nctypes.string_at(0)\n"})
    wheel(site, "tqdm", "4.0", {"tqdm/__init__.py": ""})
    return Scene(
        prefix,
        {"PYTHONUSERBASE": str(folder / "home")},
        "EG720",
        "numpy 1.19.5 in your user site is not",
        fix="export PYTHONNOUSERSITE=1   (or uninstall numpy from the user site)",
    )


def python_path(folder: Path) -> Scene:
    prefix = make_prefix(folder / "prefix")
    link_numpy(site_of(prefix))
    harmless, bad = _folders(folder, "work/tools", "work/project")
    (bad / "numpy.py").write_text("raise ImportError('this is no numpy')\n")
    return Scene(
        prefix,
        {"PYTHONPATH": f"{harmless}:{bad}"},
        "EG720",
        f"{bad} in PYTHONPATH is not",
        fix=f"export PYTHONPATH={harmless}",
    )


def _reads_variable(folder: Path) -> Path:
    prefix = make_prefix(folder / "prefix")
    path = compiled(site_of(prefix) / "torchaudio" / "libtorchaudio.so", "READS_VARIABLE")
    framework(prefix, "torchaudio", path, "read_variable")
    return prefix


def variable(folder: Path) -> Scene:
    return Scene(
        _reads_variable(folder),
        {"KMP_AFFINITY": "broken", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "OTHER": "x"},
        "EG720",
        "KMP_AFFINITY=broken is not",
        fix="unset KMP_AFFINITY",
        words=("SIGABRT",),
    )


def activation_script(folder: Path) -> Scene:
    prefix = _reads_variable(folder)
    script = "etc/conda/activate.d/kernels.sh"
    (prefix / script).parent.mkdir(parents=True)
    (prefix / script).write_text("echo hello\nexport KMP_AFFINITY=broken,compact\n")
    (prefix / script).with_name("another.sh").write_text("export ANOTHER=1\n")
    conda_package(prefix, "kernels", "2.1", [script])
    return Scene(
        prefix,
        {"KMP_AFFINITY": "broken,compact", "ANOTHER": "1", "CONDA_PREFIX": str(prefix)},
        "EG720",
        "KMP_AFFINITY=broken,compact is not",
        fix="unset KMP_AFFINITY   (after `conda activate`;",
        words=(f"{prefix / script} of kernels 2.1",),
    )


def variable_of_the_prefix(folder: Path) -> Scene:
    prefix = _reads_variable(folder)
    state = {"env_vars": {"KMP_AFFINITY": "broken"}}
    (prefix / "conda-meta" / "state").write_text(json.dumps(state))
    return Scene(
        prefix,
        {},
        "EG720",
        "KMP_AFFINITY=broken is not",
        fix="conda env config vars unset KMP_AFFINITY",
    )


CULPRITS: Mapping[str, Callable[[Path], Scene]] = {
    "a bad library first on LD_LIBRARY_PATH": first_on_the_library_path,
    "a foreign cuDNN": foreign_cudnn,
    "a module that was loaded": module_loaded,
    "a preloaded library": preloaded,
    "two OpenMP runtimes": two_openmp_runtimes,
    "a wrong import order": wrong_import_order,
    "a package of the user site": user_site,
    "a folder of PYTHONPATH": python_path,
    "a variable": variable,
    "an activation script": activation_script,
    "a variable of the environment": variable_of_the_prefix,
}
