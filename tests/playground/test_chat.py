"""Chats in the playground: what is sent, and how responses are streamed, stopped and shown when they fail."""

from __future__ import annotations

import re
import threading

import pytest
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import ApiStub, Send, chat, event, in_pieces, split_after_carriage_returns
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")
LINE_ENDS = pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])


def test_tokens_are_shown_when_they_arrive(opened: Page, stub: ApiStub) -> None:
    rest = threading.Event()

    def stream(send: Send) -> None:
        send(event("Tokens"))
        assert rest.wait(30)
        send(chat(" come", " one", " by", " one."))

    stub.stream = stream
    opened.say("How?")
    opened.until(lambda: opened.all(".assistant .text") == ["Tokens"])
    assert opened.find("stop").is_displayed()
    assert not opened.find("send").is_displayed()
    rest.set()
    assert opened.wait_for_response() == "Tokens come one by one."
    assert opened.all(".user .text") == ["How?"]


def test_the_statistics_of_a_response_are_shown_below_it(opened: Page, stub: ApiStub) -> None:
    def stream(send: Send) -> None:
        threading.Event().wait(0.3)
        in_pieces(chat(*(f"{n} " for n in range(41))), 150, 0.01)(send)

    stub.stream = stream
    opened.say("Count.")
    opened.wait_for_response()
    tokens, rate, first, prompt = opened.meta().split(" · ")
    assert (tokens, prompt) == ("41 tokens", "prompt 25 tokens")
    assert rate.endswith(" tokens/s")
    assert 10 < float(rate.split()[0]) < 401
    assert first.startswith("time to first token ")
    assert 300 <= int(first.split()[4]) < 5_000


def test_the_speed_of_tokens_that_arrive_together_is_not_shown(opened: Page) -> None:
    opened.say("Quick.")
    opened.wait_for_response()
    assert re.fullmatch(r"2 tokens · time to first token \d+ ms · prompt 25 tokens", opened.meta())


def test_without_a_usage_the_tokens_are_about_the_chunks(opened: Page, stub: ApiStub) -> None:
    stub.stream = lambda send: send(event("One") + event(finish_reason="stop"))
    opened.say("Count.")
    opened.wait_for_response()
    assert re.fullmatch(r"about 1 token · time to first token \d+ ms", opened.meta())


@LINE_ENDS
def test_a_stream_in_pieces_of_one_byte(opened: Page, stub: ApiStub, line_end: bytes) -> None:
    data = b": waiting\n\n" + chat("Grüße", " 🎈", " 漢字\n", "data: x") + b": the end\n\n"
    stub.stream = in_pieces(data.replace(b"\n", line_end), 1, 0)
    opened.say("Split.")
    assert opened.wait_for_response() == "Grüße 🎈 漢字\ndata: x"
    assert opened.all(".turn .error") == []


@LINE_ENDS
def test_events_with_many_lines_and_unknown_fields_are_parsed_by_the_standard(
    opened: Page, stub: ApiStub, line_end: bytes
) -> None:
    first = b'id: 7\nevent: message\ndata: {"choices":\ndata:[{"delta":{"content":"one"}}]}\nretry: 5\n\n'
    stub.stream = split_after_carriage_returns((first + chat(" two")).replace(b"\n", line_end))
    opened.say("Lines.")
    assert opened.wait_for_response() == "one two"


def test_a_request_has_the_conversation_and_the_settings(opened: Page, stub: ApiStub) -> None:
    opened.find("system").send_keys("Be brief.")
    opened.chrome.execute_script(
        "for (const [id, value] of [['temperature', 0.2], ['tokens', 128]]) {"
        "  const slider = document.getElementById(id);"
        "  slider.value = value;"
        "  slider.dispatchEvent(new Event('input')); }"
    )
    opened.find("model").send_keys("falcon")
    opened.say("First?")
    opened.wait_for_response()
    opened.say("Second?")
    opened.until(lambda: len(stub.chats) == 2)
    opened.wait_for_response()
    assert stub.chats[1] == {
        "model": "falcon",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "First?"},
            {"role": "assistant", "content": "Hello there"},
            {"role": "user", "content": "Second?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.2,
        "max_tokens": 128,
    }
    assert opened.find("temperature-value").text == "0.20"
    opened.find("clear").click()
    opened.say("Anew?")
    opened.until(lambda: len(stub.chats) == 3)
    assert [turn["content"] for turn in stub.chats[2]["messages"]] == ["Be brief.", "Anew?"]


