"""The button that wakes a model of which no copy runs."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import ApiStub
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")

AWAKE: tuple[int, dict[str, str], dict[str, Any]] = (200, {}, {"state": "awake"})
CLOSED = "The model is closed and opens on Monday, 2026-11-30 at 08:00 (Europe/Berlin)."

RECORD = """
window.shown = [];
const [state, button] = ["wake-state", "wake-model"].map((id) => document.getElementById(id));
new MutationObserver(() => shown.push([state.textContent, button.disabled])).observe(state, { childList: true });
"""
"""Records each state that is shown, with whether the button is disabled."""


def waking(seconds: int | None, retry_after: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    return 202, {"Retry-After": retry_after}, {"state": "waking", "seconds": seconds}


def state(page: Page) -> str:
    return page.find("wake-state").text


def wakes_of(stub: ApiStub) -> list[str]:
    return [path for path in stub.paths if path.endswith("/wake")]


@pytest.fixture
def sleeper(page: Page, stub: ApiStub) -> Page:
    """The page, with a model that sleeps."""
    stub.sleeper = "llama"
    page.open(f"{stub.url}/")
    page.until(lambda: page.find("wake-model").is_displayed())
    return page


def test_only_a_model_that_may_be_woken_has_the_button(sleeper: Page) -> None:
    sleeper.find("model").send_keys("falcon")
    sleeper.until(lambda: "hub/falcon" in sleeper.find("about").text)
    assert not sleeper.find("wake-model").is_displayed()
    sleeper.find("model").send_keys(Keys.ARROW_UP)
    sleeper.until(lambda: sleeper.find("wake-model").is_displayed())


def test_a_model_that_is_starting_is_asked_again_when_that_should_be_over(sleeper: Page, stub: ApiStub) -> None:
    stub.wakes += [waking(300, "1"), waking(None, "1"), AWAKE]
    assert wakes_of(stub) == []
    sleeper.chrome.execute_script(RECORD)
    sleeper.find("wake-model").click()
    sleeper.until(lambda: state(sleeper) == "It is awake")
    assert sleeper.find("wake-model").is_enabled()
    shown = sleeper.chrome.execute_script("return shown")
    assert shown == [["Starting, about 300 s", True], ["Starting, some minutes", True], ["It is awake", False]]
    assert wakes_of(stub) == ["/prod/models/llama/wake"] * 3


def test_why_a_model_cannot_be_woken_is_shown(sleeper: Page, stub: ApiStub) -> None:
    stub.wakes += [(503, {"Retry-After": "72000"}, {"error": CLOSED, "error_type": "closed"})]
    sleeper.find("wake-model").click()
    sleeper.until(lambda: state(sleeper) == f"The model is not ready. {CLOSED}")
    assert sleeper.find("wake-model").is_enabled()


def test_another_model_ends_the_wait(sleeper: Page, stub: ApiStub) -> None:
    stub.wakes += [waking(300, "3")]
    sleeper.find("wake-model").click()
    sleeper.until(lambda: state(sleeper) == "Starting, about 300 s")
    sleeper.find("model").send_keys("falcon")
    sleeper.until(lambda: "hub/falcon" in sleeper.find("about").text)
    sleeper.find("model").send_keys(Keys.ARROW_UP)
    sleeper.until(lambda: sleeper.find("wake-model").is_displayed())
    assert state(sleeper) == ""
    sleeper.chrome.execute_async_script("setTimeout(arguments[0], 3500)")
    assert len(wakes_of(stub)) == 1
