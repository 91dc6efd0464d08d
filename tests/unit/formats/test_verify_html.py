"""`verify --report FILE.html`: one page that asks nobody, and holds a stranger's text as text."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from envguard.formats.reports.verify_html import verify_html
from envguard.model.report import Report, Subject
from tests.verify_reports import SCRIPT, full_report


class Page(HTMLParser):
    """Elements with their attributes, and the text by the class it is in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "every element ends where it should"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(verify_html(full_report(), rules_date="2026-11-22"))


def test_nothing_is_asked_of_anybody(page: Page) -> None:
    assert {tag for tag, _ in page.elements} <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "footer",
            "section",
            "article",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "p",
            "dl",
            "dt",
            "dd",
            "div",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
        ),
        *("span", "a", "svg", "rect", "details", "summary", "pre", "ul", "li"),
    }
    named = {name for _, attributes in page.elements for name in attributes}
    assert not {
        name for name in named if name.startswith("on") or name in ("style", "src", "srcset")
    }
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    assert links == ["https://docs.nvidia.com/deeplearning/cudnn/"]


def test_the_policy_allows_our_style_alone() -> None:
    text = verify_html(full_report(), rules_date="2026-11-22")
    [style] = re.findall(r"(?s)<style>(.*?)</style>", text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in text
    assert "url(" not in style
    assert "@import" not in style


def test_a_strangers_text_is_shown_and_is_no_markup(page: Page) -> None:
    assert SCRIPT in "".join(page.text)
    assert page.open == []
    assert "\\x00\\x1b[31m\\u202e" in "".join(page.text)


def test_the_page_has_all_that_the_report_has(page: Page) -> None:
    text = " ".join(" ".join(page.text).split())
    for words in (
        "FAIL",
        "NOT verified: 1 crashed",
        "CRASHED",
        "module unload cudnn/9.1",
        "tried: 12 of 12 pass",
        "701.4 TFLOP/s",
        "71 %",
        "2890 GB/s",
        "not tabled",
        "_conv_forward",
        "NVRM: Xid",
        "Loaded libraries",
        "libcudnn.so.9",
        "cudnn/9.1 (module)",
        "Nvidia driver version: 570.26",
        "[conda] pytorch 2.9.1 cuda129_py312_h1 conda-forge",
        "281 packages in /scratch/pkgs (hard links: beside the package cache)",
        "2.4 GB at most in one process",
        "rules of 2026-11-22",
    ):
        assert words in text, words


def test_a_report_of_nothing_is_a_page_too() -> None:
    page = Page(verify_html(Report("verify", Subject("python", "/p")), rules_date="2026-11-22"))
    assert "UNKNOWN" in "".join(page.text)


FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--disable-dev-shm-usage", "--enable-logging=stderr"]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_shows_it_as_it_is_meant_and_runs_nothing(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    (tmp_path / "page.html").write_text(verify_html(full_report(), rules_date="2026-11-22"))
    done = subprocess.run(
        [
            *(CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path}/profile"),
            *("--dump-dom", (tmp_path / "page.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
        check=True,
    )
    assert "Content Security Policy" not in done.stderr, "the policy refuses nothing of ours"
    shown = Page(done.stdout)
    assert not [tag for tag, _ in shown.elements if tag == "script"]
    assert "CRASHED" in "".join(shown.text)
