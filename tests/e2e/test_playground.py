"""The playground of a deployed door, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deployed_cloud import Cloud

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.xdist_group("e2e")
ENTER, TAB = "\ue007", "\ue004"
FIGURES = re.compile(r"(\d+) tokens · ([\d.]+) tokens/s · first token after (\d+) ms · prompt (\d+) tokens(.*)")


class Opened:
    """The page in a browser, with the key of the deployment."""

    def __init__(self, chrome: Chrome, cloud: Cloud) -> None:
        self.chrome = chrome
        cloud.pace.take(5)
        chrome.get(f"{cloud.url}/")
        self.enter_key(cloud.api_key)
        self.until(lambda: "TGI" in self.find("about").text)

    def find(self, id: str) -> WebElement:
        return self.chrome.find_element("id", id)

    def last(self, css: str) -> str:
        found = self.chrome.find_elements("css selector", css)
        return str(found[-1].get_property("textContent")) if found else ""

    def enter_key(self, key: str) -> None:
        self.find("key").clear()
        self.find("key").send_keys(key + TAB)

    def until(self, condition: Callable[[], Any]) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.chrome, 30, poll_frequency=0.05).until(lambda _: condition())

    def say(self, text: str) -> None:
        self.find("message").send_keys(text + ENTER)

    def has_ended(self) -> bool:
        return self.find("send").is_displayed()


@pytest.fixture
def opened(chromium: Chrome, cloud: Cloud) -> Iterator[Opened]:
    page = Opened(chromium, cloud)
    yield page
    told = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] != "DEBUG"]
    assert [message for message in told if "Failed to load resource" not in message] == []


def test_a_browser_gets_the_page_without_a_key_and_nobody_gets_anything_else(cloud: Cloud) -> None:
    page = cloud.ask("GET", "/", headers={"Accept": "text/html"}, key=None)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert b"<title>Playground</title>" in page.body
    for path, accept in (("/", "*/*"), ("/health", "text/html"), ("/v1/models", "text/html")):
        assert cloud.ask("GET", path, headers={"Accept": accept}, key=None).status == 401, path


def test_an_answer_appears_as_it_is_generated_and_is_measured(opened: Opened, cloud: Cloud) -> None:
    cloud.pace.take(2)
    assert opened.find("model").get_property("value") == cloud.models[0]
    opened.say("Tell me of streams.")
    opened.until(lambda: opened.last(".assistant .text"))
    early = opened.last(".assistant .text")
    opened.until(opened.has_ended)
    whole = opened.last(".assistant .text")
    assert whole.startswith(early)
    assert len(whole) > len(early)
    figures = FIGURES.fullmatch(opened.last(".assistant .meta"))
    assert figures is not None
    tokens, rate, first, prompt = (float(figure) for figure in figures.groups()[:4])
    assert 1 < tokens <= 512
    assert 10 < rate < 1_000
    assert first < 10_000
    assert prompt > 1


def test_stopping_an_answer_keeps_what_came_and_the_conversation_goes_on(opened: Opened, cloud: Cloud) -> None:
    cloud.pace.take(3)
    opened.say("Tell me everything.")
    opened.until(lambda: len(opened.last(".assistant .text")) > 20)
    opened.find("stop").click()
    opened.until(opened.has_ended)
    assert opened.last(".assistant .meta").endswith("stopped")
    opened.say("Thank you.")
    opened.until(lambda: opened.has_ended() and FIGURES.fullmatch(opened.last(".assistant .meta")))
    assert len(opened.chrome.find_elements("css selector", ".turn")) == 4
    assert not opened.last(".error")


def test_a_key_that_is_no_key_is_told_in_words(opened: Opened, cloud: Cloud) -> None:
    cloud.pace.take(2)
    opened.enter_key("a-key-that-nobody-has-0123456789")
    opened.until(lambda: opened.find("about").text.startswith("The key was not accepted."))
    opened.say("Hello?")
    opened.until(lambda: opened.last(".turn .error"))
    assert opened.last(".turn .error").startswith("The key was not accepted.")
    assert opened.find("message").get_property("value") == "Hello?"


def test_a_model_that_fails_in_the_midst_of_an_answer_is_told_in_words(opened: Opened, cloud: Cloud) -> None:
    cloud.pace.take(2)
    cloud.inject("stream-broken")
    opened.say("Break.")
    opened.until(lambda: opened.last(".turn .error"))
    assert opened.last(".turn .error").startswith("The answer broke off.")
    assert opened.last(".assistant .text")
