"""The search for the entry that decides: what it tries, and what it names."""

from __future__ import annotations

import random

import pytest

from envguard.checks.culprits import (
    Search,
    entry_groups,
    environment_without,
    group_in_words,
    search,
    smallest,
)
from envguard.model.culprit import Entry, EntryKind, Surroundings

FOLDERS = tuple(Entry(EntryKind.LIBRARY_PATH, f"/apps/{n}/lib") for n in range(5))
PYTHON = tuple(Entry(EntryKind.PYTHON_PATH, f"/srv/{n}") for n in range(2))
VARIABLES = tuple(Entry(EntryKind.VARIABLE, "1", f"V{n:02}") for n in range(32))
GROUPS = (FOLDERS, PYTHON, VARIABLES)


def follow(steps: Search, culprits: set[Entry]) -> tuple[tuple[Entry, ...], int]:
    """What is found where the probe passes once all `culprits` are left out, and in how many tries."""
    count = 0
    try:
        step = next(steps)
        while True:
            count += 1
            step = steps.send(culprits <= step.left_out)
    except StopIteration as found:
        return found.value, count


@pytest.mark.parametrize(
    ("culprits", "most_tries"),
    [
        pytest.param({FOLDERS[0]}, 7, id="the first folder"),
        pytest.param({FOLDERS[4]}, 8, id="the last folder"),
        pytest.param({PYTHON[1]}, 5, id="PYTHONPATH"),
        pytest.param({VARIABLES[0]}, 9, id="the first variable"),
        pytest.param({VARIABLES[31]}, 14, id="the last of many variables"),
        pytest.param({FOLDERS[1], FOLDERS[3]}, 12, id="two folders, each of which is enough"),
        pytest.param({FOLDERS[1], VARIABLES[7]}, 24, id="a folder and a variable"),
    ],
)
def test_exactly_the_culprits_are_found(culprits: set[Entry], most_tries: int) -> None:
    found, tries = follow(search(GROUPS, frozenset()), culprits)
    assert set(found) == culprits
    assert tries <= most_tries


def test_what_fails_in_a_clean_environment_is_blamed_on_nothing_after_one_try() -> None:
    elsewhere = Entry(EntryKind.VARIABLE, "1", "NOT_THERE")
    assert follow(search(GROUPS, frozenset()), {elsewhere}) == ((), 1)


def test_with_nothing_to_leave_out_nothing_is_tried() -> None:
    assert follow(search((), frozenset()), set()) == ((), 0)


def test_the_folder_of_the_driver_is_left_out_only_where_the_rest_is_not_it() -> None:
    driver = frozenset({FOLDERS[2].value})
    steps = search(GROUPS, driver)
    assert FOLDERS[2] not in next(steps).left_out
    found, _ = follow(search(GROUPS, driver), {FOLDERS[2]})
    assert found == (FOLDERS[2],)
    found, _ = follow(search(GROUPS, driver), {FOLDERS[1]})
    assert found == (FOLDERS[1],)


def test_whatever_the_culprits_are_the_smallest_set_is_found() -> None:
    chance = random.Random(5)
    for _ in range(200):
        suspects = tuple(chance.sample(VARIABLES, chance.randint(1, 20)))
        culprits = set(chance.sample(suspects, chance.randint(1, min(3, len(suspects)))))
        found, _ = follow(smallest(suspects), culprits)
        assert set(found) == culprits


@pytest.mark.parametrize(
    ("variables", "left_out", "changed"),
    [
        pytest.param(
            {"LD_LIBRARY_PATH": "/a:/b:/c"},
            {Entry(EntryKind.LIBRARY_PATH, "/b")},
            {"LD_LIBRARY_PATH": "/a:/c"},
            id="one of three",
        ),
        pytest.param(
            {"LD_LIBRARY_PATH": "/a"},
            {Entry(EntryKind.LIBRARY_PATH, "/a")},
            {"LD_LIBRARY_PATH": None},
            id="the only one",
        ),
        pytest.param(
            {"LD_LIBRARY_PATH": "/a::/a:/b"},
            {Entry(EntryKind.LIBRARY_PATH, "/a")},
            {"LD_LIBRARY_PATH": ":/b"},
            id="twice there; an empty entry, the current folder, stays",
        ),
        pytest.param(
            {"LD_PRELOAD": "/a.so /b.so:/c.so"},
            {Entry(EntryKind.PRELOAD, "/b.so")},
            {"LD_PRELOAD": "/a.so:/c.so"},
            id="LD_PRELOAD takes spaces and colons",
        ),
        pytest.param(
            {"OMP_NUM_THREADS": "x"},
            {Entry(EntryKind.VARIABLE, "x", "OMP_NUM_THREADS")},
            {"OMP_NUM_THREADS": None},
            id="a variable is not set at all",
        ),
        pytest.param(
            {}, {Entry(EntryKind.USER_SITE, "/home/x")}, {"PYTHONNOUSERSITE": "1"}, id="user site"
        ),
    ],
)
def test_an_environment_without(
    variables: dict[str, str], left_out: set[Entry], changed: dict[str, str | None]
) -> None:
    assert environment_without(variables, frozenset(left_out)) == changed


def test_a_clean_run_keeps_where_things_are_and_which_cards_are_meant() -> None:
    around = Surroundings(
        {
            "PATH": "/bin", "HOME": "/home/x", "LANG": "C", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "1",
            "CONDA_PREFIX": "/p", "LOADEDMODULES": "a/1", "MKL_THREADING_LAYER": "GNU", "PROJECT": "x",
            "LD_LIBRARY_PATH": "/driver:/apps", "PYTHONPATH": "/work",
        },
        driver_folders=frozenset({"/driver"}),
    )  # fmt: skip
    told = [[e.name or e.value for e in group] for group in entry_groups(around, "/site")]
    assert told == [
        ["/apps"],
        ["/work", "/site"],
        ["MKL_THREADING_LAYER"],
        ["PROJECT"],
        ["/driver"],
    ]


MODULE = Entry(EntryKind.IMPORT, "faiss")


@pytest.mark.parametrize(
    ("group", "words"),
    [
        pytest.param(VARIABLES[:2], "V00 and 1 more", id="two variables"),
        pytest.param((MODULE, MODULE, MODULE), "faiss and 2 more", id="three modules"),
        pytest.param(FOLDERS[:2], "LD_LIBRARY_PATH", id="folders of one path"),
        pytest.param(
            (FOLDERS[0], PYTHON[0]), "LD_LIBRARY_PATH, PYTHONPATH", id="folders of two paths"
        ),
        pytest.param(FOLDERS[:1], "/apps/0/lib", id="one folder"),
    ],
)
def test_a_group_is_said_in_few_words(group: tuple[Entry, ...], words: str) -> None:
    assert words in group_in_words(group)
    assert len(group) > 1 or "more" not in group_in_words(group)
