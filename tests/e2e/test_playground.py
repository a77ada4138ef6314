"""The playground of the deployed front door, in a browser."""

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
ENTER = "\ue007"
FIGURES = re.compile(r"(\d+) tokens · ([\d.]+) tokens/s · time to first token (\d+) ms · prompt (\d+) tokens(.*)")


class Playground:
    """The playground in a browser, with the deployed key."""

    def __init__(self, chrome: Chrome, cloud: Cloud) -> None:
        self.chrome = chrome
        cloud.limiter.take(5)
        chrome.get(f"{cloud.url}/")
        self.until(self.asks_for_key)
        self.enter_key(cloud.api_key)
        self.until(lambda: not self.asks_for_key())
        assert "TGI" in self.find("about").text

    def find(self, id: str) -> WebElement:
        return self.chrome.find_element("id", id)

    def last(self, css: str) -> str:
        found = self.chrome.find_elements("css selector", css)
        return str(found[-1].get_property("textContent")) if found else ""

    def stop_after(self, characters: int) -> None:
        """Press stop once a response has that many characters: in the page, as the driver may be later than the end."""
        self.chrome.execute_script(
            """
            const characters = arguments[0], stop = document.getElementById("stop");
            const timer = setInterval(() => {
              const texts = document.querySelectorAll(".assistant .text");
              if (stop.hidden || !texts.length || texts[texts.length - 1].textContent.length <= characters) return;
              clearInterval(timer);
              stop.click();
            }, 5);
            """,
            characters,
        )

    def enter_key(self, key: str) -> None:
        self.find("key").clear()
        self.find("key").send_keys(key + ENTER)

    def asks_for_key(self) -> bool:
        return self.find("access").is_displayed()

    def until(self, condition: Callable[[], Any]) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.chrome, 30, poll_frequency=0.05).until(lambda _: condition())

    def send(self, text: str) -> None:
        self.find("message").send_keys(text + ENTER)

    def has_ended(self) -> bool:
        return self.find("send").is_displayed()


@pytest.fixture
def playground(chromium: Chrome, cloud: Cloud) -> Iterator[Playground]:
    page = Playground(chromium, cloud)
    yield page
    errors = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] != "DEBUG"]
    assert [message for message in errors if "Failed to load resource" not in message] == []


def test_only_the_page_is_served_without_a_key(cloud: Cloud) -> None:
    page = cloud.request("GET", "/", headers={"Accept": "text/html"}, key=None)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert b"<title>Playground</title>" in page.body
    for path, accept in (("/", "*/*"), ("/health", "text/html"), ("/v1/models", "text/html")):
        assert cloud.request("GET", path, headers={"Accept": accept}, key=None).status == 401, path


def test_a_response_is_streamed_and_measured(playground: Playground, cloud: Cloud) -> None:
    cloud.limiter.take(2)
    assert playground.find("model").get_property("value") == cloud.models[0]
    # A toy's response may be complete before a busy browser is asked for the first time.
    cloud.inject("stall", at=2000, seconds=1)
    playground.send("Tell me of streams.")
    playground.until(lambda: playground.last(".assistant .text"))
    early = playground.last(".assistant .text")
    playground.until(playground.has_ended)
    complete = playground.last(".assistant .text")
    assert complete.startswith(early)
    assert len(complete) > len(early)
    figures = FIGURES.fullmatch(playground.last(".assistant .meta"))
    assert figures is not None
    tokens, rate, first, prompt = (float(figure) for figure in figures.groups()[:4])
    assert 1 < tokens <= 512
    assert 1 < rate < 1_000
    assert first < 10_000
    assert prompt > 1


def test_stopping_a_response_keeps_its_text_and_the_conversation_continues(
    playground: Playground, cloud: Cloud
) -> None:
    cloud.limiter.take(3)
    playground.stop_after(20)
    playground.send("Tell me everything.")
    playground.until(lambda: playground.last(".assistant .meta").endswith("stopped"))
    playground.send("Thank you.")
    playground.until(lambda: playground.has_ended() and FIGURES.fullmatch(playground.last(".assistant .meta")))
    assert len(playground.chrome.find_elements("css selector", ".turn")) == 4
    assert not playground.last(".error")


def test_an_invalid_key_is_reported_and_the_valid_one_stays_in_use(playground: Playground, cloud: Cloud) -> None:
    cloud.limiter.take(2)
    playground.find("change-key").click()
    playground.enter_key("a-key-that-nobody-has-0123456789")
    playground.until(lambda: playground.find("access-error").text.startswith("The API key was not accepted."))
    playground.find("cancel").click()
    playground.send("Hello?")
    playground.until(lambda: playground.has_ended() and playground.last(".assistant .text"))


def test_a_failure_during_a_response_is_reported(playground: Playground, cloud: Cloud) -> None:
    cloud.limiter.take(2)
    cloud.inject("stream-broken", frame=12)
    playground.send("Break.")
    playground.until(lambda: playground.last(".turn .error"))
    assert playground.last(".turn .error").startswith("The response failed before it was complete.")
    assert playground.last(".assistant .text")
