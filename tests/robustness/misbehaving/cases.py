"""Every route that generates, buffered and streamed, and what of its response a misbehavior must leave as it is."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from front_door.routes import ROUTES

from tests.robustness.misbehaving.container import mark, without_marks

TEXT = "Tell me of the sea and of ships, please, in a few words."
_PARAMETERS: dict[str, Any] = {"max_new_tokens": 40, "do_sample": False, "details": True}
_BODIES: dict[str, dict[str, Any]] = {
    "inputs": {"inputs": TEXT, "parameters": _PARAMETERS},
    "chat": {"messages": [{"role": "user", "content": TEXT}], "max_tokens": 40, "temperature": 0},
    "prompt": {"prompt": TEXT, "max_tokens": 40, "temperature": 0},
    "response": {"input": TEXT, "max_output_tokens": 40, "temperature": 0},
    "message": {"messages": [{"role": "user", "content": TEXT}], "max_tokens": 40, "temperature": 0},
    "count": {"messages": [{"role": "user", "content": TEXT}]},
}
_FORMS = {
    "ChatCompletionRequest": ["chat"],
    "CompletionRequest": ["prompt"],
    "ResponsesRequest": ["response"],
    "MessagesRequest": ["message"],
    "CountTokensRequest": ["count"],
    "InvocationsRequest": ["inputs", "chat", "prompt"],
}
_PROTOCOLS = {"inputs": "tgi", "response": "responses", "message": "anthropic", "count": "anthropic"}


_NAME = re.compile(rb"^event: [a-z_.]+\n")


class Case(NamedTuple):
    """A kind of request.

    Args:
        name: Its name.
        path: Its path.
        body: Its body.
        protocol: `tgi`, `openai`, `responses` or `anthropic`, of the response.
        is_streamed: Whether the response is a stream.
    """

    name: str
    path: str
    body: dict[str, Any]
    protocol: str
    is_streamed: bool

    @property
    def error_protocol(self) -> str:
        """The protocol of an error that has a status of its own: that of the path, whatever the body is."""
        if "/v1/messages" in self.path:
            return "anthropic"
        return "openai" if "/v1/" in self.path else "tgi"

    def encode(self, misbehavior: str) -> bytes:
        """The body, which says what the container does."""
        return json.dumps(self.body).replace(TEXT, TEXT + mark(self.name, misbehavior)).encode()


def cases(*, with_models: bool) -> dict[str, Case]:
    """The cases of all routes that generate.

    Args:
        with_models: Whether of those with the name of a model in their path, or of the others.
    """
    found = []
    for route in ROUTES:
        if route.request is None or ("{model}" in route.path) != with_models:
            continue
        path = route.path.replace("{model}", "llama")
        for form in _FORMS.get(route.request, ["inputs"]):
            protocol, body = _PROTOCOLS.get(form, "openai"), _BODIES[form]
            if route.request in ("GenerateRequest", "CountTokensRequest"):
                found.append(Case(route.path, path, body, protocol, path.endswith("_stream")))
                continue
            found += [
                Case(f"{route.path} {form}{', streamed' * stream}", path, {**body, "stream": stream}, protocol, stream)
                for stream in (False, True)
            ]
    if not with_models:
        found.append(_best_of_two())
        found += [
            Case(f"two choices{', streamed' * stream}", "/v1/chat/completions", body, "openai", stream)
            for stream in (False, True)
            for body in ({**_BODIES["chat"], "temperature": 1, "seed": 7, "n": 2, "stream": stream},)
        ]
    return {case.name: case for case in found}


def _best_of_two() -> Case:
    """What TGI cannot stream."""
    parameters = {**_PARAMETERS, "do_sample": True, "best_of": 2}
    body = {"inputs": TEXT, "parameters": parameters}
    return Case("best of two", "/generate", body, "tgi", is_streamed=False)


def with_line_feeds(body: bytes) -> bytes:
    """A stream whose lines end with LF; CRLF means the same."""
    return body.replace(b"\r\n", b"\n")


def objects_of(body: bytes) -> list[dict[str, Any]]:
    """The objects of the events in a stream, or of lines; fails if it has anything but whole events."""
    end = b"\n\n" if body.startswith((b"data:", b":", b"event:")) else b"\n"
    *events, rest = with_line_feeds(without_marks(body)).split(end)
    assert rest == b"", f"not a whole event: {rest[:300]!r}"
    found = [_NAME.sub(b"", each) for each in events if each.strip() and not each.startswith(b":")]
    data = [each.removeprefix(b"data: ") for each in found]
    return [json.loads(each.decode()) for each in data if each != b"[DONE]"]


def texts_of(objects: list[dict[str, Any]]) -> dict[int, str]:
    """The text of each choice in the objects of a stream, of a container or of the front door."""
    texts: dict[int, str] = {}
    for each in objects:
        if isinstance(each.get("token"), dict) and not each["token"]["special"]:
            texts[0] = texts.get(0, "") + each["token"]["text"]
        if each.get("type") in ("response.output_text.delta", "content_block_delta"):
            delta = each["delta"]
            texts[0] = texts.get(0, "") + (delta if isinstance(delta, str) else delta["text"])
        for choice in each.get("choices") or ():
            text = choice["text"] if "text" in choice else choice["delta"].get("content")
            index = choice.get("index", 0)
            texts[index] = texts.get(index, "") + (text or "")
    return {index: text for index, text in texts.items() if text}


def normalize(body: bytes) -> Any:
    """A response without what differs between two: comments, ids, times, and the seed of a sample."""
    text = re.sub(
        r'"(id|item_id|created|created_at|completed_at|seed)": ?("[^"]*"|[0-9.]+|null)',
        r'"\1":0',
        with_line_feeds(without_marks(body)).decode(),
    )
    if '"best_of_sequences"' in text:
        return "the best of several samples"
    lines = [
        line for line in text.split("\n") if line and not line.startswith((":", "event: ")) and "[DONE]" not in line
    ]
    found = [json.loads(line.removeprefix("data: ")) for line in lines]
    # Choices arrive as they are generated, in any order.
    return sorted(found, key=lambda each: each["choices"][0]["index"]) if '"index":1,"delta"' in text else found
