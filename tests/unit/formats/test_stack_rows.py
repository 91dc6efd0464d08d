"""The tables about what stands on CUDA or PyTorch: frameworks, extensions, cuDNN and compilers."""

from __future__ import annotations

import re

import pytest

from envguard.adapters.rules import load
from envguard.errors import InputError
from envguard.formats.tables.tables_yaml import knowledge_from, parse_tables
from envguard.model.conda import version_matches

HEAD = "collected: '2026-11-21'\nsources: {notes: 'https://index.example/notes'}\n"
BUILDS = (
    "framework_builds:\n- {names: [jaxlib], manager: conda, channel: conda-forge, subdirs: [linux-64], "
    "versions: '>=1', cuda: '>=12,<13', architectures: '8.0 9.0+PTX', source: notes}\n"
)
PINS = (
    "torch_pins:\n- {package: x, subdirs: [win-64], symptom: s, "
    "pairs: {'1': '2.6.0', '2': '2.7.0'}, source: notes}\n"
)
TAGS = "wheel_tags:\n- {names: [x], pattern: 'cu(?P<cuda>\\d+)', source: notes}\n"
CUDNN = (
    "torch_cudnn:\n- {channel: wheel, subdirs: [linux-64], torch: '2.6.*', cuda: ['12.6'], "
    "cudnn: '9.5.1', source: notes}\n"
)
GCC = "host_compilers:\n- {cuda: '12.9', gcc: '<15', subdirs: [linux-64], source: notes}\n"
WITH = "framework_cudnn:\n- {names: [x], subdirs: [linux-64], versions: '>=1', cudnn: '>=9', source: notes}\n"

LIBRARIES = (
    "cuda_libraries:\n- package: x\n  versions: ['1', '1.1']\n  subdirs: [linux-64]\n  symptom: s\n"
    "  libraries:\n  - {cuda: ['12.6', '12.8'], architectures: '8.0'}\n  - {cuda: '13.0'}\n  source: notes\n"
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            BUILDS.replace(", source: notes", ""),
            "framework_builds.0.source: is missing",
            id="builds",
        ),
        pytest.param(
            PINS.replace(", source: notes", ""), "torch_pins.0.source: is missing", id="pins"
        ),
        pytest.param(
            TAGS.replace(", source: notes", ""), "wheel_tags.0.source: is missing", id="tags"
        ),
        pytest.param(
            CUDNN.replace(", source: notes", ""), "torch_cudnn.0.source: is missing", id="cuDNN"
        ),
        pytest.param(
            GCC.replace(", source: notes", ""),
            "host_compilers.0.source: is missing",
            id="compilers",
        ),
        pytest.param(
            WITH.replace(", source: notes", ""),
            "framework_cudnn.0.source: is missing",
            id="with cuDNN",
        ),
        pytest.param(
            LIBRARIES.replace("  source: notes\n", ""),
            "cuda_libraries.0.source: is missing",
            id="libraries",
        ),
        pytest.param(
            BUILDS.replace("subdirs: [linux-64], ", ""),
            "framework_builds.0.subdirs: is missing",
            id="no platform",
        ),
        pytest.param(
            GCC.replace(", subdirs: [linux-64]", ""),
            "host_compilers.0.subdirs: is missing",
            id="no platform for a compiler",
        ),
        pytest.param(
            BUILDS.replace("9.0+PTX", "sm_90"),
            "framework_builds.0.architectures: 'sm_90' is no architecture",
            id="an architecture spelled otherwise",
        ),
        pytest.param(
            TAGS.replace("cuda>", "torch>"),
            "wheel_tags.0.pattern: 'cu(?P<torch>\\\\d+)' needs one named group",
            id="a pattern without its group",
        ),
        pytest.param(
            TAGS.replace("d+)", "d+"),
            "wheel_tags.0.pattern: 'cu(?P<cuda>\\\\d+' is no regular expression",
            id="a pattern that is none",
        ),
    ],
)
def test_a_mistake_in_such_a_row_is_named(text: str, problem: str) -> None:
    with pytest.raises(InputError) as error:
        parse_tables(HEAD + text, "t.yaml")

    (said,) = error.value.problems
    assert said.startswith("t.yaml:4: ")
    assert problem in said


