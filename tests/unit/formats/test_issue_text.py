"""What people paste, as programs wrote it."""

from __future__ import annotations

import pytest

from envguard.formats.issue_text import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\nb", "a\nb", id="a log stays as it is"),
        pytest.param("```python\nKilled\n```", "Killed", id="a code block"),
        pytest.param("~~~\nKilled\n~~~", "Killed", id="the other fence"),
        pytest.param("> > Killed", "Killed", id="a quote of a quote"),
        pytest.param("\x1b[31mKilled\x1b[0m", "Killed", id="colours"),
        pytest.param("\x1b]0;title\x07Killed", "Killed", id="the title of a terminal"),
        pytest.param("  1%|#  \r 99%|###\rKilled", "Killed", id="a progress bar"),
        pytest.param("Killed\r\nnext", "Killed\nnext", id="lines of Windows"),
        pytest.param(
            "before\n![shot](http://x/MemoryError.png)\nafter", "before\n \nafter", id="a picture"
        ),
        pytest.param('<img src="MemoryError.png">', " ", id="a picture in HTML"),
        pytest.param("<!-- MemoryError\n-->rest", " rest", id="what the template says"),
        pytest.param("`MemoryError`", "MemoryError`", id="code in a line"),
        pytest.param("a > b", "a > b", id="a comparison"),
        pytest.param(">>> import x", ">>> import x", id="an import at Python's prompt"),
        pytest.param("> >>> from x import y", ">>> from x import y", id="the same, quoted"),
        pytest.param(">>> Killed", "Killed", id="a quote of a quote of a quote"),
    ],
)
def test_decoration_goes_and_lines_stay(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_strangers_text_takes_no_time() -> None:
    for text in ("<!--" * 20000, "![" * 50000, "> " * 50000, "\x1b[" * 50000, "`" * 100000):
        assert len(plain(text)) <= len(text)
