"""What is required of every response: a status that the request may have, and a body as the description has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
from front_door.routes import Route

from tests.robustness.generated.client import Received
from tests.robustness.generated.drafts import WORD, Wire

_WORDS = re.compile(rb"(?i)" + WORD.encode() + rb"(\d+)x")
_GATEWAY = {403: b'{"message":"Forbidden"}', 431: b'{"message":"HTTP header is larger than 10240 bytes."}'}
"""Bodies that API Gateway has for requests outside the stage and for heads that it does not read."""


def words_in(response: Received) -> set[int]:
    """The numbers of the requests whose words a response has, also those that come in several tokens."""
    whole = [response.body, repr(response.headers).encode()]
    texts: dict[Any, str] = {}
    if response.headers.get("content-type") == "text/event-stream":
        for data in re.findall(rb"data: (\{.*)", response.body):
            for place, text in _texts(json.loads(data)):
                texts[place] = texts.get(place, "") + text
    return {int(number) for each in [*whole, *map(str.encode, texts.values())] for number in _WORDS.findall(each)}


def _texts(event: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts in an event and where they are, with the number of a choice in place of its position."""
    if isinstance(event, str):
        yield place, event
    elif isinstance(event, dict):
        for name, inner in event.items():
            yield from _texts(inner, (*place, name))
    elif isinstance(event, list):
        for at, inner in enumerate(event):
            number = inner.get("index", at) if isinstance(inner, dict) else at
            yield from _texts(inner, (*place, number))


_NAME = re.compile(rb"^event: [a-z_.]+\n")
_ENDS = {
    "ResponsesRequest": ("response.completed", "response.incomplete", "response.failed", "error"),
    "MessagesRequest": ("message_stop", "error"),
}
"""The types of the last events of streams that have no other end."""
_ERRORS = {"tgi": "ErrorResponse", "openai": "OpenAIError", "anthropic": "AnthropicError"}


def _has_end(route: Route, data: list[bytes], *, is_openai: bool) -> bool:
    if route.request in _ENDS:
        return bool(data) and json.loads(data[-1])["type"] in _ENDS[route.request]
    return is_openai or route.protocol != "openai"


class ResponseChecks:
    """Checks responses of front doors.

    Args:
        document: The description that they serve.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def problems(self, wire: Wire, response: Received) -> list[str]:
        """What is wrong with a response."""
        found = [f"{response.headers} repeats {name}" for name in response.repeated]
        if response.status not in wire.statuses:
            found.append(f"status {response.status} is none of {sorted(wire.statuses)}: {response.body[:300]!r}")
        own = {int(number) for number in _WORDS.findall(wire.data)}  # a flipped bit may make it another number
        if foreign := words_in(response) - {wire.number} - own:
            found.append(f"words of the requests {sorted(foreign)}")
        if wire.method == "HEAD":
            return found
        check = self._error if response.status >= 400 else self._success
        return found + check(wire, response)

    def _success(self, wire: Wire, response: Received) -> list[str]:
        if wire.route is None:
            return []
        content = self._contents(wire, response.status)
        media_type = response.headers.get("content-type", "")
        if media_type not in content:
            return [f"content type {media_type!r} is none of {sorted(content)}"]
        name = f"{wire.route.method} {wire.route.path} {media_type}"
        if media_type != "text/event-stream":
            return self._invalid(name, content[media_type]["schema"], response.body)
        return self._stream(wire, name, content[media_type]["schema"], response.body)

    def _stream(self, wire: Wire, name: str, schema: Any, body: bytes) -> list[str]:
        *events, rest = body.split(b"\n\n")
        events = [_NAME.sub(b"", event) for event in events if not event.startswith(b":")]
        if rest or any(not event.startswith(b"data: ") or b"\n" in event for event in events):
            return [f"no whole events: {body[-300:]!r}"]
        data = [event.removeprefix(b"data: ") for event in events]
        is_openai = data[-1:] == [b"[DONE]"]
        data = data[:-1] if is_openai else data
        problems = [] if data else ["no events"]
        if wire.route is not None and not _has_end(wire.route, data, is_openai=is_openai):
            problems.append(f"no end: {body[-300:]!r}")
        if any(event.startswith(b'{"error"') for event in data[:-1]):
            problems.append(f"events after an error: {body[-500:]!r}")
        for event in data:
            problems += self._invalid(name, schema, event)
        return problems

    def _error(self, wire: Wire, response: Received) -> list[str]:
        if response.body == _GATEWAY.get(response.status):
            return []
        if wire.route is None and response.headers.get("content-type", "").startswith("text/plain"):
            # Of the HTTP server, before API Gateway knows what the request is.
            return [] if response.status == 400 else [f"plain text with status {response.status}"]
        problems = [] if response.headers.get("x-request-id") else ["no x-request-id"]
        if response.headers.get("content-type") != "application/json":
            problems.append(f"content type {response.headers.get('content-type')!r} of an error")
        if response.status in (429, 503) and not response.headers.get("retry-after"):
            problems.append("no Retry-After")
        is_gateways = "x-amzn-errortype" in response.headers
        names = ["OpenAIError"] if is_gateways else list(_ERRORS.values())
        if wire.route is not None and not is_gateways:
            names = [_ERRORS[wire.route.protocol]]
        schemas = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}
        return problems + self._invalid(" or ".join(names), schemas, response.body)

    def _contents(self, wire: Wire, status: int) -> Mapping[str, Any]:
        assert wire.route is not None
        answers = self._document["paths"][wire.route.path][wire.route.method.lower()]["responses"]
        described = answers.get(str(status))
        if described is None:
            return {}
        name = described["$ref"].rpartition("/")[2] if "$ref" in described else None
        found: Mapping[str, Any] = self._document["components"]["responses"][name] if name else described
        return found.get("content", {})

    def _invalid(self, name: str, schema: Any, body: bytes) -> list[str]:
        validator = self._validators.get(name)
        if validator is None:
            whole = {**schema, "components": self._document["components"]}
            validator = self._validators[name] = jsonschema_rs.Draft202012Validator(whole)
        try:
            value = json.loads(body.decode())
        except ValueError as error:
            return [f"not JSON: {error}: {body[:300]!r}"]
        return [f"not as {name}: {error.message[:300]}: {body[:300]!r}" for error in validator.iter_errors(value)][:1]
