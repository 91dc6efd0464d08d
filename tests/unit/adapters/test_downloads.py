"""Small downloads: https only, no longer than allowed, on every hop. Against real servers on loopback."""

from __future__ import annotations

from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from envguard.adapters.downloads import fetch, refuse_unsafe
from envguard.errors import InputError, UnavailableError
from tests.real_data import serving


class Redirecting(SimpleHTTPRequestHandler):
    """/on/N leads to /on/N-1 and at last to /file; /off leads to plain http elsewhere; /cut ends early."""

    def do_GET(self) -> None:
        if self.path.startswith("/on/"):
            left = int(self.path.rpartition("/")[2])
            self._lead(f"/on/{left - 1}" if left > 1 else "/file")
        elif self.path == "/off":
            self._lead("http://mirror.example/file?signature=hidden")
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
        else:
            super().do_GET()

    def _lead(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"0123456789")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "most", "said"),
    [
        pytest.param("/file", 10, None, id="as long as may be"),
        pytest.param("/file", 9, "has more than 9 bytes", id="one byte more"),
        pytest.param("/on/4", 10, None, id="redirected four times"),
        pytest.param("/on/5", 10, "leads on more than 5 times", id="once too often"),
        pytest.param("/off", 10, "leads elsewhere: http://mirror.example/file", id="to plain http"),
        pytest.param("/missing", 10, "could not be fetched: HTTP 404", id="not there"),
        pytest.param("/cut", 1000, "could not be fetched: ", id="cut"),
    ],
)
def test_what_comes(site: Path, path: str, most: int, said: str | None) -> None:
    with serving(site, Redirecting) as url:
        if said is None:
            assert fetch(url + path, most) == b"0123456789"
            return
        with pytest.raises(UnavailableError) as error:
            fetch(url + path, most)
    assert said in error.value.message
    assert "hidden" not in error.value.message


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        pytest.param("https://index.example/rules.json", True, id="https"),
        pytest.param("http://127.0.0.1:8000/rules.json", True, id="loopback"),
        pytest.param("http://[::1]:8000/rules.json", True, id="loopback, IPv6"),
        pytest.param("http://localhost/rules.json", True, id="by name"),
        pytest.param("http://index.example/rules.json", False, id="plain http"),
        pytest.param("http://localhost.index.example/x", False, id="a name that begins so"),
        pytest.param("http://127.0.0.1@index.example/x", False, id="a user that looks so"),
        pytest.param("file:///etc/passwd", False, id="a file"),
        pytest.param("ftp://index.example/x", False, id="ftp"),
        pytest.param("rules.json", False, id="no URL"),
        pytest.param("https://", False, id="no host"),
        pytest.param("http://[::1/x", False, id="half an address"),
    ],
)
def test_only_https_is_fetched(url: str, fetched: bool) -> None:
    if fetched:
        refuse_unsafe(url)
    else:
        with pytest.raises(InputError):
            refuse_unsafe(url)


def test_no_credential_is_told() -> None:
    with pytest.raises(InputError) as error:
        refuse_unsafe("http://user:secret@index.example/t/tk-1/rules.json?key=k")
    assert error.value.message.startswith("http://index.example/rules.json: only https")
