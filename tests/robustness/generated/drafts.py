"""A request while it is generated: a valid one of some route, of which a kind of request changes one aspect."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from front_door.routes import ROUTES, Route

from tests.robustness.generated.schema_values import SchemaValues

SERVED = [route for route in ROUTES if not route.wakes]
POSTS = [route for route in SERVED if route.request is not None]
GETS = [route for route in SERVED if route.method == "GET"]
WORD = "c4n4ry"
"""What the word begins with that is in each text of a request; its number follows."""
CONSUMERS = {"team-a": 75, "team-b": 10, "team-c": 15}
"""Those whose requests are answered, and their shares; the app has what each may do."""
POOR = "team-d"
"""The consumer that has spent what it has."""
HARMLESS = frozenset({200, 400, 401, 403, 404, 405, 413, 415, 422, 424, 431, 501})
"""What a request may get, whatever is wrong with it: of 5xx only the status of a route that its engine lacks."""


class Door(NamedTuple):
    """A front door, as a request's generator knows it.

    Args:
        name: Its stack's name.
        stage: The path of its stage.
        models: The models by their names, each with the engines that may answer for it.
        keys: The API keys by consumer.
        document: The description that it serves.
    """

    name: str
    stage: str
    models: dict[str, tuple[str, ...]]
    keys: dict[str, str]
    document: Mapping[str, Any]


class Wire(NamedTuple):
    """A generated request as it is sent.

    Args:
        number: Its number, which with the seed makes it again.
        kind: What is unusual with it.
        door: The front door that it is for.
        consumer: Whose key it has.
        data: All its bytes.
        method: Its method, as far as the response depends on it.
        route: The route whose response it gets, if it gets one with the status 200; None: any or none.
        statuses: The statuses that it may have.
        pieces: How many pieces it is sent in, with pauses.
        sends: How many of its bytes are sent before the client leaves; None: all.
        receives: How many bytes of the response are read before the client leaves; None: all.
        leaves: How the client leaves: `closes`, `resets` or `half-closes`.
        may_be_unanswered: Whether the server may close the connection without a response.
    """

    number: int
    kind: str
    door: str
    consumer: str
    data: bytes
    method: str
    route: Route | None
    statuses: frozenset[int]
    pieces: int = 1
    sends: int | None = None
    receives: int | None = None
    leaves: str = "closes"
    may_be_unanswered: bool = False

    @property
    def stays(self) -> bool:
        """Whether the client waits for the whole response."""
        return self.sends is None and self.receives is None


@dataclass
class Draft:
    """A request that is not encoded yet; each member is what a kind of request may change."""

    generator: random.Random
    number: int
    door: Door
    route: Route
    consumer: str
    model: str
    method: str = "POST"
    path: str = ""
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    is_chunked: bool = False
    statuses: frozenset[int] = frozenset({200})
    has_route: bool = True
    wire: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def word(self) -> str:
        """The word of this request, in all its texts."""
        return f"{WORD}{self.number}x"

    @property
    def values(self) -> SchemaValues:
        """Draws values that the description allows."""
        names = list(self.door.models)
        return SchemaValues(self.door.document["components"]["schemas"], self.generator, self.word, names)

    @property
    def engines(self) -> tuple[str, ...]:
        """What may answer."""
        return self.door.models[self.model]

    def set_json(self, value: Any) -> None:
        """Set the body to a JSON value."""
        self.body = json.dumps(value, ensure_ascii=self.generator.random() < 0.5).encode(errors="surrogatepass")

    def set_header(self, name: str, value: str) -> None:
        """Set a header in place of those of its name."""
        self.remove_header(name)
        self.headers.append((name, value))

    def remove_header(self, name: str) -> None:
        """Remove a header."""
        self.headers = [header for header in self.headers if header[0].lower() != name.lower()]

    def encode(self, kind: str) -> Wire:
        """The request on the wire."""
        data = self.raw if self.raw is not None else self.head() + self.framed_body()
        route = self.route if self.has_route else None
        return Wire(
            self.number, kind, self.door.name, self.consumer, data, self.method, route, self.statuses, **self.wire
        )

    def head(self) -> bytes:
        """The request line and the headers, with those of the body's framing."""
        line = f"{self.method} {self.door.stage}{self.path}{self.query} HTTP/1.1\r\n"
        headers = list(self.headers)
        if self.body is not None:
            framing = ("Transfer-Encoding", "chunked") if self.is_chunked else ("Content-Length", str(len(self.body)))
            headers.append(framing)
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return (line + fields + "\r\n").encode(errors="surrogatepass")

    def framed_body(self) -> bytes:
        """The body, in chunks if it has some."""
        body = self.body or b""
        if not self.is_chunked or self.body is None:
            return body
        framed, at = b"", 0
        while at < len(body):
            size = self.generator.choice([1, 7, 100, 65536]) if len(body) < 10_000 else 65536
            piece = body[at : at + size]
            framed += b"%x\r\n%b\r\n" % (len(piece), piece)
            at += size
        return framed + b"0\r\n\r\n"


