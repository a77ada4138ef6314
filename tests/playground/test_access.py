"""How the playground asks for the API key or token, and where it keeps it."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import KEY, ApiStub
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")
STORED = "return sessionStorage.getItem('playground-key')"


@pytest.mark.parametrize(
    ("error_type", "title", "label"),
    [
        ("invalid_api_key", "This API requires an API key", "API key"),
        ("invalid_token", "This API requires an access token", "Access token"),
    ],
)
def test_the_page_asks_at_once_for_what_the_api_requires(
    page: Page, stub: ApiStub, error_type: str, title: str, label: str
) -> None:
    stub.error_type = error_type
    page.open(f"{stub.url}/", key="")
    page.until(page.asks_for_key)
    assert page.find("access-title").text == title
    assert page.find("key").accessible_name == label
    assert page.chrome.switch_to.active_element.get_property("id") == "key"
    assert not page.find("access-error").is_displayed()
    page.chrome.switch_to.active_element.send_keys(KEY + Keys.ENTER)
    page.until(lambda: page.find("model").get_property("value") and not page.asks_for_key())
    # A dialog tells that it closed, which moves the focus, a little after it is gone.
    page.until(lambda: page.chrome.switch_to.active_element.get_property("id") == "message")
    assert stub.chats == []


def test_an_open_api_needs_no_key(page: Page, stub: ApiStub) -> None:
    stub.needs_key = False
    page.open(f"{stub.url}/", key="")
    page.until(lambda: page.find("model").get_property("value") == "llama")
    assert not page.asks_for_key()
    assert not page.find("change-key").is_displayed()
    page.say("Hello?")
    assert page.wait_for_response() == "Hello there"
    assert "Authorization" not in page.find("curl").get_property("textContent")


def test_a_wrong_key_is_reported_and_the_page_asks_again(page: Page, stub: ApiStub) -> None:
    page.open(f"{stub.url}/", key="")
    page.until(page.asks_for_key)
    page.enter_key("wrong")
    page.until(lambda: page.find("access-error").text == "The API key was not accepted. Send a key.")
    page.enter_key("wr\u00f6ng\u2026")
    page.until(lambda: page.find("access-error").text == "It contains characters that no key can contain.")
    page.enter_key(f" {KEY} ")
    page.until(lambda: not page.asks_for_key())
    page.say("Hello?")
    assert page.wait_for_response() == "Hello there"


def test_a_message_without_a_key_asks_for_it_and_stays_in_the_field(page: Page, stub: ApiStub) -> None:
    page.open(f"{stub.url}/", key="")
    page.until(page.asks_for_key)
    page.find("cancel").click()
    page.say("Hello?")
    page.until(page.asks_for_key)
    assert (stub.chats, page.find("message").get_property("value")) == ([], "Hello?")


def test_a_key_that_no_longer_works_is_asked_for_again(opened: Page, stub: ApiStub) -> None:
    stub.status, stub.body = 401, b'{"error": {"message": "It has expired."}, "error_type": "invalid_token"}'
    opened.say("Hello?")
    opened.until(opened.asks_for_key)
    assert opened.error() == "The access token was not accepted. It has expired."
    assert opened.find("access-error").text == "The access token was not accepted. It has expired."
    assert opened.find("message").get_property("value") == "Hello?"


def test_the_key_can_be_changed(opened: Page, stub: ApiStub) -> None:
    assert opened.find("change-key").text == "Change the API key"
    opened.find("change-key").click()
    opened.until(opened.asks_for_key)
    opened.enter_key("another")
    opened.until(lambda: opened.find("access-error").is_displayed())
    assert opened.find("access-error").text == "The API key was not accepted. Send a key."
    opened.find("cancel").click()
    opened.say("With the key that works.")
    assert opened.wait_for_response() == "Hello there"


def test_the_key_is_stored_only_on_request_and_is_never_in_a_url(page: Page, stub: ApiStub) -> None:
    chrome = page.chrome
    page.open(f"{stub.url}/")
    assert chrome.execute_script(STORED) is None
    chrome.refresh()
    page.until(page.asks_for_key)
    assert page.find("key").get_property("value") == ""
    page.find("keep").click()
    assert chrome.execute_script(STORED) is None
    page.enter_key(KEY)
    page.until(lambda: not page.asks_for_key())
    assert chrome.execute_script(STORED) == f'"{KEY}"'
    chrome.refresh()
    page.until(lambda: page.find("model").get_property("value"))
    assert not page.asks_for_key()
    page.find("change-key").click()
    page.find("keep").click()
    assert chrome.execute_script(STORED) is None
    assert KEY not in chrome.execute_script("return JSON.stringify(localStorage) + document.cookie")
    assert not [url for url in [*stub.paths, chrome.current_url] if KEY in url]


def test_a_stored_key_that_is_wrong_is_reported(page: Page, stub: ApiStub) -> None:
    page.chrome.get(f"{stub.url}/")
    page.chrome.execute_script("sessionStorage.setItem('playground-key', '\"old\"')")
    page.chrome.refresh()
    page.until(page.asks_for_key)
    assert page.find("access-error").text == "The API key was not accepted. Send a key."


def test_the_page_works_where_the_browser_forbids_storage(page: Page, stub: ApiStub) -> None:
    forbid = (
        "for (const name of ['localStorage', 'sessionStorage'])"
        "  Object.defineProperty(window, name, { get() { throw new DOMException('', 'SecurityError'); } });"
    )
    script = page.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": forbid})
    try:
        page.open(f"{stub.url}/")
        page.say("Hello?")
        assert page.wait_for_response() == "Hello there"
    finally:
        page.chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
