"""The kinds of requests for a generation, and checks of the responses to them when SageMaker's response is faulty."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest

from tests.robustness.checked_client import (
    CheckedClient,
    CheckedResponse,
    check_error_body,
    check_error_event,
    check_order,
    is_error,
)
from tests.robustness.expected_responses import TOKENS, TOOL_TOKENS, USAGE, events_for, healthy_response
from tests.robustness.fake_sagemaker import Received, Responder, WireResponse

_INPUTS: dict[str, Any] = {"inputs": "Hello", "parameters": {"details": True, "max_new_tokens": 3}}
_CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
_PROMPT: dict[str, Any] = {"prompt": "Hello", "max_tokens": 3}
_FUNCTION: dict[str, Any] = {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {}}}}
_TOOL = {**_CHAT, "max_tokens": 9, "tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "required"}
_RESPONSE: dict[str, Any] = {"input": "Hello", "max_output_tokens": 3}
_TOOL_RESPONSE = {**_RESPONSE, "max_output_tokens": 9, "tools": [{"type": "function", **_FUNCTION}]}
_TOOL_RESPONSE["tool_choice"] = "required"
_TOOL_MESSAGE = {**_CHAT, "max_tokens": 9, "tool_choice": {"type": "any"}}
_TOOL_MESSAGE["tools"] = [{"name": _FUNCTION["name"], "input_schema": _FUNCTION["parameters"]}]


class Case(NamedTuple):
    """A kind of request."""

    path: str
    body: dict[str, Any]
    is_streamed: bool = False

    def send(self, client: CheckedClient, *, seconds: float = 30) -> CheckedResponse:
        return client.send(self.path, self.body, seconds=seconds)


CASES = {
    "generate": Case("/generate", _INPUTS),
    "generate_stream": Case("/generate_stream", _INPUTS, is_streamed=True),
    "root": Case("/", _INPUTS),
    "root, streamed": Case("/", {**_INPUTS, "stream": True}, is_streamed=True),
    "chat": Case("/v1/chat/completions", _CHAT),
    "chat, streamed": Case(
        "/v1/chat/completions", {**_CHAT, "stream": True, "stream_options": {"include_usage": True}}, is_streamed=True
    ),
    "tool": Case("/v1/chat/completions", _TOOL),
    "tool, streamed": Case("/v1/chat/completions", {**_TOOL, "stream": True}, is_streamed=True),
    "completions": Case("/v1/completions", _PROMPT),
    "completions, streamed": Case("/v1/completions", {**_PROMPT, "stream": True}, is_streamed=True),
    "response": Case("/v1/responses", _RESPONSE),
    "response, streamed": Case("/v1/responses", {**_RESPONSE, "stream": True}, is_streamed=True),
    "response, tool": Case("/v1/responses", _TOOL_RESPONSE),
    "response, tool, streamed": Case("/v1/responses", {**_TOOL_RESPONSE, "stream": True}, is_streamed=True),
    "message": Case("/v1/messages", _CHAT),
    "message, streamed": Case("/v1/messages", {**_CHAT, "stream": True}, is_streamed=True),
    "message, tool": Case("/v1/messages", _TOOL_MESSAGE),
    "message, tool, streamed": Case("/v1/messages", {**_TOOL_MESSAGE, "stream": True}, is_streamed=True),
}
_FAST = ("response, tool, streamed", "message, streamed")
NAMES = [
    pytest.param(
        name, marks=[] if case.path not in ("/v1/responses", "/v1/messages") or name in _FAST else pytest.mark.slow
    )
    for name, case in CASES.items()
]
"""For tests that take seconds for each case."""
STREAMED = {name: case for name, case in CASES.items() if case.is_streamed}
NON_STREAMING = {"best of two": Case("/generate", {**_INPUTS, "parameters": {"best_of": 2}})}
"""Sent by InvokeEndpoint, which does not stream."""
_EXPECTED: dict[tuple[str, str], CheckedResponse] = {}


def expected_response(client: CheckedClient, case: Case) -> CheckedResponse:
    """The response to a request when SageMaker's response is not faulty."""
    key = (case.path, json.dumps(case.body))
    if key not in _EXPECTED:
        faulty, client.sagemaker.respond = client.sagemaker.respond, healthy_response
        response = _EXPECTED[key] = case.send(client)
        client.sagemaker.respond = faulty
        assert response.status == 200, response.body
        assert response.is_stream == case.is_streamed
        generated = TOOL_TOKENS if "tools" in case.body else TOKENS
        if case.is_streamed:
            assert tokens(response) == list(generated)
        else:
            text = json.dumps(response.json(), ensure_ascii=False).replace("\\", "").replace(" ", "")
            assert "".join(generated).replace(" ", "") in text
        assert not case.is_streamed or response.line["GeneratedTokens"] == USAGE["completion_tokens"]
    return _EXPECTED[key]


