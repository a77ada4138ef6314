"""The picture of the playground in README, and the command that takes it."""

from __future__ import annotations

import json
import struct
import urllib.request
from pathlib import Path

import pytest

from scripts import playground_picture
from tests.playground.api_stub import KEY, ApiStub, chat
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")
ROOT = Path(__file__).parents[2]


def size_of(picture: bytes) -> tuple[int, int]:
    """The width and height in a PNG's header."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_readme_shows_the_picture_and_the_command_that_takes_it() -> None:
    picture = playground_picture.TARGET
    readme = (ROOT / "README.md").read_text()
    assert f"]({picture.relative_to(ROOT)})" in readme
    assert "python -m scripts.playground_picture" in readme
    assert len(picture.read_bytes()) <= playground_picture.MAX_BYTES
    assert size_of(picture.read_bytes()) == (1350, 800)


def test_the_picture_shows_the_page_after_a_response(page: Page, stub: ApiStub) -> None:
    stub.stream = lambda send: send(chat(playground_picture.RESPONSE))
    try:
        picture = playground_picture.take_picture(page.chrome, stub.url, KEY)
        assert page.all(".user .text") == [playground_picture.PROMPT]
        assert page.all(".assistant strong") == ["No language model runs here"]
        assert page.all(".assistant pre")
    finally:
        page.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert size_of(picture) == (1350, 800)


def test_its_container_streams_the_text_that_says_that_no_model_runs() -> None:
    with playground_picture.serve_container() as url:
        body = json.dumps({"messages": [{"role": "user", "content": "Hello"}], "stream": True}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{url}/invocations", body), timeout=30) as response:
            events = response.read().decode().split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert events[-2:] == ["data: [DONE]", ""]
    text = "".join(choice["delta"]["content"] for chunk in chunks for choice in chunk["choices"])
    assert text == playground_picture.RESPONSE
    assert text.startswith("**No language model runs here**")
    assert chunks[-1]["usage"]["completion_tokens"] == len(chunks) - 1