@pytest.mark.parametrize("stop", ["button", "escape"])
def test_a_response_can_be_stopped_and_its_text_stays_in_the_conversation(
    opened: Page, stub: ApiStub, stop: str
) -> None:
    def stream(send: Send) -> None:
        while True:
            send(event("la "))
            threading.Event().wait(0.02)

    stub.stream = stream
    opened.say("Sing.")
    opened.until(lambda: "la la la" in "".join(opened.all(".assistant .text")))
    if stop == "button":
        opened.find("stop").click()
    else:
        opened.find("message").send_keys(Keys.ESCAPE)
    opened.wait_for_response()
    assert opened.meta().endswith(" · stopped")
    text = opened.copy(".foot .copy")
    assert stub.disconnected.wait(10)
    stub.stream = lambda send: send(chat("Bye"))
    opened.say("Thanks.")
    opened.until(lambda: len(stub.chats) == 2)
    assert [turn["content"] for turn in stub.chats[1]["messages"]] == ["Sing.", text, "Thanks."]


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (401, {}, b'{"error": {"message": "Send a key."}}', "The API key was not accepted. Send a key."),
        (403, {}, b'{"message": "Forbidden"}', "This API key does not allow the request. Forbidden"),
        (403, {}, b'{"error": {"message": "The firewall blocked it.", "code": "blocked"}}', "The firewall blocked it."),
        (429, {"Retry-After": "7"}, b'{"error": {"message": "Slow."}}', "Too many requests. Try again in 7 s. Slow."),
        (429, {}, b"{}", "Too many requests. Try again in a moment."),
        (429, {}, b'{"error": {"message": "Enough.", "code": "insufficient_quota"}}', "The quota is used up. Enough."),
        (422, {}, b'{"error": "too long", "error_type": "validation"}', "The request failed with status 422. too long"),
        (502, {}, b"<html>Bad gateway</html>", "The model's server failed."),
        (504, {}, b"", "The model took too long."),
    ],
)
def test_an_error_is_explained_and_the_message_can_be_sent_again(
    opened: Page, stub: ApiStub, status: int, headers: dict[str, str], body: bytes, message: str
) -> None:
    stub.status, stub.headers, stub.body = status, headers, body
    opened.say("Again?")
    assert opened.error() == message
    assert opened.find("message").get_property("value") == "Again?"
    if "key" in message:
        opened.until(opened.asks_for_key)
        opened.find("cancel").click()
    assert not opened.asks_for_key()
    stub.status = 200
    opened.find("send").click()
    assert opened.wait_for_response() == "Hello there"
    assert [turn["content"] for turn in stub.chats[-1]["messages"]] == ["Again?"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            event("Half") + b'data: {"error": {"message": "CUDA error", "code": 500}}\n\n',
            "The response failed before it was complete. CUDA error",
        ),
        (event("Half"), "The connection ended before the response was complete."),
        (event("Half") + b"data: {nonsense\n\n", "The response could not be read: "),
    ],
    ids=["error event", "no end", "invalid JSON"],
)
def test_a_stream_that_fails_keeps_its_text_and_shows_the_error(
    opened: Page, stub: ApiStub, data: bytes, message: str
) -> None:
    stub.stream = lambda send: send(data)
    opened.say("Fail.")
    assert opened.error().startswith(message)
    assert opened.all(".assistant .text") == ["Half"]
    assert opened.find("send").is_displayed()


@pytest.mark.parametrize("scrolls_up", [False, True])
def test_the_page_follows_a_response_unless_its_user_has_scrolled_up(
    opened: Page, stub: ApiStub, scrolls_up: bool
) -> None:
    rest = threading.Event()

    def stream(send: Send) -> None:
        send(event("line\n\n" * 100))
        assert rest.wait(30)
        send(chat("line\n\n" * 100))

    stub.stream = stream
    position = (
        "const { scrollTop, scrollHeight, clientHeight } = document.getElementById('log');"
        "return [scrollTop, scrollHeight - scrollTop - clientHeight]"
    )
    opened.say("Much.")
    opened.until(lambda: len(opened.all(".markdown p")) == 100 and opened.chrome.execute_script(position)[1] < 2)
    if scrolls_up:
        opened.chrome.execute_async_script(
            "const log = document.getElementById('log'); log.addEventListener('scroll', () => arguments[0]());"
            "log.scrollTop = 300;"
        )
    rest.set()
    opened.wait_for_response()
    opened.until(lambda: len(opened.all(".markdown p")) == 200)
    if scrolls_up:
        assert opened.chrome.execute_script(position)[0] == 300
    else:
        opened.until(lambda: opened.chrome.execute_script(position)[1] < 2)


def test_a_truncated_response_is_marked(opened: Page, stub: ApiStub) -> None:
    stub.stream = lambda send: send(chat("Once", " upon", finish_reason="length"))
    opened.say("Tell.")
    opened.wait_for_response()
    assert opened.meta().endswith(" · cut off at max tokens")


def test_an_unreachable_api_is_reported(page: Page, stub: ApiStub) -> None:
    page.open(f"{stub.url}/")
    page.chrome.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        page.say("Anybody?")
        assert page.error() == "The API could not be reached. Check the network connection."
    finally:
        page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
