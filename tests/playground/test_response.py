"""The playground's page as the function serves it."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from front_door.app import App
from front_door.config import Config, Model
from front_door.http.response import Response
from front_door.protocols import playground

PAGE = playground.PAGE.decode()
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
    directives = (part.strip().split(" ", 1) for part in playground.CONTENT_SECURITY_POLICY.split(";"))
    return dict(directives)


def get_root(accept: str | None, *, has_playground: bool = True) -> Response:
    """The response to `GET /`."""
    model = Model("llama", "llama-endpoint", None, 6291456)
    app = App(Config({"llama": model}, NOWHERE, NOWHERE, "eu-west-1", has_playground=has_playground))
    headers = {} if accept is None else {"Accept": accept}
    event = {"httpMethod": "GET", "path": "/", "headers": headers, "requestContext": {"requestId": "gateway-id"}}
    return app.handle(event, SimpleNamespace(request_id="lambda-id", deadline=time.time() + 1))  # type: ignore[arg-type]


def test_a_browser_gets_the_page() -> None:
    response = get_root("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    assert (response.status, list(response.body)) == (200, [playground.PAGE])
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"] == playground.CONTENT_SECURITY_POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (response.headers["Cache-Control"], response.headers["Vary"]) == ("no-cache", "Accept")


@pytest.mark.parametrize(
    ("accept", "has_playground"), [("*/*", True), (None, True), ("application/json", True), ("text/html", False)]
)
def test_other_clients_and_front_doors_without_a_playground_get_tgis_health(
    accept: str | None, has_playground: bool
) -> None:
    response = get_root(accept, has_playground=has_playground)
    assert response.status == 503  # there is no endpoint
    assert response.headers["Content-Type"] == "application/json"


def test_the_policy_allows_only_the_pages_own_script_and_style() -> None:
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (code,) = Parts().code[tag]
        assert policy()[directive] == f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
    assert policy()["default-src"] == "'none'"
    assert policy()["connect-src"] == "'self'"
    assert "unsafe" not in playground.CONTENT_SECURITY_POLICY


def test_the_page_has_no_code_in_attributes() -> None:
    names = {name for name, _ in Parts().attributes}
    assert "style" not in names
    assert not {name for name in names if name.startswith("on")}


def test_the_page_is_small_and_loads_nothing() -> None:
    assert len(playground.PAGE) < 20_000
    urls = [value for name, value in Parts().attributes if name in ("src", "href")]
    assert urls == ["data:,"]
    assert not re.search(r"https?://|@import|\burl\(", PAGE)


def test_the_page_never_parses_text_as_html() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser", PAGE
    )
