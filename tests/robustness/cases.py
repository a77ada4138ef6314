"""The ways to ask for an answer of the model, and what holds of what comes when the model's answer goes wrong."""

from __future__ import annotations

import json
import re
import time
from typing import Any, NamedTuple

from tests.robustness.checked_door import Answered, HostileDoor, is_error
from tests.robustness.expected_responses import TOKENS, TOOL_TOKENS, USAGE, events_for, true
from tests.robustness.model_double import Answers, Received, Wire

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

    def ask(self, door: HostileDoor, *, seconds: float = 30) -> Answered:
        return door.ask(self.path, self.body, seconds=seconds)


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
_TRUTH: dict[tuple[str, str], Answered] = {}


def truth_of(door: HostileDoor, case: Case) -> Answered:
    """What the client gets when nothing goes wrong."""
    key = (case.path, json.dumps(case.body))
    if key not in _TRUTH:
        wrong, door.double.answers = door.double.answers, true
        answered = _TRUTH[key] = case.ask(door)
        door.double.answers = wrong
        assert answered.status == 200, answered.body
        assert answered.is_stream == case.is_streamed
        told = TOOL_TOKENS if "tools" in case.body else TOKENS
        if case.is_streamed:
            assert tokens(answered) == list(told)
        else:
            text = json.dumps(answered.json(), ensure_ascii=False).replace("\\", "").replace(" ", "")
            assert "".join(told).replace(" ", "") in text
        assert not case.is_streamed or answered.line["GeneratedTokens"] == USAGE["completion_tokens"]
    return _TRUTH[key]


def right_or_told(door: HostileDoor, case: Case, answered: Answered, *, passed_on: object = None) -> int:
    """Hold an answer against the truth: all of it, a whole error, or its beginning in whole events and then one error.

    Args:
        passed_on: The container's own error, which may be told as it is.

    Returns:
        How many tokens a stream told; -1 for an answer that is no stream.
    """
    true_answer = truth_of(door, case)
    assert answered.seconds < 10, "it hangs"
    if answered.status >= 400:
        is_error(answered.json(), answered.protocol)
        assert answered.line["cause"]
        return -1
    if not case.is_streamed:
        assert plain(answered.body.decode()) == plain(true_answer.body.decode())
        assert "error" not in answered.line
        return -1
    told, expected = events(answered), events(true_answer)
    errors = [event for event in told if isinstance(event, dict) and "error" in event]
    if not errors:
        assert told == expected
        assert "error" not in answered.line
        return len(TOKENS)
    (error,) = errors
    if error != passed_on:
        is_error(error, answered.protocol)
    before, behind = told[: told.index(error)], told[told.index(error) + 1 :]
    assert before == expected[: len(before)], "not what the model said"
    assert behind == (["[DONE]"] if answered.protocol == "openai" else [])
    assert before != expected, "an error behind the end"
    assert answered.line["error"]
    assert answered.line["cause"]
    return len(tokens(answered))


def events(answered: Answered) -> list[Any]:
    """What the events carry."""
    return [data if data == "[DONE]" else plain(data) for data in answered.data()]


def plain(text: str) -> Any:
    """JSON without the moment at which it was made, and without the ids of calls, which are random."""
    value = json.loads(re.sub(r'"call_[0-9a-f]{24}"', '"call"', text))
    return {name: inner for name, inner in value.items() if name != "created"} if isinstance(value, dict) else value


def tokens(answered: Answered) -> list[str]:
    """The texts in a stream, in the words of either protocol."""
    found = []
    for event in events(answered):
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


class Once:
    """Answers wrong once, and then right."""

    def __init__(self, wrong: Wire) -> None:
        self._wires = [wrong]

    def __call__(self, request: Received) -> Wire:
        return self._wires.pop() if self._wires else true(request)


def wrong_then_right(
    door: HostileDoor, case: Case, wrong: bytes | Answers, then: str = "close", *, pause: float = 0
) -> int:
    """Ask twice: the first answer is wrong and is held against the truth, the second one is right and is the truth.

    Returns:
        How many tokens the first told; -1 where it is no stream.
    """
    door.double.answers = Once(Wire(wrong, then)) if isinstance(wrong, bytes) else wrong
    answered = case.ask(door, seconds=1.1 if then == "stall" else 30)
    told = right_or_told(door, case, answered)
    time.sleep(pause)
    after = case.ask(door)
    assert after.status == 200, after.body
    assert right_or_told(door, case, after) in (-1, len(TOKENS))
    return told


def bytes_for(door: HostileDoor, case: Case) -> bytes:
    """The bytes that SageMaker answers when nothing goes wrong."""
    return true(_request_of(door, case)).data


def events_for_case(door: HostileDoor, case: Case) -> list[bytes]:
    """The events in them."""
    return events_for(_request_of(door, case))


def _request_of(door: HostileDoor, case: Case) -> Received:
    truth_of(door, case)
    door.double.answers = true
    case.ask(door)
    return door.double.received[-1]
