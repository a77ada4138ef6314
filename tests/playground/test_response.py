"""The playground's page as the function serves it."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from front_door.app import App
from front_door.config import Config, Model
from front_door.http.response import Response
from front_door.protocols import playground

from constructs_lib.front_door.playground_page import render_page
from tests.playground.api_stub import SOURCE

PAGE = render_page(SOURCE)
POLICY = playground.content_security_policy(PAGE.encode())
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


class Parts(HTMLParser):
    """The page's code, and all of its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self.attributes: list[tuple[str, str | None]] = []
        self._inside = ""
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.code:
            self.code[self._inside].append(data)


def policy() -> dict[str, str]:
    directives = (part.strip().split(" ", 1) for part in POLICY.split(";"))
    return dict(directives)


def get_root(accept: str | None, page: Path | None) -> Response:
    """The response to `GET /`."""
    model = Model("llama", "llama-endpoint", None, 6291456)
    path = None if page is None else str(page)
    app = App(Config({"llama": model}, NOWHERE, NOWHERE, "eu-west-1", playground_page=path))
    headers = {} if accept is None else {"Accept": accept}
    event = {"httpMethod": "GET", "path": "/", "headers": headers, "requestContext": {"requestId": "gateway-id"}}
    return app.handle(event, SimpleNamespace(request_id="lambda-id", deadline=time.time() + 1))  # type: ignore[arg-type]


def test_a_browser_gets_the_page(page_file: Path) -> None:
    response = get_root("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", page_file)
    assert (response.status, list(response.body)) == (200, [PAGE.encode()])
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (response.headers["Cache-Control"], response.headers["Vary"]) == ("no-cache", "Accept")


@pytest.mark.parametrize(
    ("accept", "has_playground"), [("*/*", True), (None, True), ("application/json", True), ("text/html", False)]
)
def test_other_clients_and_front_doors_without_a_playground_get_tgis_health(
    page_file: Path, accept: str | None, has_playground: bool
) -> None:
    response = get_root(accept, page_file if has_playground else None)
    assert response.status == 503  # there is no endpoint
    assert response.headers["Content-Type"] == "application/json"


def test_a_page_that_the_layer_does_not_have_is_an_error_that_the_log_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    response = get_root("text/html", tmp_path / "index.html")
    assert response.status == 500
    assert "FileNotFoundError" in capsys.readouterr().out


def test_the_policy_allows_only_the_pages_own_scripts_and_style() -> None:
    for directive, tag, count in (("script-src", "script", 2), ("style-src", "style", 1)):
        codes = Parts().code[tag]
        assert len(codes) == count
        hashes = (base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes)
        assert policy()[directive] == " ".join(f"'sha256-{value}'" for value in hashes)
    rest = {name: value for name, value in policy().items() if name not in ("script-src", "style-src")}
    assert rest == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_the_page_has_no_code_in_attributes() -> None:
    names = {name for name, _ in Parts().attributes}
    assert "style" not in names
    assert not {name for name in names if name.startswith("on")}


def test_the_page_is_small_and_loads_nothing() -> None:
    library = (SOURCE / "vendor" / "markdown-it" / "markdown-it.umd.min.js").read_text()
    own = PAGE.replace(library, "")
    assert len(PAGE.encode()) < 160_000
    assert len(own.encode()) < 50_000
    urls = [value for name, value in Parts().attributes if name in ("src", "href")]
    assert urls == ["data:,"]
    code = re.sub(r"<!--.*?-->", "", own, flags=re.DOTALL)
    assert not re.search(r"https?://|@import|\burl\(", code)


def test_the_page_never_parses_text_as_html() -> None:
    (_, own) = Parts().code["script"]
    assert not re.search(r"innerHTML|outerHTML|HTML\(|document\.write|\beval\b|new Function|DOMParser", own)


def test_the_vendored_library_is_the_published_file() -> None:
    """The digests are those of npm's registry and of the file in its package."""
    folder = SOURCE / "vendor" / "markdown-it"
    digest = hashlib.sha256((folder / "markdown-it.umd.min.js").read_bytes()).hexdigest()
    assert digest == "391f2aa638e75e6c7859d0a5c5650ef0956722a45998f17e05b83bc655778e1e"
    about = (folder / "README.md").read_text()
    assert "15.0.3" in about
    assert digest in about


def test_the_page_carries_the_licences_of_everything_in_the_vendored_file() -> None:
    licenses = SOURCE / "vendor" / "markdown-it" / "licenses"
    names = {"markdown-it", "linkify-it", "mdurl", "uc.micro", "entities", "punycode.js"}
    assert {file.name for file in licenses.iterdir()} == {f"{name}.txt" for name in names}
    for file in licenses.iterdir():
        assert "Copyright" in file.read_text()
        assert file.read_text() in PAGE
