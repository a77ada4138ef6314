"""The playground as a person meets it in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.playground.api_stub import KEY

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

ENTER, TAB = "\ue007", "\ue004"


if shutil.which("chromedriver") is None:
    # Said once for each file; the fixture would say it for each test.
    pytest.skip(
        "no browser here to try the playground with: apt-get install chromium chromium-driver", allow_module_level=True
    )


class Page:
    """What a person sees and does."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def find(self, id: str) -> WebElement:
        return self.chrome.find_element("id", id)

    def until(self, condition: Callable[[], Any]) -> Any:
        """What the condition yields, once it is something."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.chrome, 30, poll_frequency=0.02).until(lambda _: condition())

    def open(self, url: str, key: str = KEY) -> None:
        self.chrome.get(url)
        if key:
            self.enter_key(key)
            self.until(lambda: self.find("model").get_property("value"))

    def enter_key(self, key: str) -> None:
        field = self.find("key")
        field.clear()
        field.send_keys(key + TAB)

    def say(self, text: str, send: str = ENTER) -> None:
        self.find("message").send_keys(text + send)

    def all(self, css: str) -> list[str]:
        return [str(found.get_property("textContent")) for found in self.chrome.find_elements("css selector", css)]

    def answered(self) -> str:
        """The last answer, once it has ended."""
        self.until(lambda: self.find("send").is_displayed() and self.all(".assistant .text"))
        return self.all(".assistant .text")[-1]

    def error(self) -> str:
        self.until(lambda: self.all(".turn .error"))
        return self.all(".turn .error")[-1]

    def meta(self) -> str:
        return self.all(".assistant .meta")[-1]

    def complaints(self) -> list[str]:
        """What the browser's console says, apart from the answers that had another status than 200."""
        told = [entry["message"] for entry in self.chrome.get_log("browser") if entry["level"] != "DEBUG"]
        return [message for message in told if "Failed to load resource" not in message]