def check_complete_or_error(
    client: CheckedClient, case: Case, response: CheckedResponse, *, passed_on: object = None
) -> int:
    """Check that a response is complete, an error, or a prefix of the complete events and then one error event.

    Args:
        client: The client.
        case: The request.
        response: The response.
        passed_on: The container's own error, if it may be passed on unchanged.

    Returns:
        The number of tokens in a stream; -1 for a response that is not a stream.
    """
    complete = expected_response(client, case)
    assert response.seconds < 10, "took too long"
    if response.status >= 400:
        check_error_body(response.json(), response.protocol)
        assert response.line["cause"]
        return -1
    if not case.is_streamed:
        assert normalize(response.body.decode()) == normalize(complete.body.decode())
        assert "error" not in response.line
        return -1
    received, expected = events(response), events(complete)
    check_order([json.loads(data) for data in response.data() if data != "[DONE]"], response.protocol)
    errors = [event for event in received if isinstance(event, dict) and is_error(event)]
    if not errors:
        assert received == expected
        assert "error" not in response.line
        return len(TOKENS)
    (error,) = errors
    if error != passed_on:
        check_error_event(error, response.protocol)
    before, after = received[: received.index(error)], received[received.index(error) + 1 :]
    assert before == expected[: len(before)], "differs from what the model generated"
    assert after == (["[DONE]"] if response.protocol == "openai" else [])
    assert before != expected, "an error after the end"
    assert response.line["error"]
    assert response.line["cause"]
    return len(tokens(response))


def events(response: CheckedResponse) -> list[Any]:
    """The data of each event."""
    return [data if data == "[DONE]" else normalize(data) for data in response.data()]


def normalize(text: str) -> Any:
    """JSON without times and the ids of tool calls, which differ between responses."""
    text = re.sub(r'"(created_at|completed_at)":\d+', r'"\1":0', text)
    value = json.loads(re.sub(r'"call_[0-9a-f]{24}"', '"call"', text))
    return {name: inner for name, inner in value.items() if name != "created"} if isinstance(value, dict) else value


def tokens(response: CheckedResponse) -> list[str]:
    """The texts of a stream of either protocol."""
    texts = []
    for event in events(response):
        if event == "[DONE]" or is_error(event):
            continue
        if event.get("type") in _DELTAS:
            delta = event["delta"]
            texts.append(delta if isinstance(delta, str) else delta.get("text") or delta.get("partial_json"))
        if "token" in event:
            texts.append(event["token"]["text"])
        texts += map(_text, event.get("choices", []))
    return [text for text in texts if text]


_DELTAS = ("response.output_text.delta", "response.function_call_arguments.delta", "content_block_delta")


def _text(choice: dict[str, Any]) -> str | None:
    if "text" in choice:
        return str(choice["text"])
    delta = choice["delta"]
    if delta.get("tool_calls"):
        return str(delta["tool_calls"][0]["function"]["arguments"])
    content: str | None = delta.get("content")
    return content


class FaultOnce:
    """Responds with a fault to the first request, and normally to the following ones."""

    def __init__(self, faulty: WireResponse) -> None:
        self._faulty = [faulty]

    def __call__(self, request: Received) -> WireResponse:
        return self._faulty.pop() if self._faulty else healthy_response(request)


def check_fault_and_recovery(client: CheckedClient, case: Case, faulty: bytes | Responder, then: str = "close") -> int:
    """Send a request twice: the first response may be an error or incomplete, the second must be complete.

    Args:
        client: The client.
        case: The request.
        faulty: SageMaker's first response, as bytes, or how it responds.
        then: What happens to the connection after the bytes.

    Returns:
        The number of tokens in the first response; -1 if it is not a stream.
    """
    client.sagemaker.respond = FaultOnce(WireResponse(faulty, then)) if isinstance(faulty, bytes) else faulty
    response = case.send(client, seconds=1.1 if then == "stall" else 30)
    count = check_complete_or_error(client, case, response)
    after = case.send(client)
    assert after.status == 200, after.body
    assert check_complete_or_error(client, case, after) in (-1, len(TOKENS))
    return count


def response_bytes(client: CheckedClient, case: Case) -> bytes:
    """The bytes of SageMaker's response when it is not faulty."""
    return healthy_response(_request_of(client, case)).data


def response_events(client: CheckedClient, case: Case) -> list[bytes]:
    """The events of SageMaker's response when it is not faulty."""
    return events_for(_request_of(client, case))


def _request_of(client: CheckedClient, case: Case) -> Received:
    expected_response(client, case)
    client.sagemaker.respond = healthy_response
    case.send(client)
    return client.sagemaker.received[-1]
