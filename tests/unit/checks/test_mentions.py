"""What is an error, and what is only spoken of."""

from __future__ import annotations

import pytest

from envguard.checks.mentions import is_mention


@pytest.mark.parametrize(
    ("line", "mention"),
    [
        pytest.param("RuntimeError: FAULT", False, id="a program"),
        pytest.param("I tensorflow/core/a.cc:7] FAULT", False, id="a level of TensorFlow's"),
        pytest.param("I1122 10:00:00 a.cc:7] FAULT", False, id="a level of glog's"),
        pytest.param("E I/O error: FAULT", False, id="input and output"),
        pytest.param("12:00 my-host kernel: FAULT", False, id="a host"),
        pytest.param("I got FAULT once, and now it hangs", True, id="a person"),
        pytest.param("Sometimes my server says FAULT", True, id="a person's server"),
        pytest.param("then we saw FAULT", True, id="several persons"),
        pytest.param("FAULT, I think", False, id="words behind it"),
        pytest.param('it printed "FAULT" here', True, id="quotes"),
        pytest.param("WARNING: FAULT", True, id="a level below error"),
    ],
)
def test_who_speaks_of_an_error_has_none(line: str, mention: bool) -> None:
    assert is_mention(line, line.index("FAULT")) is mention
