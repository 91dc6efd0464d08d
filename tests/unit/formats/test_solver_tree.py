"""The solver's tree, read as obstacles."""

from __future__ import annotations

import pytest

from envguard.formats.solver_tree import Ending, obstacles

NONE = "cannot be installed because there are no viable options:"
PRIORITY = (
    "is excluded because due to strict channel priority not using this option from: "
    "'https://conda.anaconda.org/nvidia/'"
)
TREES = [
    pytest.param(
        f"""Cannot solve the request because of: pandas ~=1.5.3 {NONE}
└─ pandas 1.5.3 would require
   └─ python >=3.11,<3.12.0a0, for which no candidates were found.
""",
        [("pandas 1.5.3 needs python >=3.11,<3.12.0a0", Ending.MISSING)],
        id="a version that is not there",
    ),
    pytest.param(
        """Cannot solve the request because of: a * cannot be installed because there are no viable options:
├─ a 2.0 would require
│  └─ b ==2.0, which cannot be installed because there are no viable options:
│     ├─ b 2.0 would require
│     │  └─ python >=3.14,<3.15.0a0, for which no candidates were found.
│     └─ b 2.0 would require
│        └─ python >=3.13,<3.14.0a0, for which no candidates were found.
└─ a 1.0 would require
   └─ b ==1.0, which cannot be installed because there are no viable options:
      └─ b 1.0 would require
         └─ python 3.5.*, for which no candidates were found.
""",
        [
            (
                "a 2.0 | 1.0 needs b 2.0 | 1.0, which needs "
                "python >=3.14,<3.15.0a0 | >=3.13,<3.14.0a0 | 3.5.*",
                Ending.MISSING,
            )
        ],
        id="branches that differ in versions alone are one",
    ),
    pytest.param(
        """Cannot solve the request because of: The following packages are incompatible
├─ python >=3.12,<3.13 can be installed with any of the following options:
│  └─ python 3.12.0 | 3.12.1 | ... | 3.12.13
└─ torchvision >=0.26.0 cannot be installed because there are no viable options:
   └─ torchvision 0.26.0 would require
      └─ python_abi 3.14.* *_cp314, which cannot be installed because there are no viable options:
         └─ python_abi 3.14 would constrain
            └─ python 3.14.* *_cp314, which conflicts with any installable versions previously reported
""",
        [
            (
                "torchvision 0.26.0 needs python_abi 3.14, which allows only python 3.14.* *_cp314",
                Ending.CONFLICT,
            )
        ],
        id="what only constrains",
    ),
    pytest.param(
        f"""Cannot solve the request because of: The following packages are incompatible
└─ x 11.8.* {NONE}
   └─ x 11.8 would require
      └─ cuda-cudart >=11.8,<12.0, which {NONE}
         └─ cuda-cudart 11.8.89 {PRIORITY}
""",
        [("x 11.8 needs cuda-cudart >=11.8,<12.0", Ending.PRIORITY)],
        id="the order of channels",
    ),
    pytest.param(
        """Cannot solve the request because of: a * cannot be installed because there are no viable options:
└─ a 1 would require
   └─ rope *, which cannot be installed because there are no viable options:
      └─ rope 1.14.0 would require
         └─ python >=3.9, which cannot be installed because there are no viable options:
            ├─ python 3.14.7, which conflicts with the versions reported above.
            └─ python 3.14.6, which conflicts with the versions reported above.
""",
        [("a 1 needs rope 1.14.0, which needs python >=3.9", Ending.CONFLICT)],
        id="every version conflicts",
    ),
    pytest.param("something else altogether", [], id="words that nobody knows"),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_the_ways_to_an_obstacle(tree: str, expected: list[tuple[str, Ending]]) -> None:
    assert [(str(way), way.ending) for way in obstacles(tree)] == expected


def test_many_versions_are_told_by_the_newest_and_the_oldest():
    lines = "".join(
        f"├─ a {minor}.0 would require\n│  └─ python <{minor}, for which no candidates were found.\n"
        for minor in (9, 10, 11, 12, 13)
    )
    (way,) = obstacles(lines)
    assert str(way) == "a 13.0 | 12.0 | ... | 9.0 needs python <9 | <10 | ... | <13"
