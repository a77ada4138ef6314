"""Streams of the Messages API, read as strictly as its documentation describes them."""

import json
from typing import Any

PINGS = b'event: ping\ndata: {"type":"ping"}\n\n'


def events(stream: bytes) -> list[dict[str, Any]]:
    """The events without pings; each is two lines and an empty one, and named by its type."""
    found = []
    assert stream.endswith(b"\n\n")
    for event in stream.decode().removesuffix("\n\n").split("\n\n"):
        name, data = event.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert (name, data[:6]) == (f"event: {value['type']}", "data: ")
        if value != {"type": "ping"}:
            found.append(value)
    return found


def accumulate(stream: bytes) -> dict[str, Any]:
    """The message that a complete stream adds up to; every event has to be where it belongs."""
    first, *middle, last_but_one, last = events(stream)
    message: dict[str, Any] = first.pop("message")
    assert first == {"type": "message_start"}
    assert (message["content"], message["stop_reason"], message["stop_sequence"]) == ([], None, None)
    message["content"] = _blocks(middle)
    assert set(last_but_one) == {"type", "delta", "usage"}
    assert last_but_one["type"] == "message_delta"
    assert set(last_but_one["delta"]) == {"stop_reason", "stop_sequence"}
    message |= last_but_one["delta"]
    message["usage"] |= last_but_one["usage"]
    assert last == {"type": "message_stop"}
    return message


def _blocks(middle: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    is_open, arguments = False, ""
    for event in middle:
        if event["type"] == "content_block_start":
            assert (is_open, event["index"]) == (False, len(blocks))
            assert set(event) == {"type", "index", "content_block"}
            assert not any(
                value for name, value in event["content_block"].items() if name not in ("type", "id", "name")
            )
            blocks.append(event["content_block"])
            is_open, arguments = True, ""
            continue
        assert (is_open, event["index"]) == (True, len(blocks) - 1)
        block = blocks[-1]
        if event["type"] == "content_block_stop":
            assert set(event) == {"type", "index"}
            is_open = False
            if block["type"] == "tool_use":
                block["input"] = json.loads(arguments or "{}")
            continue
        assert (event["type"], set(event)) == ("content_block_delta", {"type", "index", "delta"})
        (member,) = set(event["delta"]) - {"type"}
        of_block, kind = {
            "text": ("text", "text_delta"),
            "thinking": ("thinking", "thinking_delta"),
            "signature": ("thinking", "signature_delta"),
            "partial_json": ("tool_use", "input_json_delta"),
        }[member]
        assert (block["type"], event["delta"]["type"]) == (of_block, kind)
        if member == "partial_json":
            arguments += event["delta"][member]
        else:
            block[member] += event["delta"][member]
    assert not is_open
    return blocks
