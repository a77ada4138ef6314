"""The command chat against a front door, a proxy or a name that means no good: an error in words, and no secret."""

import json

import pytest

from tests.constructs_lib.cli.fake_front_door import Reply, error, fake_front_door

KEY = "sk-made-up-key"
NO_EVENT = "error: the answer has an event that is none of OpenAI's protocol.\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("TGI_ENDPOINT_URL", "TGI_ENDPOINT_API_KEY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def door():
    with fake_front_door() as found:
        yield found


@pytest.fixture
def ask(run, door):
    return lambda *arguments: run("chat", "--url", door.url, "--api-key", KEY, "Hi", *arguments)


def event(**choice):
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_half_a_character_is_shown_as_one_that_is_missing(ask, door, form):
    door.replies = [Reply(parts=["a\ud83d", "z"])]
    outcome = ask(*form)
    assert (outcome.status, outcome.err) == (0, "")
    assert "a?z" in outcome.out


@pytest.mark.parametrize(
    "part",
    [
        event(delta={"content": 5}),
        event(delta={"content": ["x"]}),
        event(delta={"reasoning": {"a": 1}}),
        event(delta={}, finish_reason={"a": 1}),
        b'data: {"choices": [], "usage": "many"}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"x" * (5 * 2**20),
    ],
    ids=["number", "list", "thought", "reason", "usage", "deep", "endless"],
)
def test_an_event_of_another_kind_is_an_error(ask, door, part):
    door.replies = [Reply(parts=[part])]
    outcome = ask()
    assert (outcome.status, outcome.out, outcome.err) == (1, "", NO_EVENT)


def test_an_error_that_cannot_be_read_is_of_no_front_door(ask, door):
    door.replies = [Reply(status=500, body=b"[" * 60_000)]
    assert "answers with HTTP 500 and 60000 bytes" in ask().err


def test_a_wait_without_end_is_no_wait(ask, door):
    door.replies = [error(429, "rate_limit_exceeded", "Slow", retry_after="9" * 400)]
    assert ask("--wait", "60").err == "error: Slow. Ask again later.\n"


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "bad_request", f"Authorization: Bearer {KEY}"),
        error(401, "invalid_api_key", f"{KEY} is no key"),
        error(429, "rate_limit_exceeded", f"{KEY} is busy"),
        Reply(parts=[b'data: {"error": "%s is no key"}\n\n' % KEY.encode()]),
    ],
    ids=["refused", "denied", "busy", "in the stream"],
)
def test_the_key_is_not_shown_even_if_the_front_door_says_it(ask, door, reply):
    door.replies = [reply]
    outcome = ask()
    assert KEY not in outcome.err
    assert "(not shown)" in outcome.err


@pytest.mark.parametrize("url", ["http://me:hunter2@127.0.0.1:1/prod", "http://hunter2@x/prod"])
def test_a_password_in_the_url_is_refused_and_not_shown(run, url):
    outcome = run("chat", "--url", url, "Hi")
    assert outcome.status == 2
    assert "--url: has a name or a password in it. Give the key with --api-key." in outcome.err
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize(
    ("host", "proxy"), [("a..b", None), ("a" * 70, None), ("x.invalid", "http:/hunter2"), ("x.invalid", "://hunter2")]
)
def test_a_host_or_a_proxy_that_is_none_is_said_without_the_proxys_password(run, monkeypatch, host, proxy):
    monkeypatch.setenv("NO_PROXY", "")
    if proxy is not None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
    outcome = run("chat", "--url", f"http://{host}/prod", "Hi")
    assert outcome.status == 1
    assert f"error: http://{host}/prod cannot be asked: its host or that of the proxy is none." in outcome.err
    assert "hunter2" not in outcome.err
