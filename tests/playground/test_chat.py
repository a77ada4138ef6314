"""Talking to models in the playground: what is streamed, sent, stopped and refused."""

from __future__ import annotations

import threading

import pytest
from selenium.webdriver.common.keys import Keys

from tests.playground.api_stub import Send, Stub, answer, cut_in_line_ends, event, in_pieces
from tests.playground.page import Page

pytestmark = pytest.mark.xdist_group("chromium")
LINE_ENDS = pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])


def test_tokens_are_shown_as_they_come(opened: Page, stub: Stub) -> None:
    rest = threading.Event()

    def stream(send: Send) -> None:
        send(event("Tokens"))
        assert rest.wait(30)
        send(answer(" come", " one", " by", " one."))

    stub.stream = stream
    opened.say("How?")
    opened.until(lambda: opened.all(".assistant .text") == ["Tokens"])
    assert opened.find("stop").is_displayed()
    assert not opened.find("send").is_displayed()
    rest.set()
    assert opened.answered() == "Tokens come one by one."
    assert opened.all(".user .text") == ["How?"]


def test_the_figures_of_an_answer_stand_below_it(opened: Page, stub: Stub) -> None:
    def stream(send: Send) -> None:
        threading.Event().wait(0.3)
        in_pieces(answer(*(f"{n} " for n in range(41))), 150, 0.01)(send)

    stub.stream = stream
    opened.say("Count.")
    opened.answered()
    tokens, rate, first, prompt = opened.meta().split(" · ")
    assert (tokens, prompt) == ("41 tokens", "prompt 25 tokens")
    assert rate.endswith(" tokens/s")
    assert 10 < float(rate.split()[0]) < 10_000
    assert first.startswith("first token after ")
    assert 300 <= int(first.split()[3]) < 5_000


@LINE_ENDS
def test_the_network_may_cut_the_stream_anywhere(opened: Page, stub: Stub, line_end: bytes) -> None:
    told = b": waiting\n\n" + answer("Grüße", " 🎈", " 漢字\n", "data: x") + b": the end\n\n"
    stub.stream = in_pieces(told.replace(b"\n", line_end), 1, 0)
    opened.say("Cut.")
    assert opened.answered() == "Grüße 🎈 漢字\ndata: x"
    assert opened.all(".error") == []


@LINE_ENDS
def test_an_event_of_several_lines_and_unknown_fields_are_read_as_the_standard_says(
    opened: Page, stub: Stub, line_end: bytes
) -> None:
    first = b'id: 7\nevent: message\ndata: {"choices":\ndata:[{"delta":{"content":"one"}}]}\nretry: 5\n\n'
    stub.stream = cut_in_line_ends((first + answer(" two")).replace(b"\n", line_end))
    opened.say("Lines.")
    assert opened.answered() == "one two"


def test_what_a_model_says_stays_text(opened: Page, stub: Stub) -> None:
    hostile = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    stub.stream = lambda send: send(answer(hostile))
    opened.say(hostile)
    assert opened.answered() == hostile
    assert opened.all(".user .text") == [hostile]
    assert opened.all("#turns img, #turns script") == []
    assert opened.chrome.title == "Playground"


def test_code_that_is_not_the_pages_own_is_blocked(page: Page, stub: Stub) -> None:
    page.open(f"{stub.url}/")
    page.chrome.execute_async_script(
        "const code = document.createElement('script'); code.textContent = 'document.title = `run`';"
        "document.body.append(code);"
        "fetch('http://127.0.0.1:9/').catch(arguments[0]);"
    )
    told = page.complaints()
    assert any("script-src" in complaint for complaint in told)
    assert any("connect-src" in complaint for complaint in told)
    assert page.chrome.title == "Playground"


def test_a_conversation_is_sent_with_all_that_was_said_and_chosen(opened: Page, stub: Stub) -> None:
    opened.find("system").send_keys("Be brief.")
    opened.chrome.execute_script(
        "for (const [id, value] of [['temperature', 0.2], ['tokens', 128]]) {"
        "  const slider = document.getElementById(id);"
        "  slider.value = value;"
        "  slider.dispatchEvent(new Event('input')); }"
    )
    opened.find("model").send_keys("falcon")
    opened.say("First?")
    opened.answered()
    opened.say("Second?")
    opened.until(lambda: len(stub.asked) == 2)
    opened.answered()
    assert stub.asked[1] == {
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
    opened.until(lambda: len(stub.asked) == 3)
    assert [message["content"] for message in stub.asked[2]["messages"]] == ["Be brief.", "Anew?"]


@pytest.mark.parametrize("stop", ["button", "escape"])
def test_an_answer_can_be_stopped_and_what_was_said_until_then_counts(opened: Page, stub: Stub, stop: str) -> None:
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
    said = opened.answered()
    assert opened.meta().endswith(" · stopped")
    assert stub.gone.wait(10)
    stub.stream = lambda send: send(answer("Bye"))
    opened.say("Thanks.")
    opened.until(lambda: len(stub.asked) == 2)
    assert [message["content"] for message in stub.asked[1]["messages"]] == ["Sing.", said, "Thanks."]


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (401, {}, b'{"error": {"message": "Send a key."}}', "The key was not accepted. Send a key."),
        (403, {}, b'{"message": "Forbidden"}', "This key may not do that. Forbidden"),
        (429, {"Retry-After": "7"}, b'{"error": {"message": "Slow."}}', "Too many requests. Try again in 7 s. Slow."),
        (429, {}, b"{}", "Too many requests. Try again in a moment."),
        (422, {}, b'{"error": "too long", "error_type": "validation"}', "The request failed (422). too long"),
        (502, {}, b"<html>Bad gateway</html>", "The request failed (502)."),
        (504, {}, b"", "The model took too long."),
    ],
)
def test_a_refusal_is_told_in_words_and_the_message_can_be_sent_again(
    opened: Page, stub: Stub, status: int, headers: dict[str, str], body: bytes, words: str
) -> None:
    stub.status, stub.headers, stub.body = status, headers, body
    opened.say("Again?")
    assert opened.error() == words
    assert opened.find("message").get_property("value") == "Again?"
    stub.status = 200
    opened.find("send").click()
    assert opened.answered() == "Hello there"
    assert [message["content"] for message in stub.asked[-1]["messages"]] == ["Again?"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            event("Half") + b'data: {"error": {"message": "CUDA error", "code": 500}}\n\n',
            "The answer broke off. CUDA error",
        ),
        (event("Half"), "The answer broke off."),
        (event("Half") + b"data: {nonsense\n\n", "The answer could not be read: "),
    ],
    ids=["an error in the stream", "no end", "no JSON"],
)
def test_a_stream_that_fails_keeps_what_came_and_says_why(opened: Page, stub: Stub, told: bytes, words: str) -> None:
    stub.stream = lambda send: send(told)
    opened.say("Fail.")
    assert opened.error().startswith(words)
    assert opened.all(".assistant .text") == ["Half"]
    assert opened.find("send").is_displayed()


def test_an_answer_that_was_cut_off_says_so(opened: Page, stub: Stub) -> None:
    stub.stream = lambda send: send(answer("Once", " upon", finish_reason="length"))
    opened.say("Tell.")
    opened.answered()
    assert opened.meta().endswith(" · cut off at the most tokens")


def test_an_api_that_is_gone_is_told(page: Page, stub: Stub) -> None:
    page.open(f"{stub.url}/")
    page.chrome.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    try:
        page.say("Anybody?")
        assert page.error() == "The API could not be reached."
    finally:
        page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
