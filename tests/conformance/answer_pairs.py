"""The same request streamed and not: the accumulators of OpenAI's and Anthropic's clients make one of the other."""

from __future__ import annotations

import json
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent
from openai.types.responses import Response, ResponseStreamEvent, ResponseTextDeltaEvent

from tests.conformance.emulated_front_door import FrontDoorClient
from tests.conformance.openai_types import violations
from tests.conformance.sdk_clients import anthropic_client, openai_client
from tests.conformance.stream_rules import check_message_events, check_response_events, read_events

_UNDESCRIBED = ("store", "name", "bytes")
"""What OpenAI's API has although its description has not: in a response, at the end of a call, in an event."""
_DIFFER = ("id", "call_id", "created_at", "completed_at", "signature")
"""What is another one in each response."""


def normalize(value: Any) -> Any:
    """A value without what differs between two responses."""
    if isinstance(value, dict):
        return {name: normalize(inner) for name, inner in value.items() if name not in _DIFFER}
    return [normalize(each) for each in value] if isinstance(value, list) else value


def check_type(type_: Any, value: object) -> None:
    """Check that a value conforms to a type."""
    known = tuple(f".{name}: the API has no such member" for name in _UNDESCRIBED)
    problems = [each for each in violations(type_, value) if not each.endswith(known)]
    assert problems == [], problems[:5]


def check_equal(left: Any, right: Any) -> None:
    """Check that two values differ in nothing but what differs between any two responses."""
    assert normalize(left) == normalize(right), f"{left}\n\n{right}"


def check_response_pair(client: FrontDoorClient, body: dict[str, Any]) -> dict[str, Any]:
    """Check that both ways give the same response; returns it."""
    sdk, transport = openai_client(client)
    sdk.responses.create(**body)
    whole = json.loads(transport.bodies[-1])
    check_type(Response, whole)
    with sdk.responses.stream(**body) as stream:
        parsed = list(stream)
    events = read_events(transport.bodies[-1])
    check_type(list[ResponseStreamEvent], events)
    final = check_response_events(events)
    assert final["status"] in ("completed", "incomplete"), final
    check_equal(final, whole)
    snapshots = {event.output_index: event.snapshot for event in parsed if isinstance(event, ResponseTextDeltaEvent)}
    messages = {at: item["content"][0]["text"] for at, item in enumerate(final["output"]) if item["type"] == "message"}
    assert {at: text for at, text in messages.items() if text} == {at: text for at, text in snapshots.items() if text}
    if final["status"] == "completed":
        accumulated = stream.get_final_response()
        assert accumulated.output_text == "".join(messages.values())
        assert [item.type for item in accumulated.output] == [item["type"] for item in whole["output"]]
    return final


def check_message_pair(client: FrontDoorClient, body: dict[str, Any]) -> dict[str, Any]:
    """Check that both ways give the same message; returns it."""
    sdk, transport = anthropic_client(client)
    sdk.messages.create(**body)
    whole: dict[str, Any] = json.loads(transport.bodies[-1])
    check_type(Message, whole)
    with sdk.messages.stream(**body) as stream:
        accumulated = stream.get_final_message()
    events = read_events(transport.bodies[-1])
    check_type(list[RawMessageStreamEvent], [event for event in events if event["type"] != "ping"])
    check_message_events(events)
    check_equal(accumulated.model_dump(), Message.model_validate(whole).model_dump())
    return whole
