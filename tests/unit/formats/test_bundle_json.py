"""Bundles: out and in again, and what strangers make of them."""

from __future__ import annotations

import json

import pytest

from envguard.errors import InputError
from envguard.formats.bundle_json import bundle_to_json, is_bundle, parse_bundle
from envguard.model.bundle import Bundle, BundledEnvironment, BundledPackage
from envguard.model.diagnosis import (
    DiskUse,
    GpuHolder,
    GpuUse,
    HostFacts,
    Kernelspec,
    Log,
    ResourceFacts,
    Revision,
    Storage,
)
from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.redaction import Private
from envguard.model.version import Dotted

WHOLE = Bundle(
    created="2026-11-22T05:00:00Z",
    machine=Machine(
        "linux-64", driver=Driver(Dotted.parse("570.26"), Dotted.parse("12.8")), gpus=(Gpu(0),)
    ),
    host=HostFacts("docker", 100, 90, 95, 0, 2, shm_bytes=64, shm_free_bytes=0, running_s=3.0,
                   storage=Storage("/w", "overlay", None), looked=("/proc/self/cgroup",)),
    resources=ResourceFacts(
        1, 2, (GpuUse(0, "L4", 10, 9, (GpuHolder(7, None, 5),)),), (DiskUse("/w", 9, 8),)
    ),
    environment=BundledEnvironment(
        "/p",
        "prefix",
        (BundledPackage("python", "3.12.0", "h0_0", "conda-forge"), BundledPackage("x", "1", manager="pip")),
        (Revision(0, "2026-01-02 03:04:05", "conda create", ("+python-3.12.0-h0_0",)),),
        Kernelspec("python3", "/k/kernel.json", "/p/bin/python", exists=True),
    ),
    logs=(Log("train.log", "Killed\n", 7),),
)  # fmt: skip


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(WHOLE, id="all of it"),
        pytest.param(Bundle("2026-11-22T05:00:00Z", Machine("osx-arm64")), id="the least"),
        pytest.param(
            Bundle("x", Machine("linux-64"), resources=ResourceFacts(gpus=())),
            id="no GPU is no unknown",
        ),
    ],
)
def test_a_bundle_is_what_it_was(bundle: Bundle) -> None:
    text = bundle_to_json(bundle)
    assert is_bundle(text)
    assert parse_bundle(text, "b") == bundle


def test_what_is_written_names_nobody() -> None:
    log = Log("/home/ada/train.log", "ada@gpu-17 token=abcdef0123456789\n")
    text = bundle_to_json(
        Bundle(
            "x", Machine("linux-64", environment={"LD_LIBRARY_PATH": "/home/ada/lib"}), logs=(log,)
        ),
        Private(("/home/ada",), ("ada",), ("gpu-17",)),
    )
    assert "ada" not in text
    assert "gpu-17" not in text
    assert "abcdef0123456789" not in text


def broken(**changes: object) -> str:
    return json.dumps({**json.loads(bundle_to_json(WHOLE)), **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param('{"kind": "other"}', "no bundle", id="something else"),
        pytest.param("[" * 100000, "not JSON", id="nested without an end"),
        pytest.param(broken(schema_version=2), "schema_version", id="of the future"),
        pytest.param(broken(host={"oom_kills": "many"}), "host.oom_kills: int", id="another type"),
        pytest.param(
            broken(host={"oom_kills": True}), "host.oom_kills: int", id="a truth is no number"
        ),
        pytest.param(broken(host={"x": 1}), "'x' is no key", id="another key"),
        pytest.param(broken(extra=1), "'extra' is no key", id="another part"),
        pytest.param(
            broken(logs=[{"text": "a"}]), "logs[0].name: is missing", id="a key is missing"
        ),
        pytest.param(broken(logs={}), "logs a list", id="no list"),
        pytest.param(broken(machine={}), "machine", id="no machine"),
    ],
)
def test_a_mistake_is_told_by_its_key(text: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        parse_bundle(text, "b.json")
    assert words in " ".join((told.value.message, *told.value.problems))


def test_an_issue_is_no_bundle() -> None:
    assert not is_bundle("Segmentation fault")
    assert not is_bundle('{"schema_version": 1}')


def test_the_mark_that_an_editor_of_windows_puts_first_is_none_of_it() -> None:
    text = "\ufeff" + bundle_to_json(WHOLE)
    assert is_bundle(text)
    assert parse_bundle(text, "b.json").created == WHOLE.created
