"""The playground in a browser, operated like by a user."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.playground.api_stub import KEY

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

ENTER = "\ue007"


if shutil.which("chromedriver") is None:
    # Skip each module once; a fixture would skip each test.
    pytest.skip(
        "the playground tests require a browser: apt-get install chromium chromium-driver", allow_module_level=True
    )


class Page:
    """The page's elements and actions."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def find(self, id: str) -> WebElement:
        return self.chrome.find_element("id", id)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until the condition is true, and return its value."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.chrome, 30, poll_frequency=0.02).until(lambda _: condition())

    def open(self, url: str, key: str = KEY) -> None:
        """Open the page, and give it the key when it asks, unless that is empty."""
        self.chrome.get(url)
        if key:
            self.until(self.asks_for_key)
            self.enter_key(key)
            self.until(lambda: not self.asks_for_key() and self.find("about").text)

    def asks_for_key(self) -> bool:
        return self.find("access").is_displayed()

    def enter_key(self, key: str) -> None:
        field = self.find("key")
        field.clear()
        field.send_keys(key + ENTER)

    def say(self, text: str, send: str = ENTER) -> None:
        self.find("message").send_keys(text + send)

    def all(self, css: str) -> list[str]:
        return [str(element.get_property("textContent")) for element in self.chrome.find_elements("css selector", css)]

    def wait_for_response(self) -> str:
        """Wait until the response is complete, and return its text."""
        self.until(lambda: self.find("send").is_displayed() and self.all(".assistant .text"))
        return self.all(".assistant .text")[-1]

    def copy(self, css: str) -> str:
        """Press the first copy button of that selector, and return what is in the clipboard."""
        permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        self.chrome.execute_cdp_cmd("Browser.grantPermissions", permissions)
        button = self.chrome.find_element("css selector", css)
        button.click()
        self.until(lambda: button.text == "Copied")
        return str(self.chrome.execute_async_script("navigator.clipboard.readText().then(arguments[0])"))

    def error(self) -> str:
        self.until(lambda: self.all(".turn .error"))
        return self.all(".turn .error")[-1]

    def meta(self) -> str:
        return self.all(".assistant .meta")[-1]

    def console_errors(self) -> list[str]:
        """The messages of the browser's console, without those about responses with an error status."""
        messages = [entry["message"] for entry in self.chrome.get_log("browser") if entry["level"] != "DEBUG"]
        return [message for message in messages if "Failed to load resource" not in message]
