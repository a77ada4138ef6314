"""The ways to ask for an answer of the model, and what holds of what comes when the model's answer goes wrong."""

from __future__ import annotations

import json
import re
import time
from typing import Any, NamedTuple

from tests.robustness.checked_client import CheckedClient, CheckedResponse, check_error_body
from tests.robustness.expected_responses import TOKENS, TOOL_TOKENS, USAGE, events_for, healthy_response
from tests.robustness.fake_sagemaker import Received, Responder, WireResponse

_INPUTS: dict[str, Any] = {"inputs": "Hello", "parameters": {"details": True, "max_new_tokens": 3}}
_CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3}
_PROMPT: dict[str, Any] = {"prompt": "Hello", "max_tokens": 3}
_FUNCTION: dict[str, Any] = {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {}}}}
_TOOL = {**_CHAT, "max_tokens": 9, "tools": [{"type": "function", "function": _FUNCTION}], "tool_choice": "required"}


class Case(NamedTuple):
    """One way to ask."""

    path: str
    body: dict[str, Any]
    is_streamed: bool = False

    def ask(self, client: CheckedClient, *, seconds: float = 30) -> CheckedResponse:
        return client.ask(self.path, self.body, seconds=seconds)


CASES = {
    "generate": Case("/generate", _INPUTS),
    "generate_stream": Case("/generate_stream", _INPUTS, is_streamed=True),
    "the root": Case("/", _INPUTS),
    "the root, streamed": Case("/", {**_INPUTS, "stream": True}, is_streamed=True),
    "chat": Case("/v1/chat/completions", _CHAT),
    "chat, streamed": Case(
        "/v1/chat/completions", {**_CHAT, "stream": True, "stream_options": {"include_usage": True}}, is_streamed=True
    ),
    "a tool": Case("/v1/chat/completions", _TOOL),
    "a tool, streamed": Case("/v1/chat/completions", {**_TOOL, "stream": True}, is_streamed=True),
    "completions": Case("/v1/completions", _PROMPT),
    "completions, streamed": Case("/v1/completions", {**_PROMPT, "stream": True}, is_streamed=True),
}
STREAMED = {name: case for name, case in CASES.items() if case.is_streamed}
WHOLE = {"best of two": Case("/generate", {**_INPUTS, "parameters": {"best_of": 2}})}
"""Asked by InvokeEndpoint, which does not stream."""
_TRUTH: dict[tuple[str, str], CheckedResponse] = {}


def expected_response(client: CheckedClient, case: Case) -> CheckedResponse:
    """What the client gets when nothing goes wrong."""
    key = (case.path, json.dumps(case.body))
    if key not in _TRUTH:
        wrong, client.sagemaker.answers = client.sagemaker.answers, healthy_response
        response = _TRUTH[key] = case.ask(client)
        client.sagemaker.answers = wrong
        assert response.status == 200, response.body
        assert response.is_stream == case.is_streamed
        told = TOOL_TOKENS if "tools" in case.body else TOKENS
        if case.is_streamed:
            assert tokens(response) == list(told)
        else:
            text = json.dumps(response.json(), ensure_ascii=False).replace("\\", "").replace(" ", "")
            assert "".join(told).replace(" ", "") in text
        assert not case.is_streamed or response.line["GeneratedTokens"] == USAGE["completion_tokens"]
    return _TRUTH[key]


def check_complete_or_error(
    client: CheckedClient, case: Case, response: CheckedResponse, *, passed_on: object = None
) -> int:
    """Hold an answer against the truth: all of it, a whole error, or its beginning in whole events and then one error.

    Args:
        passed_on: The container's own error, which may be told as it is.

    Returns:
        How many tokens a stream told; -1 for an answer that is no stream.
    """
    true_answer = expected_response(client, case)
    assert response.seconds < 10, "it hangs"
    if response.status >= 400:
        check_error_body(response.json(), response.protocol)
        assert response.line["cause"]
        return -1
    if not case.is_streamed:
        assert normalize(response.body.decode()) == normalize(true_answer.body.decode())
        assert "error" not in response.line
        return -1
    told, expected = events(response), events(true_answer)
    errors = [event for event in told if isinstance(event, dict) and "error" in event]
    if not errors:
        assert told == expected
        assert "error" not in response.line
        return len(TOKENS)
    (error,) = errors
    if error != passed_on:
        check_error_body(error, response.protocol)
    before, behind = told[: told.index(error)], told[told.index(error) + 1 :]
    assert before == expected[: len(before)], "not what the model said"
    assert behind == (["[DONE]"] if response.protocol == "openai" else [])
    assert before != expected, "an error behind the end"
    assert response.line["error"]
    assert response.line["cause"]
    return len(tokens(response))


def events(response: CheckedResponse) -> list[Any]:
    """What the events carry."""
    return [data if data == "[DONE]" else normalize(data) for data in response.data()]


def normalize(text: str) -> Any:
    """JSON without the moment at which it was made, and without the ids of calls, which are random."""
    value = json.loads(re.sub(r'"call_[0-9a-f]{24}"', '"call"', text))
    return {name: inner for name, inner in value.items() if name != "created"} if isinstance(value, dict) else value


def tokens(response: CheckedResponse) -> list[str]:
    """The texts in a stream, in the words of either protocol."""
    found = []
    for event in events(response):
        if event == "[DONE]" or "error" in event:
            continue
        if "token" in event:
            found.append(event["token"]["text"])
        found += map(_text, event.get("choices", []))
    return [text for text in found if text]


def _text(choice: dict[str, Any]) -> str | None:
    if "text" in choice:
        return str(choice["text"])
    delta = choice["delta"]
    if delta.get("tool_calls"):
        return str(delta["tool_calls"][0]["function"]["arguments"])
    content: str | None = delta.get("content")
    return content


class FaultOnce:
    """Answers wrong once, and then right."""

    def __init__(self, wrong: WireResponse) -> None:
        self._wires = [wrong]

    def __call__(self, request: Received) -> WireResponse:
        return self._wires.pop() if self._wires else healthy_response(request)


def check_fault_and_recovery(
    client: CheckedClient, case: Case, wrong: bytes | Responder, then: str = "close", *, pause: float = 0
) -> int:
    """Ask twice: the first answer is wrong and is held against the truth, the second one is right and is the truth.

    Returns:
        How many tokens the first told; -1 where it is no stream.
    """
    client.sagemaker.answers = FaultOnce(WireResponse(wrong, then)) if isinstance(wrong, bytes) else wrong
    response = case.ask(client, seconds=1.1 if then == "stall" else 30)
    told = check_complete_or_error(client, case, response)
    time.sleep(pause)
    after = case.ask(client)
    assert after.status == 200, after.body
    assert check_complete_or_error(client, case, after) in (-1, len(TOKENS))
    return told


def response_bytes(client: CheckedClient, case: Case) -> bytes:
    """The bytes that SageMaker answers when nothing goes wrong."""
    return healthy_response(_request_of(client, case)).data


def response_events(client: CheckedClient, case: Case) -> list[bytes]:
    """The events in them."""
    return events_for(_request_of(client, case))


def _request_of(client: CheckedClient, case: Case) -> Received:
    expected_response(client, case)
    client.sagemaker.answers = healthy_response
    case.ask(client)
    return client.sagemaker.received[-1]
