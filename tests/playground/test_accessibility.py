"""The playground with the keyboard, on small screens, in both colour schemes and for screen readers."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import KEY, ApiStub, chat
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")


@pytest.mark.parametrize(
    "keys", [Keys.ENTER, Keys.CONTROL + Keys.ENTER + Keys.NULL, Keys.META + Keys.ENTER + Keys.NULL]
)
def test_enter_sends_alone_or_with_control_or_command_and_starts_a_line_with_shift(
    opened: Page, stub: ApiStub, keys: str
) -> None:
    opened.say("one", send=Keys.SHIFT + Keys.ENTER + Keys.NULL)
    opened.say("two", send=keys)
    opened.until(lambda: stub.chats)
    assert stub.chats[0]["messages"] == [{"role": "user", "content": "one\ntwo"}]
    opened.wait_for_response()


def test_an_empty_message_is_not_sent(opened: Page, stub: ApiStub) -> None:
    opened.say("  ")
    opened.find("send").click()
    assert (stub.chats, opened.all(".turn")) == ([], [])


def test_on_a_phone_nothing_is_cut_off_and_the_settings_are_collapsed(page: Page, stub: ApiStub) -> None:
    chrome = page.chrome
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        chrome.get(f"{stub.url}/")
        page.until(page.asks_for_key)
        assert_reachable(page, "key", "keep", "cancel", "use-key")
        page.enter_key(KEY)
        page.until(lambda: not page.asks_for_key())
        assert not page.find("temperature").is_displayed()
        page.find("toggle").click()
        assert page.find("toggle").get_attribute("aria-expanded") == "true"
        assert_reachable(page, "toggle", "model", "system", "temperature", "tokens", "change-key")
        stub.stream = lambda send: send(chat(WIDE))
        page.say("A" * 300)
        page.wait_for_response()
        assert not page.find("temperature").is_displayed()
        assert_reachable(page, "toggle", "clear", "message", "send")
        assert chrome.execute_script("return document.documentElement.scrollWidth") == 360
        assert page.find("log").get_property("scrollWidth") == page.find("log").get_property("clientWidth")
        # What is wide scrolls by itself.
        for css in (".code pre", ".scroll"):
            assert chrome.execute_script(
                "const { scrollWidth, clientWidth } = document.querySelector(arguments[0]);"
                "return scrollWidth > clientWidth",
                css,
            )
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


WIDE = (
    f"A {'long' * 99} word\n\n```\n{'x' * 300}\n```\n\n|{'column|' * 20}\n|{'-|' * 20}\n\n"
    f"<https://a.example/{'b' * 99}>"
)


def assert_reachable(page: Page, *ids: str) -> None:
    """Assert that controls can be scrolled to, lie within the screen's width, and are large enough for a finger."""
    for name in ids:
        rect = page.chrome.execute_script(
            "const node = arguments[0]; node.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const { left, right, top, bottom, height } = node.getBoundingClientRect();"
            "const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);"
            "return { left, right, height, hit: at === node };",
            page.find(name),
        )
        assert rect["hit"], name
        assert rect["left"] >= 0, name
        assert rect["right"] <= 360, name
        assert rect["height"] >= (19 if name == "keep" else 40), name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_both_colour_schemes(page: Page, stub: ApiStub, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.open(f"{stub.url}/")
    stub.stream = lambda send: send(chat("# One\n\n> two `three`\n\n[four](https://a.example)\n\n```py\nfive\n```"))
    page.say("Hello?")
    page.wait_for_response()
    stub.status = 503
    page.say("Hello?")
    page.error()
    contrasts = page.chrome.execute_script(_CONTRASTS)
    assert len(contrasts) > 20
    assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}
    assert (
        page.chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(246, 246, 244)"
    ) == (scheme == "light")


# The contrast of each text with its background, by WCAG 2.2.
_CONTRASTS = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => channels(colour).slice(0, 3).map((c) => c / 255)
  .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor, alpha = channels(colour)[3];
    if (alpha === undefined || alpha === 1) return colour;
  }
};
const found = {};
for (const element of document.querySelectorAll("body *")) {
  const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
  if (!text || !element.checkVisibility() || element.matches("script, style, :disabled, option")) continue;
  const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
  found[text.slice(0, 40)] = (a + 0.05) / (b + 0.05);
}
return found;
"""


def test_every_control_has_an_accessible_name(opened: Page, stub: ApiStub) -> None:
    stub.stream = lambda send: send(chat("```\ncode\n```"))
    opened.say("Code.")
    opened.wait_for_response()
    opened.chrome.find_element(By.TAG_NAME, "summary").click()
    nodes = opened.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"button", "textbox", "combobox", "slider", "checkbox", "log", "DisclosureTriangle"}
    names = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    }
    assert {
        ("combobox", "Model"),
        ("textbox", "System prompt optional"),
        ("textbox", "Message"),
        ("button", "Send"),
        ("button", "New chat"),
        ("button", "Copy curl command"),
        ("button", "Copy code"),
        ("button", "Copy response"),
        ("button", "Change the API key"),
        ("slider", "Temperature"),
        ("slider", "Max tokens"),
        ("log", "Conversation"),
    } <= names
    assert not [role for role, name in names if not name]
    opened.find("change-key").click()
    dialog = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in opened.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        if not node["ignored"]
    }
    assert {
        ("dialog", "This API requires an API key"),
        ("textbox", "API key"),
        ("checkbox", "Keep it until this tab is closed"),
        ("button", "Cancel"),
        ("button", "Continue"),
    } <= dialog
