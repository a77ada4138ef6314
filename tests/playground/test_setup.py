"""The playground's key, models, URLs and curl command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from tests.playground.api_stub import KEY, ApiStub
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")
STORED = "return sessionStorage.getItem('playground-key')"


def test_the_model_is_described_and_its_context_limits_the_tokens(opened: Page) -> None:
    opened.until(lambda: opened.find("about").text == "hub/llama · TGI 3.3.6 · 16384 tokens of context")
    assert opened.find("tokens").get_property("max") == "8192"
    assert opened.all("#model option") == ["llama", "falcon"]


def test_the_key_is_stored_only_on_request_and_is_never_in_a_url(opened: Page, stub: ApiStub) -> None:
    chrome = opened.chrome
    assert chrome.execute_script(STORED) is None
    opened.find("keep").click()
    assert chrome.execute_script(STORED) == KEY
    chrome.refresh()
    opened.until(lambda: opened.find("model").get_property("value"))
    assert opened.find("key").get_property("value") == KEY
    opened.find("keep").click()
    assert chrome.execute_script(STORED) is None
    opened.say("Hello?")
    opened.wait_for_response()
    assert chrome.execute_script("return localStorage.length + document.cookie.length") == 0
    assert not [url for url in [*stub.paths, chrome.current_url] if KEY in url]


def test_a_wrong_key_is_reported_before_anything_is_sent(page: Page, stub: ApiStub) -> None:
    page.open(f"{stub.url}/", key="")
    page.until(lambda: page.find("about").text == "Enter a key to see the models.")
    page.say("Hello?")
    assert page.find("about").text == "Enter a key to choose a model."
    page.enter_key("wrong")
    page.until(lambda: page.find("about").text == "The key was not accepted. Send a key.")
    page.enter_key("wr\u00f6ng\u2026")
    page.until(lambda: page.find("about").text == "The key has characters that no key can have.")
    assert stub.chats == []


def test_an_open_api_needs_no_key(page: Page, stub: ApiStub) -> None:
    stub.needs_key = False
    page.open(f"{stub.url}/", key="")
    page.until(lambda: page.find("model").get_property("value") == "llama")
    page.say("Hello?")
    assert page.wait_for_response() == "Hello there"
    assert "Authorization" not in page.find("curl").get_property("textContent")


def test_the_page_finds_the_api_below_its_stage_with_and_without_a_slash(page: Page, stub: ApiStub) -> None:
    page.open(stub.url)
    page.say("Hello?")
    assert page.wait_for_response() == "Hello there"
    assert {url.split("/")[1] for url in stub.paths if url != "/favicon.ico"} == {"prod"}


def test_the_curl_command_is_the_same_request_without_the_key(opened: Page, stub: ApiStub, tmp_path: Path) -> None:
    text = "It's \"$HOME\" `id` $(id) \\n !! 'quoted' \\' é🎈"
    opened.find("system").send_keys("Don't.")
    opened.say(text)
    opened.wait_for_response()
    shown = str(opened.find("curl").get_property("textContent"))
    assert KEY not in shown
    assert "Bearer $KEY" in shown
    assert curl_arguments(shown, tmp_path) == [
        "-N",
        f"{stub.url}/v1/chat/completions",
        "-H",
        f"Authorization: Bearer {KEY}",
        "-H",
        "Content-Type: application/json",
        "-d",
        stub.chats[0],
    ]
    opened.find("message").send_keys("Next")
    draft = curl_arguments(str(opened.find("curl").get_property("textContent")), tmp_path)[-1]
    assert [message["content"] for message in draft["messages"]] == ["Don't.", text, "Hello there", "Next"]


def curl_arguments(line: str, folder: Path) -> list[Any]:
    """The arguments that a shell passes to curl, with the body as JSON."""
    curl = folder / "curl"
    curl.write_text('#!/bin/sh\nfor argument; do printf "%s\\0" "$argument"; done\n')
    curl.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "KEY": KEY, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, check=True, timeout=30)
    *arguments, body = done.stdout.decode().rstrip("\0").split("\0")
    return [*arguments, json.loads(body)]


def test_the_curl_command_can_be_copied(opened: Page) -> None:
    opened.chrome.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    opened.chrome.find_element(By.TAG_NAME, "summary").click()
    opened.find("copy").click()
    opened.until(lambda: opened.find("copy").text in ("Copied", "Selected"))
    copied = opened.chrome.execute_script("return getSelection().toString()")
    if opened.find("copy").text == "Copied":
        copied = opened.chrome.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.startswith("curl -N 'http://127.0.0.1:")
