"""OpenAI's routes give OpenAI's answers from the bytes that TGI 3.3.6 was recorded to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from front_door.engines.tgi.events import ChatChoice, CompletionChoice

from local.model_container.launcher import read_settings
from tests.conformance.emulated_front_door import FrontDoorClient, Response, start_front_door
from tests.conformance.exchanges import ALL, Exchange
from tests.conformance.front_door_rules import openai_violations
from tests.conformance.replay import ReplayContainer
from tests.conformance.test_recorded_container import ENVIRONMENT


def asks_the_same(exchange: Exchange) -> bool:
    """Whether the front door sends TGI one request of the same kind.

    It asks for each choice by itself, and for the log probabilities of a completion by TGI's own kind of request.
    """
    body = exchange.json
    prompt = body.get("prompt")
    is_single = body.get("n", 1) == 1 and (not isinstance(prompt, list) or len(prompt) == 1)
    return is_single and (prompt is None or not {"logprobs", "best_of"} & set(body))


REPLAYED = [exchange for exchange in ALL if exchange.is_openai and asks_the_same(exchange)]
STREAMS = [
    (exchange, choice)
    for exchange in REPLAYED
    for choice, marker in ((ChatChoice, '"content":"'), (CompletionChoice, '"text":"'))
    if exchange.answer["headers"] == "stream"
    and marker in exchange.answer["bytes"]
    and not exchange.json.get("logprobs")
]


@pytest.fixture(scope="module")
def container() -> ReplayContainer:
    return ReplayContainer()


@pytest.fixture(scope="module")
def client(container: ReplayContainer) -> Iterator[FrontDoorClient]:
    with start_front_door("llama", limits=read_settings(ENVIRONMENT), container=container.create_app()) as client:
        yield client


def replay(client: FrontDoorClient, container: ReplayContainer, exchange: Exchange) -> Response:
    container.replay(exchange)
    return client.request("POST", exchange.path, exchange.body, **exchange.headers)


@pytest.mark.parametrize("exchange", REPLAYED, ids=lambda exchange: exchange.name)
def test_a_recorded_answer_becomes_one_of_openais(
    client: FrontDoorClient, container: ReplayContainer, exchange: Exchange
) -> None:
    response = replay(client, container, exchange)
    assert openai_violations(exchange, response) == []
    if not container.received:
        assert response.status in (400, 404), "what the front door refuses is the client's to change"
    elif exchange.tool == "" and exchange.answer["status"] == 200:
        assert [event["error"]["code"] for event in response.events()] == ["tool_error"], "TGI streams nothing"
    elif exchange.answer["status"] == 200 and '"error"' not in exchange.answer["bytes"]:
        assert response.status == 200
        assert_same_content(exchange, response)
    else:
        assert response.status == 400


def assert_same_content(exchange: Exchange, response: Response) -> None:
    """What the model wrote is in the response: text, tool call, reason and number of tokens."""
    sent, found = _content(exchange.answer["bytes"]), _content(response.body.decode())
    stopped = bool(exchange.json.get("stop"))
    echoed = exchange.json["prompt"] if exchange.json.get("echo") else ""
    if stopped:
        assert (echoed + sent["text"]).startswith(found["text"])
    else:
        assert found["text"] == echoed + sent["text"]
    assert found["call"] == sent["call"]
    assert found["usage"] in (sent["usage"], None)


def _content(body: str) -> dict[str, Any]:
    """The content of an answer, streamed or not: its parts put together."""
    text, name, arguments, usage = "", None, "", None
    for data in body.split("\n\n") if body.startswith("data: ") else [f"data: {body}"]:
        if not data or data == "data: [DONE]":
            continue
        part = json.loads(data.removeprefix("data: "))
        usage = part.get("usage") or usage
        for choice in part["choices"]:
            message = choice.get("delta") or choice.get("message") or choice
            is_end_token = choice.get("finish_reason") == "eos_token"
            text += "" if is_end_token else message.get("content") or message.get("text") or ""
            for call in message.get("tool_calls") or ():
                name = name or call["function"].get("name")
                arguments += call["function"]["arguments"]
    call = (name, json.loads(arguments)) if name else None
    return {"text": text, "call": call, "usage": usage and usage["completion_tokens"]}


@pytest.mark.parametrize(("exchange", "choice"), STREAMS, ids=lambda each: getattr(each, "name", ""))
def test_events_that_have_nothing_but_text_are_read_without_parsing_them(
    exchange: Exchange, choice: type[ChatChoice] | type[CompletionChoice]
) -> None:
    frame = choice.text_frame
    assert frame is not None
    for event in exchange.answer["bytes"].encode().split(b"\n\n"):
        is_text = b'"finish_reason":null' in event or b'"finish_reason":""' in event
        assert (frame.before in event and frame.after in event) == is_text
