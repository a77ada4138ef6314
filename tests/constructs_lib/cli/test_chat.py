"""The command chat with one question, against a front door that answers as it is told."""

import io
import json
import socket
import sys

import pytest

from tests.constructs_lib.cli.fake_front_door import Reply, error, fake_front_door

KEY_FIX = "Give the key with --api-key or TGI_ENDPOINT_API_KEY; --stack reads that of a stack."
CHECK_URL = "Check the URL: it is the stack's output Url, and ends with its stage, such as /prod."


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No URL and key of the user, no proxy, and nothing on standard input."""
    for name in ("TGI_ENDPOINT_URL", "TGI_ENDPOINT_API_KEY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))


@pytest.fixture
def door():
    with fake_front_door() as found:
        yield found


@pytest.fixture
def ask(run, door):
    def ask(*arguments, **stream):
        return run("chat", "--url", door.url, "--api-key", "sk-1", *arguments, **stream)

    return ask


def test_a_pipe_gets_the_text_alone(ask, door):
    outcome = ask("Hi", "there")
    assert (outcome.status, outcome.out, outcome.err) == (0, "Hello world\n", "")
    assert door.requests == [
        {
            "messages": [{"role": "user", "content": "Hi there"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert door.headers[0]["authorization"] == "Bearer sk-1"


def test_the_options_are_sent_and_nothing_else(ask, door):
    options = ("--model", "llama", "--system", "Be brief.", "--max-tokens", 20, "--temperature", 0.5)
    assert ask("Hi", *options).status == 0
    (request,) = door.requests
    assert request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [request[name] for name in ("model", "max_tokens", "temperature")] == ["llama", 20, 0.5]


def test_url_and_key_of_the_environment_count_and_v1_may_be_at_the_end(run, door, monkeypatch):
    monkeypatch.setenv("TGI_ENDPOINT_URL", f"{door.url}/v1/")
    monkeypatch.setenv("TGI_ENDPOINT_API_KEY", "sk-environment")
    assert run("chat", "Hi").out == "Hello world\n"
    assert run("chat", "Hi", "--api-key", "sk-argument").status == 0
    assert [each["authorization"] for each in door.headers] == ["Bearer sk-environment", "Bearer sk-argument"]


def test_headers_of_ones_own_are_sent_and_one_of_them_may_take_the_keys_place(ask, door):
    ask("Hi", "--header", "X-Tenant: team a", "--header", "authorization:Token abc")
    assert (door.headers[0]["x-tenant"], door.headers[0]["authorization"]) == ("team a", "Token abc")


def test_the_question_comes_from_a_pipe(ask, door, monkeypatch):
    for arguments, sent in [((), "Grüße 😀"), (("Say:", "-"), "Say: \n\nGrüße 😀")]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Grüße 😀\n".encode())))
        assert ask(*arguments).status == 0
        assert door.requests[-1]["messages"][0]["content"] == sent


def test_bytes_that_are_no_text_are_no_error(ask, door, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9 \x00 ok")))
    assert ask().status == 0
    assert door.requests[0]["messages"][0]["content"] == "caf\ufffd \x00 ok"


def test_a_huge_question_arrives_whole(ask, door, monkeypatch):
    text = "größer " * 700_000
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert ask().status == 0
    assert door.requests[0]["messages"][0]["content"] == text.strip()


def test_unicode_is_whole_wherever_the_stream_is_cut(ask, door):
    text = "naïve 😀 日本語 👩‍👩‍👧"
    event = f"data: {json.dumps({'choices': [{'delta': {'content': text}}]}, ensure_ascii=False)}\r\n\r\n".encode()
    door.replies = [Reply(parts=[b": keep-alive\n\n", *(event[at : at + 1] for at in range(len(event)))])]
    assert ask("Hi").out == f"{text}\n"


def test_thoughts_are_shown_on_a_terminal_alone_and_dimmed(ask, door):
    door.replies = [Reply(parts=[{"reasoning": "Let me\nsee."}, {"reasoning_content": " Yes."}, "Blue."])]
    assert ask("Why?").out == "Blue.\n"
    shown = ask("Why?", is_terminal=True).out
    assert "\x1b[2mLet me\x1b[0m\n\x1b[2msee.\x1b[0m\x1b[2m Yes.\x1b[0m\n\nBlue.\n" in shown


def test_a_terminal_gets_the_figures_at_the_end(ask, door):
    door.replies = [Reply(parts=["a", 0.2, "b"])]
    shown = ask("Hi", is_terminal=True).out
    assert "7 tokens · first after 0." in shown
    speed = float(shown.rpartition(" · ")[2].split(" tokens/s")[0])
    assert 20 < speed <= 30, "six tokens after the first, in 0.2 seconds or a little more"


def test_what_a_terminal_would_obey_is_left_out_there_and_kept_in_a_pipe(ask, door):
    text = "a\x1b]0;title\x07b\x1b[2J\r\x9b31mc\td\ne"
    door.replies = [Reply(parts=[text])]
    assert "a]0;titleb[2J31mc\td\ne\n" in ask("Hi", is_terminal=True).out
    assert ask("Hi").out == f"{text}\n"


def test_the_answer_as_json(ask, door):
    door.replies = [Reply(parts=[{"reasoning": "Hm."}, "Blue ", 0.05, "😀"])]
    found = json.loads(ask("Why?", "--json").out)
    assert (found["text"], found["thoughts"], found["finish_reason"]) == ("Blue 😀", "Hm.", "stop")
    assert found["usage"]["completion_tokens"] == 7
    assert found["seconds_to_first_token"] >= 0
    assert 0 < found["tokens_per_second"] <= 120


@pytest.mark.parametrize(
    ("reply", "said", "status"),
    [
        (error(401, "invalid_api_key", "The API key is unknown."), f"The API key is unknown. {KEY_FIX}", 3),
        (
            error(403, "access_denied", "Not this model."),
            f"the front door denies access: Not this model. Ask its owner what the key may use. {KEY_FIX}",
            3,
        ),
        (
            error(403, "blocked", "The request was blocked."),
            (
                "the front door denies access: The request was blocked. Its web ACL blocked the request; its owner"
                " finds it in the ACL's log."
            ),
            3,
        ),
        (
            error(404, "model_not_found", "There is no model 'x'; there is 'llama'."),
            "There is no model 'x'; there is 'llama'. Name one of its models with --model, or /model in a session.",
            1,
        ),
        (error(404, "unknown_url", "There is no such route."), f"There is no such route. {CHECK_URL}", 1),
        (error(429, "rate_limit_exceeded", "Too many.", retry_after="1"), "Too many. Ask again in 1 second.", 1),
        (
            error(429, "insufficient_quota", "The quota is spent.", retry_after="3600", x_should_retry="false"),
            "The quota is spent. Ask the owner of the front door for more, or wait until the period ends.",
            1,
        ),
        (
            error(503, "no_capacity", "No copy runs; one is starting.", retry_after="240"),
            "the model is waking up: No copy runs; one is starting. Ask again in 4 minutes, or wait with --wait.",
            1,
        ),
        (
            error(503, "closed", "It opens at 8:00.", retry_after="36000", x_should_retry="false"),
            "It opens at 8:00. Ask again in 10 hours.",
            1,
        ),
        (error(503, "unavailable", "It is not there."), "It is not there. Ask again later.", 1),
        (
            error(400, "context_length_exceeded", "The prompt has 9 tokens, 8 fit."),
            (
                "The prompt has 9 tokens, 8 fit. Shorten the prompt or lower --max-tokens; in a session /reset forgets"
                " what was said."
            ),
            1,
        ),
        (
            error(502, "bad_gateway", "It failed.", x_request_id="r-1"),
            ("It failed. The front door's log has it under the request id r-1."),
            1,
        ),
        (Reply(status=422, body={"error": "`x` is wrong", "error_type": "validation"}), "`x` is wrong.", 1),
    ],
)
def test_a_refusal_is_said_in_words_with_what_to_do(ask, door, reply, said, status):
    door.replies = [reply]
    outcome = ask("Hi")
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err == f"error: {said}\n"


def test_api_gateways_own_refusal_is_of_a_url_without_a_front_door(ask, door):
    door.replies = [Reply(status=403, body={"message": "Forbidden"})]
    outcome = ask("Hi")
    assert outcome.status == 1
    assert outcome.err == (
        f"error: {door.url} answers Forbidden: no front door is deployed there, or not for you. {CHECK_URL}\n"
    )


def test_an_error_says_nothing_that_a_terminal_obeys(ask, door):
    door.replies = [error(400, "bad_request", "No \x1b]0;title\x07\n\x9bthat.")]
    assert ask("Hi").err == "error: No ]0;title that.\n"


def test_without_a_key_the_error_says_that_one_is_required(run, door):
    door.replies = [error(401, "invalid_api_key", "The request carries no API key.")]
    outcome = run("chat", "--url", door.url, "Hi")
    assert (outcome.status, outcome.err) == (3, f"error: the front door requires an API key. {KEY_FIX}\n")


@pytest.mark.parametrize("status", [302, 500, 200])
def test_what_no_front_door_answers_is_said(ask, door, status):
    html = b"<html>proxy</html>"
    door.replies = [Reply(status=status, body=html, headers={"content-type": "text/html", "location": "http://x/"})]
    outcome = ask("Hi")
    assert (outcome.status, outcome.out) == (1, "")
    if status == 200:
        assert outcome.err == f"error: {door.url} answers, but not as a front door does. {CHECK_URL}\n"
    else:
        foreign = f"{door.url} answers with HTTP {status} and 18 bytes of text/html, which no front door does."
        assert outcome.err == f"error: {foreign} {CHECK_URL}\n"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("reset", "the connection broke in the middle of the answer (Connection reset by peer). What came is above;"),
        ("cut", "the connection broke in the middle of the answer (it was closed). What came is above;"),
        ("short", "the answer ended in the middle. Ask again."),
    ],
)
def test_a_network_that_goes_in_the_middle_keeps_what_came(ask, door, end, said):
    door.replies = [Reply(parts=["Once upon", 0.1], end=end)]
    outcome = ask("Hi")
    assert (outcome.status, outcome.out) == (1, "Once upon\n")
    assert outcome.err.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (b'data: {"error": {"message": "CUDA error.", "code": "generation"}}\n\n', "ended with an error: CUDA error."),
        (b'data: {"error": "CUDA error", "error_type": "generation"}\n\n', "ended with an error: CUDA error."),
        (b"data: nonsense\n\n", "has an event that is none of OpenAI's protocol."),
        (b"data: []\n\n", "has an event that is none of OpenAI's protocol."),
    ],
)
def test_an_error_inside_the_stream_is_said(ask, door, part, said):
    door.replies = [Reply(parts=["Once", part])]
    outcome = ask("Hi")
    assert (outcome.status, outcome.out, outcome.err) == (1, "Once\n", f"error: the answer {said}\n")


def test_a_front_door_that_falls_silent_is_left_in_time(ask, door):
    door.replies = [Reply(parts=["Once", 30])]
    outcome = ask("Hi", "--timeout", "0.3")
    assert (outcome.status, outcome.out) == (1, "Once\n")
    assert outcome.err == "error: nothing came for 1 second. Wait longer with --timeout, or ask again.\n"
    assert door.left.wait(10)


@pytest.mark.parametrize("code", ["no_capacity", "rate_limit_exceeded"])
def test_it_waits_for_a_model_that_wakes_if_it_is_told_to(ask, door, code):
    busy = error(503 if code == "no_capacity" else 429, code, "Not yet.", retry_after="0")
    door.replies = [busy, busy, Reply()]
    assert ask("Hi", "--wait", "20").out == "Hello world\n"
    assert len(door.requests) == 3


def test_it_does_not_wait_longer_than_it_may_nor_for_what_will_not_come(ask, door):
    for reply in (
        error(503, "no_capacity", "Not yet.", retry_after="240"),
        error(429, "insufficient_quota", "Spent.", retry_after="1", x_should_retry="false"),
    ):
        door.replies, door.requests[:] = [reply], []
        assert ask("Hi", "--wait", "5").status == 1
        assert len(door.requests) == 1


def test_a_front_door_that_is_not_there_is_said(run):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/prod"
        outcome = run("chat", "--url", url, "Hi")
    assert outcome.status == 1
    assert (
        outcome.err
        == f"error: {url} cannot be reached (Connection refused). Check the network, the proxy and the URL.\n"
    )


def test_all_usage_errors_are_said_together_and_a_key_is_not_shown(run):
    outcome = run(
        *("chat", "--url", "ftp://x", "--max-tokens", "1.5", "--temperature", "3", "--timeout", "x", "--wait", "-1"),
        *("--header", "bad", "--header", "X: a\nb", "--api-key", "sec ret", "--region", "eu-west-1", "--jsn", "Hi"),
    )
    assert outcome.status == 2
    lines = [line.removeprefix("error: ") for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert lines == [
        "--jsn: is not known. Did you mean --json?",
        "--max-tokens '1.5': must be an integer.",
        "--temperature '3': must be a number from 0 to 2.",
        "--timeout 'x': must be a number from 0.001 to 86,400.",
        "--wait '-1': must be a number from 0 to 86,400.",
        "--url 'ftp://x': is no URL. Write it as https://….amazonaws.com/prod.",
        "--api-key: has characters that a header cannot carry. Copy it again, without line ends.",
        "--header: number 1 is no header. Write it in ASCII, as 'X-Tenant: team-a'.",
        "--header: number 2 is no header. Write it in ASCII, as 'X-Tenant: team-a'.",
        "--region 'eu-west-1': is for a stack. Add --stack, or leave it out.",
    ]
    assert "sec ret" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Hi",), "--stack: is missing. Name a deployed stack, or a front door with --url."),
        (("--url", "http://x/prod"), "PROMPT: is empty. Write the question."),
        (("--url", "http://x/prod", " "), "PROMPT: is empty. Write the question."),
        (("--url", "http://[x/prod", "Hi"), "--url 'http://[x/prod': is no URL."),
        (("--url", "http://x:99999/", "Hi"), "--url 'http://x:99999/': is no URL."),
        (("--url", "http://x /", "Hi"), "--url 'http://x /': is no URL."),
        (("--url", "http://x:0/", "Hi"), "--url 'http://x:0/': is no URL."),
        (("--url", "http://x/?key=1", "Hi"), "--url 'http://x/?key=1': is no URL."),
        (("--url", "http://x/prod", "--header", "X: €", "Hi"), "--header: number 1 is no header."),
    ],
)
def test_a_usage_error_is_said(run, arguments, said):
    outcome = run("chat", *arguments)
    assert outcome.status == 2
    assert said in outcome.err
