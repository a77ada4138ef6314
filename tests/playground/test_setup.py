"""The playground's models, settings, URLs and curl command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import KEY, ApiStub
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")


def test_the_model_is_described_and_its_context_limits_the_tokens(opened: Page) -> None:
    assert opened.find("about").text == "hub/llama · TGI 3.3.6 · context of 16384 tokens"
    assert opened.find("tokens").get_property("max") == "8192"
    assert opened.all("#model option") == ["llama", "falcon"]


def test_settings_are_remembered(opened: Page, stub: ApiStub) -> None:
    opened.find("temperature").send_keys(Keys.ARROW_LEFT * 2)
    opened.find("tokens").send_keys(Keys.ARROW_RIGHT)
    opened.find("model").send_keys("falcon")
    opened.until(lambda: "hub/falcon" in opened.find("about").text)
    opened.find("system").send_keys("Be brief.")
    opened.open(f"{stub.url}/")
    opened.until(lambda: "hub/falcon" in opened.find("about").text)
    assert opened.find("temperature").get_property("value") == "0.6"
    assert opened.find("temperature-value").text == "0.60"
    assert opened.find("tokens").get_property("value") == "528"
    assert opened.find("system").get_property("value") == ""
    opened.say("Hello?")
    opened.wait_for_response()
    assert {name: stub.chats[0][name] for name in ("model", "temperature", "max_tokens")} == {
        "model": "falcon",
        "temperature": 0.6,
        "max_tokens": 528,
    }


def test_a_remembered_limit_is_kept_for_models_that_allow_it(opened: Page, stub: ApiStub) -> None:
    opened.find("tokens").send_keys(Keys.END)
    assert opened.find("tokens").get_property("value") == "8192"
    stub.context = 1024
    opened.open(f"{stub.url}/")
    assert opened.find("tokens").get_property("value") == "1008"
    stub.context = 16384
    opened.open(f"{stub.url}/")
    assert opened.find("tokens").get_property("value") == "8192"


def test_a_remembered_model_that_is_gone_is_not_chosen(opened: Page, stub: ApiStub) -> None:
    opened.find("model").send_keys("falcon")
    opened.until(lambda: "hub/falcon" in opened.find("about").text)
    stub.models = ["mistral"]
    opened.open(f"{stub.url}/")
    assert opened.find("model").get_property("value") == "mistral"


@pytest.mark.parametrize("stored", ["nonsense", "null", "7", '{"tokens": "many", "temperature": null, "model": {}}'])
def test_unusable_stored_settings_are_ignored(page: Page, stub: ApiStub, stored: str) -> None:
    page.chrome.get(f"{stub.url}/")
    page.chrome.execute_script("localStorage.setItem(`playground ${location.href}`, arguments[0])", stored)
    page.open(f"{stub.url}/")
    page.say("Hello?")
    assert page.wait_for_response() == "Hello there"
    assert 0 <= stub.chats[0]["temperature"] <= 2


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
    opened.chrome.find_element(By.TAG_NAME, "summary").click()
    assert opened.copy(".curl .copy").startswith("curl -N 'http://127.0.0.1:")
