"""Architectures are read from the library itself: made by hand here, by nvcc where there is one."""

from __future__ import annotations

import contextlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envguard.adapters.fatbin import NotReadable, architectures_in

PTX, CUBIN = 1, 2
FLAGS = {"": 0x11, "a": 0x10_0011, "f": 0x120_0011}


def entry(kind: int, number: int, suffix: str = "", payload: bytes = b"code....") -> bytes:
    """One entry with the 64-byte header that nvcc writes."""
    header = struct.pack(
        "<HHIQIIHHIIIQQQ",
        kind,
        0x101,
        64,
        len(payload),
        0,
        0,
        8,
        1,
        number,
        0,
        0,
        FLAGS[suffix],
        0,
        0,
    )
    return header + payload


def container(*entries: bytes) -> bytes:
    body = b"".join(entries)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def library(path: Path, fatbin: bytes) -> Path:
    """The smallest ELF file with a .nv_fatbin section."""
    names = b"\0.nv_fatbin\0.shstrtab\0"
    fatbin_at, names_at = 64, 64 + len(fatbin)
    table_at = names_at + len(names)

    def section(name: int, offset: int, size: int) -> bytes:
        return struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 8, 0)

    sections = (
        section(0, 0, 0) + section(1, fatbin_at, len(fatbin)) + section(12, names_at, len(names))
    )
    elf = b"\x7fELF\x02\x01\x01" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, table_at, 0, 64, 0, 0, 64, 3, 2)
    path.write_bytes(elf + fatbin + names + sections)
    return path


def texts(path: Path) -> list[str]:
    return [str(a) for a in architectures_in(path)]


def test_machine_code_and_ptx_are_told_apart(tmp_path):
    lib = library(
        tmp_path / "x.so",
        container(entry(CUBIN, 75), entry(CUBIN, 86), entry(PTX, 86), entry(PTX, 90)),
    )

    found = architectures_in(lib)
    assert [(str(a.compute_capability), a.code, a.ptx) for a in found] == [
        ("7.5", True, False),
        ("8.6", True, True),
        ("9.0", False, True),
    ]


def test_suffixes_are_read_from_the_flags(tmp_path):
    lib = library(
        tmp_path / "x.so",
        container(entry(CUBIN, 90, "a"), entry(CUBIN, 100, "f"), entry(CUBIN, 120)),
    )
    assert texts(lib) == ["9.0a", "10.0f", "12.0"]


def test_an_architecture_of_a_few_kernels_is_not_one_of_the_build(tmp_path):
    usual = container(entry(CUBIN, 80), entry(CUBIN, 90))
    lib = library(
        tmp_path / "x.so", usual * 10 + container(entry(CUBIN, 90, "a"), entry(CUBIN, 89))
    )
    assert texts(lib) == ["8.0", "9.0"]


def test_exactly_half_of_the_kernels_count(tmp_path):
    lib = library(
        tmp_path / "x.so",
        container(entry(CUBIN, 80), entry(CUBIN, 90)) + container(entry(CUBIN, 80)),
    )
    assert texts(lib) == ["8.0", "9.0"]


def test_a_library_without_gpu_code_has_none(tmp_path):
    assert texts(library(tmp_path / "x.so", b"")) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"#!/bin/sh\n" * 10, id="a script"),
        pytest.param(b"", id="an empty file"),
        pytest.param(b"\x7fELF\x01\x01" + bytes(100), id="32 bits"),
        pytest.param(b"\x7fELF\x02\x01" + b"\xff" * 100, id="a section table that is nowhere"),
    ],
)
def test_what_is_no_library_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "x.so"
    path.write_bytes(content)
    with pytest.raises(NotReadable):
        architectures_in(path)


@pytest.mark.parametrize("cut", [4, 40, 70, 100])
def test_a_container_cut_short_is_not_half_believed(tmp_path, cut):
    whole = container(entry(CUBIN, 80), entry(CUBIN, 90))
    path = library(tmp_path / "x.so", whole)
    data = bytearray(path.read_bytes())
    data[64 + 8 : 64 + 16] = struct.pack("<Q", len(whole) + cut)
    path.write_bytes(bytes(data))
    with pytest.raises(NotReadable):
        architectures_in(path)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.integers(min_value=0, max_value=399))
def test_no_bytes_bring_the_reader_down(tmp_path_factory, noise, at):
    path = library(
        tmp_path_factory.mktemp("fuzz") / "x.so", container(entry(CUBIN, 80), entry(PTX, 90, "a"))
    )
    data = bytearray(path.read_bytes())
    data[at : at + len(noise)] = noise
    path.write_bytes(bytes(data) or b"x")
    with contextlib.suppress(NotReadable):
        assert all(a.code or a.ptx for a in architectures_in(path))


def test_what_nvcc_writes_is_read(tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("no nvcc here")
    source = tmp_path / "k.cu"
    source.write_text("__global__ void add(float *a) { a[threadIdx.x] += 1; }\n")
    lib = tmp_path / "k.so"
    wanted = {
        "sm_80": "compute_80",
        "sm_90a": "compute_90a",
        "sm_120": "compute_120",
        "compute_120": "compute_120",
    }
    options = [f"-gencode=arch={arch},code={code}" for code, arch in wanted.items()]
    done = subprocess.run(
        [nvcc, "-shared", "-Xcompiler", "-fPIC", "-cudart", "none", "-o", lib, source, *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"this nvcc cannot: {done.stderr[:200]}")
    assert texts(lib) == ["8.0", "9.0a", "12.0+PTX"]
