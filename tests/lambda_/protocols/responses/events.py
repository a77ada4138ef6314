"""A stream of a response, and a response, checked by the types of the `openai` package."""

from __future__ import annotations

import json
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
# What says when a response was made.
_TIMES = ("created_at", "completed_at")


def read_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream: each has a type that is its name too, and the next sequence number."""
    events = []
    for event in body.decode().split("\n\n"):
        if not event or event.startswith(":"):
            continue
        name, data = event.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        assert value["sequence_number"] == len(events)
        _EVENT.validate_python(value)
        events.append(value)
    return events


def types_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def read_response(body: bytes | dict[str, Any]) -> dict[str, Any]:
    """A response without what says when it was made."""
    value: dict[str, Any] = json.loads(body) if isinstance(body, bytes) else body
    Response.model_validate(value)
    return {name: member for name, member in value.items() if name not in _TIMES}


def accumulate(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The output as the deltas of the events add up to."""
    output: list[dict[str, Any]] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert event["output_index"] == len(output)
            output.append(json.loads(json.dumps(event["item"])))
        elif kind == "content_part.added":
            assert event["content_index"] == len(output[event["output_index"]]["content"])
            output[event["output_index"]]["content"].append(dict(event["part"]))
        elif kind in ("output_text.delta", "reasoning_text.delta"):
            part = output[event["output_index"]]["content"][event["content_index"]]
            part["text"] += event["delta"]
            if "logprobs" in part:
                part["logprobs"] = part["logprobs"] + event["logprobs"]
        elif kind == "function_call_arguments.delta":
            output[event["output_index"]]["arguments"] += event["delta"]
        elif kind == "output_item.done":
            output[event["output_index"]]["status"] = event["item"]["status"]
            assert output[event["output_index"]] == event["item"]
        if "item_id" in event:
            assert event["item_id"] == output[event["output_index"]]["id"]
    return output