def plain_draft(generator: random.Random, number: int, door: Door, routes: list[Route] = SERVED) -> Draft:
    """A request that gets the status 200."""
    has_one = len(door.models) == 1
    route = generator.choice([each for each in routes if has_one or not _needs_one_model(each)])
    (consumer,) = generator.choices(list(CONSUMERS), weights=list(CONSUMERS.values()))
    answers = [name for name in allowed_models(door, consumer) if _is_answered(route, door.models[name])]
    model = generator.choice(answers)
    draft = Draft(generator, number, door, route, consumer, model, method=route.method)
    draft.path = route.path.replace("{model}", model)
    draft.headers = [
        ("Host", "front-door"),
        ("Authorization", f"Bearer {door.keys[consumer]}"),
        ("X-Session-Id", f"session-{generator.randint(0, 20)}"),
    ]
    if route.request is not None:
        draft.headers.append(("Content-Type", "application/json"))
        draft.set_json(plain_body(draft))
        draft.is_chunked = generator.random() < 0.2
    return draft


def plain_body(draft: Draft) -> dict[str, Any]:
    """A body that every engine answers which has the route."""
    generator, name = draft.generator, draft.route.request
    text = f"Tell me about {draft.word}, please."
    tokens = generator.randint(1, 24)
    stream = {"stream": generator.random() < 0.5} if generator.random() < 0.8 else {}
    if name == "InvocationsRequest":
        choices = ["chat"] if draft.engines == ("sglang",) else ["inputs", "chat", "prompt"]
        name = generator.choice(choices)
    body = _limited_prompt(name or "", text, tokens)
    if name not in ("GenerateRequest", "CountTokensRequest"):
        body |= stream
    if "inputs" in body:
        body["parameters"]["details"] = generator.random() < 0.3
    else:
        body["model"] = draft.model
        if generator.random() < 0.3 and name != "CountTokensRequest":
            body["temperature"] = round(generator.uniform(0, 1 if name == "MessagesRequest" else 2), 2)
        if generator.random() < 0.1 and draft.route.request in _HAVE_CHOICES:
            body["n"] = 2
    return body


def _limited_prompt(name: str, text: str, tokens: int) -> dict[str, Any]:
    """A text and a number of tokens in the form of a request."""
    system, messages = "Be brief.", [{"role": "user", "content": text}]
    match name:
        case "ChatCompletionRequest" | "chat":
            return {"messages": [{"role": "system", "content": system}, *messages], "max_tokens": tokens}
        case "CompletionRequest" | "prompt":
            return {"prompt": text, "max_tokens": tokens}
        case "ResponsesRequest":
            return {"instructions": system, "input": text, "max_output_tokens": tokens}
        case "MessagesRequest":
            return {"system": system, "messages": messages, "max_tokens": tokens}
        case "CountTokensRequest":
            return {"system": system, "messages": messages}
        case _:
            return {"inputs": text, "parameters": {"max_new_tokens": tokens}}


_HAVE_CHOICES = ("ChatCompletionRequest", "CompletionRequest", "InvocationsRequest")
_CHATS = ("ChatCompletionRequest", "InvocationsRequest", "ResponsesRequest", "MessagesRequest", "CountTokensRequest")


def allowed_models(door: Door, consumer: str) -> list[str]:
    """The models that a consumer may call."""
    return list(door.models)[:2] if consumer == "team-c" else list(door.models)


def _needs_one_model(route: Route) -> bool:
    """Whether a route answers only for a front door's only model: nothing in its requests can name another."""
    names_model = route.protocol != "tgi" or "{model}" in route.path
    return not names_model and (route.request is not None or route.path == "/info")


def _is_answered(route: Route, engines: tuple[str, ...]) -> bool:
    """Whether one of these engines answers a route at all: SGLang answers chats alone."""
    if engines != ("sglang",) or route.request is None:
        return True
    return route.request in _CHATS
