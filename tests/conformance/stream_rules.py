"""What every stream of OpenAI's Responses and Anthropic's Messages keeps to: the order of its events and their sums."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_TEXT = r"content_part\.added (?:{0}\.delta )*{0}\.done content_part\.done "
_OPEN = r"output_item\.added (?:content_part\.added (?:(?:output|reasoning)_text\.delta )*|(?:{0}\.delta )*)"
_ARGUMENTS = r"function_call_arguments"
_ITEM = (
    r"output_item\.added "
    rf"(?:{_TEXT.format('output_text')}|{_TEXT.format('reasoning_text')}|(?:{_ARGUMENTS}\.delta )*{_ARGUMENTS}\.done )"
    r"output_item\.done "
)
RESPONSE = re.compile(
    rf"created in_progress (?:{_ITEM})*(?:(?:completed|incomplete) |(?:{_OPEN.format(_ARGUMENTS)})?failed )|error "
)
"""The types of a response's events."""
_BLOCK = r"content_block_start (?:content_block_delta )*content_block_stop "
_OPEN_BLOCK = r"content_block_start (?:content_block_delta )*"
MESSAGE = re.compile(
    rf"message_start (?:{_BLOCK})*message_delta message_stop |(?:message_start (?:{_BLOCK})*(?:{_OPEN_BLOCK})?)?error "
)
"""The types of a message's events, apart from pings."""
TERMINAL = ("completed", "incomplete", "failed")


def read_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream without comments; fails if one is not whole, or is not named by its type."""
    *events, rest = body.decode().split("\n\n")
    assert rest == "", f"not a whole event: {rest[:300]!r}"
    return [_read_event(event) for event in events if not event.startswith(":")]


def _read_event(event: str) -> dict[str, Any]:
    name, data = event.split("\n")
    parsed: dict[str, Any] = json.loads(data.removeprefix("data: "))
    assert name == f"event: {parsed['type']}"
    return parsed


def check_response_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Check the events of a response; returns the response at their end, or the error in place of all."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    types = [event["type"].removeprefix("response.") for event in events]
    assert RESPONSE.fullmatch("".join(f"{each} " for each in types)), types
    if types == ["error"]:
        return events[0]
    responses = [event["response"] for event in events if "response" in event]
    assert len({response["id"] for response in responses}) == 1
    assert [response["status"] for response in responses] == ["in_progress", "in_progress", types[-1]]
    assert all(response["output"] == [] for response in responses[:2])
    final: dict[str, Any] = responses[-1]
    done = [_check_item(index, of_item) for index, of_item in enumerate(_by_item(events))]
    assert final["output"][: len(done)] == done
    assert len(final["output"]) - len(done) <= (types[-1] == "failed")
    return final


def _by_item(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The events of each item that has an end."""
    found: list[dict[str, Any]] = []
    for event in events:
        found = [event] if event["type"] == "response.output_item.added" else [*found, event]
        if event["type"] == "response.output_item.done":
            yield found


def _check_item(index: int, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Check that the deltas of an item are what its last event has; returns the item."""
    first, *between, last = events
    item: dict[str, Any] = last["item"]
    assert {event["output_index"] for event in events} == {index}
    assert {event["item_id"] for event in between} | {first["item"]["id"]} == {item["id"]}
    assert first["item"]["status"] == "in_progress"
    written = "".join(event["delta"] for event in between if event["type"].endswith(".delta"))
    if item["type"] == "function_call":
        assert (first["item"]["arguments"], between[-1]["arguments"], item["arguments"]) == ("", written, written)
        assert (first["item"]["name"], between[-1]["name"]) == (item["name"], item["name"])
        return item
    (part,) = item["content"]
    assert {event["content_index"] for event in between} == {0}
    assert first["item"]["content"] == []
    assert between[0]["part"] == {**part, "text": "", **({"logprobs": []} if "logprobs" in part else {})}
    assert (between[-2]["text"], between[-1]["part"], part["text"]) == (written, part, written)
    if item["type"] == "message":
        logprobs = [each for event in between if event["type"].endswith(".delta") for each in event["logprobs"]]
        assert between[-2]["logprobs"] == part["logprobs"] == logprobs
    return item


def check_message_events(events: list[dict[str, Any]]) -> None:
    """Check the events of a message."""
    events = [event for event in events if event["type"] != "ping"]
    types = [event["type"] for event in events]
    assert MESSAGE.fullmatch("".join(f"{each} " for each in types)), types
    index, kind = -1, ""
    for event in events:
        if event["type"] == "content_block_start":
            index, kind = index + 1, event["content_block"]["type"]
        if event["type"].startswith("content_block_"):
            assert event["index"] == index
        if event["type"] == "content_block_delta":
            assert event["delta"]["type"] in _DELTAS[kind]
    if types[-1] == "message_stop":
        assert events[0]["message"]["content"] == []
        assert events[0]["message"]["stop_reason"] is None
        assert events[-2]["delta"]["stop_reason"] is not None


_DELTAS = {
    "text": ("text_delta",),
    "tool_use": ("input_json_delta",),
    "thinking": ("thinking_delta", "signature_delta"),
}
