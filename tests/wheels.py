"""Wheels made by hand: a few files, no network, no build backend."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    files: Mapping[str, str] | None = None,
    *,
    requires: Sequence[str] = (),
    entry_points: str = "",
    tag: str = "py3-none-any",
) -> Path:
    """A wheel with `files` (path in site-packages -> text) in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    contents = {
        **(files or {}),
        f"{info}/METADATA": "\n".join(metadata) + "\n\nText below the headers: not a header\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if entry_points:
        contents[f"{info}/entry_points.txt"] = entry_points
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    path = folder / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for target, text in contents.items():
            wheel.writestr(target, text)
    return path


def make_source(folder: Path, name: str, version: str) -> Path:
    """A source archive that only a build turns into a wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}.tar.gz"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        for file, content in (("PKG-INFO", metadata), ("setup.py", b"raise SystemExit\n")):
            info = tarfile.TarInfo(f"{stem}/{file}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


_BACKEND = '''\
"""A build backend that needs nothing: one module, its version from NAME_VERSION where none is stated."""
import base64, hashlib, pathlib, zipfile

NAME, VERSION = {name!r}, {version!r}


def _wheel(folder, files):
    pathlib.Path("built").write_text("ran")
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files = dict(files)
    files[f"{{info}}/METADATA"] = f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n"
    files[f"{{info}}/WHEEL"] = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{{info}}/RECORD"] = "".join(f"{{path}},,\\n" for path in [*files, f"{{info}}/RECORD"])
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {{f"{{NAME}}.py": pathlib.Path(f"{{NAME}}.py").read_text()}})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {{f"{{NAME}}.pth": str(pathlib.Path.cwd())}})
'''


def make_project(folder: Path, name: str, version: str, *, static: bool = True) -> Path:
    """A project that is built without a network; not `static`: only a build tells its version.

    A build leaves a file `built` where it ran.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stated = f'version = "{version}"' if static else 'dynamic = ["version"]'
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\n{stated}\ndependencies = []\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (folder / "backend.py").write_text(_BACKEND.format(name=name, version=version))
    (folder / f"{name}.py").write_text(f"VERSION = {version!r}\n")
    return folder


def make_repository(folder: Path) -> str:
    """A git repository of what is in `folder`; the id of its one commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@index.example"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_index(folder: Path, *wheels: Path) -> Path:
    """A simple index in `folder` with pages of these wheels, which are moved there."""
    pages: dict[str, list[str]] = {}
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for wheel in wheels:
        moved = wheel.rename(folder / "files" / wheel.name)
        sha256 = hashlib.sha256(moved.read_bytes()).hexdigest()
        link = f'<a href="../files/{moved.name}#sha256={sha256}">{moved.name}</a>'
        pages.setdefault(wheel.name.partition("-")[0].replace("_", "-"), []).append(link)
    for name, links in pages.items():
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "index.html").write_text("\n".join(links))
    return folder