def test_a_row_of_pairs_is_one_pin_each() -> None:
    knowledge = knowledge_from([parse_tables(HEAD + PINS, "t.yaml")])

    assert [(pin.versions, pin.torch) for pin in knowledge.torch_pins] == [
        ("1", "2.6.0"),
        ("2", "2.7.0"),
    ]
    assert {pin.origin.date for pin in knowledge.torch_pins} == {"2026-11-21"}


def test_every_torch_release_pins_one_cudnn_for_a_platform_and_cuda() -> None:
    """Where ranges overlap, the order of the rows would decide."""
    releases = [
        f"{major}.{minor}.0"
        for major, minors in ((1, (12, 14)), (2, (0, 16)))
        for minor in range(*minors)
    ]
    twice = [
        (row.channel, subdir, release, str(cuda))
        for row in load().torch_cudnn
        for subdir in row.subdirs
        for release in releases
        if version_matches(release, row.torch)
        for cuda in row.cuda
    ]

    assert len(twice) > 60
    assert len(set(twice)) == len(twice)


def test_every_pattern_of_ours_reads_the_cuda_of_a_real_name() -> None:
    names = ["cu12torch2.9cxx11abiTRUE", "cu118torch2.7cxx11abiFALSE", "pt26cu124", "pt210cu130"]
    read = [
        match["cuda"]
        for name in names
        for tag in load().wheel_tags
        if (match := re.match(tag.pattern, name))
    ]

    assert read == ["12", "118", "124", "130"]


@pytest.mark.parametrize(
    ("row", "table"),
    [
        ("{channel: wheel, subdirs: [linux-64], torch: '2.6.*', python: '>=3.9'", "torch_pythons"),
        ("{subdirs: [linux-64], torch: '2.6.*', nccl: '2.21.5'", "torch_nccl"),
        ("{cuda: '13.0', drivers: [535, 570]", "cuda_compat"),
        ("{kind: geforce, works: 'no'", "cuda_compat_cards"),
    ],
)
def test_a_row_without_a_source_is_refused(row: str, table: str) -> None:
    knowledge = parse_tables(f"{HEAD}{table}:\n- {row}, source: notes}}\n", "t.yaml")
    assert len(getattr(knowledge, table)) == 1

    with pytest.raises(InputError) as error:
        parse_tables(f"{HEAD}{table}:\n- {row}}}\n", "t.yaml")
    assert f"t.yaml:4: {table}.0.source: is missing" in error.value.problems


def test_drivers_are_whole_numbers() -> None:
    row = "cuda_compat:\n- {cuda: '13.0', drivers: ['535'], source: notes}\n"
    with pytest.raises(InputError) as error:
        parse_tables(HEAD + row, "t.yaml")
    assert "'535': a whole number is expected" in error.value.problems[0]


def test_a_release_of_torch_has_its_pythons_and_its_nccl_once() -> None:
    """Where ranges overlap, the order of the rows would decide."""
    releases = [f"{major}.{minor}.{patch}" for major, minors in ((1, range(6, 14)), (2, range(16)))
                for minor in minors for patch in (0, 1, 2)]  # fmt: skip
    pythons = [
        (row.channel, release)
        for row in load().torch_pythons
        for release in releases
        if version_matches(release, row.torch)
    ]
    nccl = [r for row in load().torch_nccl for r in releases if version_matches(r, row.torch)]

    assert len(set(pythons)) == len(pythons) > 60
    assert len(set(nccl)) == len(nccl) > 20


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            LIBRARIES.replace("{cuda: '13.0'}", "{architectures: '9.0'}"),
            "t.yaml:10: cuda_libraries.0.libraries.1.cuda: is missing",
            id="a library for no CUDA",
        ),
        pytest.param(
            LIBRARIES.replace("architectures", "architecture"),
            "t.yaml:9: cuda_libraries.0.libraries.0.architecture: is no known key",
            id="a key that there is not",
        ),
    ],
)
def test_a_mistake_in_one_of_several_libraries_is_named(text: str, problem: str) -> None:
    with pytest.raises(InputError) as error:
        parse_tables(HEAD + text, "t.yaml")
    assert problem in error.value.problems
