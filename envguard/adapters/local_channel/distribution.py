"""An installed Python distribution (*.dist-info), read as the conda package it becomes."""

from __future__ import annotations

import configparser
import csv
import email.parser
import io
import os
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from envguard.adapters.local_channel.package import PackageDraft, PackageFile
from envguard.adapters.local_channel.python import Interpreter

_EXTRAS = re.compile(r"\s*\[.*\]")
_NOT_PACKED = ("REQUESTED", "direct_url.json", "RECORD")


def python_draft(interpreter: Interpreter, prefix: Path, *, subdir: str) -> PackageDraft:
    """The interpreter itself: everything in `prefix` before anything was installed into it."""
    files = tuple(
        PackageFile(path, path.relative_to(prefix).as_posix())
        for path in sorted(prefix.rglob("*"))
        if path.is_symlink() or path.is_file()
    )
    return PackageDraft("python", interpreter.version, subdir, files)


def distribution_draft(
    info: Path, interpreter: Interpreter, prefix: Path, *, subdir: str
) -> PackageDraft:
    """The package of one *.dist-info folder below `prefix`; pure Python becomes noarch."""
    metadata = email.parser.HeaderParser().parsestr((info / "METADATA").read_text("utf-8"))
    wheel = email.parser.HeaderParser().parsestr((info / "WHEEL").read_text("utf-8"))
    rows = _record(info)
    site = info.parent
    scripts = _entry_points(info)
    pure = wheel.get("Root-Is-Purelib", "").lower() == "true" and _fits_noarch(rows)
    python_spec = conda_spec("python", metadata.get("Requires-Python") or "")
    major, minor = interpreter.minor.split(".")
    depends = [
        python_spec if pure else f"python >={interpreter.minor},<{major}.{int(minor) + 1}.0a0"
    ]
    depends += _depends(metadata.get_all("Requires-Dist") or [], interpreter)
    return PackageDraft(
        name=canonicalize_name(metadata["Name"]),
        version=metadata["Version"],
        subdir="noarch" if pure else subdir,
        files=tuple(_files(rows, site, prefix, noarch_scripts=_names(scripts) if pure else None)),
        depends=tuple(depends),
        build_prefix="py_" if pure else f"py{major}{minor}_",
        entry_points=scripts if pure else None,
    )


def conda_spec(name: str, specifier: str) -> str:
    """A PEP 440 specifier as a MatchSpec: `numpy <3,>=1.23`."""
    clauses = sorted(_clause(str(clause)) for clause in SpecifierSet(specifier))
    return " ".join([name, ",".join(clauses)]).strip()


def _clause(text: str) -> str:
    text = text.replace("===", "==")
    # `==1.2.*` is `1.2.*` in conda
    return text.removeprefix("==") if text.endswith(".*") else text


def _depends(requirements: list[str], interpreter: Interpreter) -> Iterator[str]:
    """Requirements that hold for this interpreter, without extras, as MatchSpecs."""
    environment: dict[str, str | AbstractSet[str]] = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_version": interpreter.minor,
        "python_full_version": interpreter.version,
        "implementation_version": interpreter.version,
        "extra": "",
    }
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield conda_spec(canonicalize_name(requirement.name), str(requirement.specifier))


def _record(info: Path) -> list[list[str]]:
    """Rows of RECORD: path, hash, size; without what pip and uv note about the installation."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row]
    own = info.name
    return [
        row
        for row in rows
        if row[0] not in {f"{own}/{name}" for name in _NOT_PACKED} and not row[0].endswith(".pyc")
    ]


def _fits_noarch(rows: list[list[str]]) -> bool:
    """A noarch package holds modules and scripts, no native code and no data outside."""
    return not any(
        path.endswith(".so") or (path.startswith("../") and "/bin/" not in path)
        for path, *_ in rows
    )


def _files(
    rows: list[list[str]], site: Path, prefix: Path, *, noarch_scripts: frozenset[str] | None
) -> Iterator[PackageFile]:
    noarch = noarch_scripts is not None
    kept: list[list[str]] = []
    info_name = ""
    for row in rows:
        path = row[0]
        source = Path(os.path.normpath(site / path))
        inside = source.relative_to(prefix).as_posix()
        is_script = inside.startswith("bin/")
        if noarch_scripts is not None and is_script and source.name in noarch_scripts:
            continue
        kept.append([path, "", ""] if is_script or path.endswith("/INSTALLER") else row)
        target = _noarch_path(source, site) if noarch else inside
        content = b"conda\n" if path.endswith(".dist-info/INSTALLER") else None
        if path.endswith(".dist-info/INSTALLER"):
            info_name = path.rpartition("/")[0]
        yield PackageFile(source, target, content)
    if info_name:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*kept, [f"{info_name}/RECORD", "", ""]])
        source = site / info_name / "RECORD"
        target = _noarch_path(source, site) if noarch else source.relative_to(prefix).as_posix()
        yield PackageFile(source, target, text.getvalue().encode())


def _noarch_path(source: Path, site: Path) -> str:
    if source.is_relative_to(site):
        return f"site-packages/{source.relative_to(site).as_posix()}"
    return f"python-scripts/{source.name}"


def _entry_points(info: Path) -> tuple[str, ...]:
    """`name = module:function` of the console and gui scripts."""
    path = info / "entry_points.txt"
    if not path.is_file():
        return ()
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(path.read_text("utf-8"))
    return tuple(
        f"{name} = {_EXTRAS.sub('', target)}"
        for section in ("console_scripts", "gui_scripts")
        if parser.has_section(section)
        for name, target in parser.items(section)
    )


def _names(entry_points: tuple[str, ...]) -> frozenset[str]:
    return frozenset(entry.partition(" =")[0] for entry in entry_points)
