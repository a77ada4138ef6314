"""The kinds of generated requests: each changes one aspect of a valid request, and says which statuses are right."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.robustness.generated import bodies, framing
from tests.robustness.generated.drafts import (
    GETS,
    HARMLESS,
    POOR,
    POSTS,
    SERVED,
    Door,
    Draft,
    Wire,
    allowed_models,
    plain_body,
    plain_draft,
)

Change = Callable[[Draft], None]


class Kind(NamedTuple):
    """A kind of request.

    Args:
        weight: Its share of all requests, in parts of 100.
        change: Makes it of a valid request; None: it stays valid.
        routes: The routes of the valid request.
    """

    weight: float
    change: Change | None
    routes: list[Any]


def generate(seed: str, number: int, doors: list[Door]) -> Wire:
    """The request of a number, always the same for a seed."""
    generator = random.Random(f"{seed}-{number}")
    kind = generator.choices(list(KINDS), weights=[each.weight for each in KINDS.values()])[0]
    chosen = KINDS[kind]
    draft = plain_draft(generator, number, generator.choice(doors), chosen.routes)
    if chosen.change is not None:
        draft.statuses = HARMLESS
        chosen.change(draft)
    return draft.encode(kind)


def _by_the_schema(draft: Draft) -> None:
    """Any body that the description allows; some combinations of members are refused."""
    draft.set_json(bodies.by_the_schema(draft))


def _unusual_headers(draft: Draft) -> None:
    generator = draft.generator
    name, value = generator.choice(_HEADERS)
    value = value.replace("WORD", draft.word)
    if name in ("Host", "Content-Type") or generator.random() < 0.7:
        draft.set_header(name, value)
    else:
        draft.headers.append((name, value))
    if name == "Content-Encoding" and generator.random() < 0.7:
        bodies.compress(draft, value)


def _many_headers(draft: Draft) -> None:
    size = draft.generator.choice([10, 100, 1000])
    draft.headers += [(f"X-{at}", f"{draft.word}{'y' * (12_000 // size)}") for at in range(size)]
    draft.statuses = frozenset({200, 431, 400})


def _no_valid_credentials(draft: Draft) -> None:
    key, generator = draft.door.keys[draft.consumer], draft.generator
    draft.remove_header("Authorization")
    wrong = ["", "Bearer", "Bearer ", key, f"Basic {key}", f"Bearer {key}x", f"Bearer{key}", f"Bearer {draft.word}"]
    wrong += [
        "Bearer " + "k" * 3000,
        f"Bearer {key[:-1]}",
        f"Bearer {key},{key}",
        f"bearer {key}\tx",
        "Bearer ' OR 1=1",
    ]
    if generator.random() < 0.8:
        value = generator.choice(wrong)
        # The bare key in X-Api-Key is what Anthropic's clients send.
        is_valid = value == key and "/v1/messages" in draft.path
        draft.headers.append(("Authorization" if is_valid else generator.choice(["Authorization", "X-Api-Key"]), value))
    draft.statuses = frozenset({401, 403})


def _of_another_consumer(draft: Draft) -> None:
    """A valid request with the key of a consumer that may not call the model, or has spent its tokens."""
    forbidden = [name for name in draft.door.models if name not in allowed_models(draft.door, "team-c")]
    is_poor = not forbidden or draft.generator.random() < 0.3
    draft.consumer = POOR if is_poor else "team-c"
    draft.set_header("Authorization", f"Bearer {draft.door.keys[draft.consumer]}")
    if is_poor:
        draft.statuses = frozenset({200, 429})
        return
    draft.model = draft.generator.choice(forbidden)
    draft.route = draft.generator.choice([route for route in POSTS if "{model}" in route.path])
    draft.path = draft.route.path.replace("{model}", draft.model)
    draft.set_json(plain_body(draft))
    draft.statuses = frozenset({403})


def _other_method(draft: Draft) -> None:
    methods = [
        "GET",
        "HEAD",
        "OPTIONS",
        "PUT",
        "PATCH",
        "DELETE",
        "POST",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "get",
        "A" * 50,
    ]
    draft.method = draft.generator.choice([each for each in methods if each != draft.route.method])
    draft.has_route = False
    if draft.method == "CONNECT" or draft.generator.random() < 0.5:
        draft.body = None
    if draft.method == "CONNECT":
        draft.set_header("Connection", "close")


def _other_path(draft: Draft) -> None:
    generator, segments = draft.generator, draft.path.strip("/").split("/")
    draft.has_route = False
    match generator.randrange(6):
        case 0:
            draft.path = "/" + "/".join(_percent_encoded(generator, each) for each in segments)
        case 1:
            segments.insert(generator.randint(0, len(segments)), generator.choice([*_SEGMENTS, draft.word]))
            draft.path = "/" + "/".join(segments)
        case 2:
            segments[generator.randrange(len(segments))] = generator.choice([*_SEGMENTS, draft.word])
            draft.path = "/" + "/".join(segments)
        case 3:
            draft.path = generator.choice([f"/{draft.path}", f"{draft.path}/", f"{draft.path}//", f"/.{draft.path}"])
        case 4:
            count = generator.randint(1, 5)
            draft.path = "/" + "/".join(generator.choices([*_SEGMENTS, draft.word], k=count))
        case _:
            model = generator.choice(
                [draft.word, quote(draft.word + "é🐤"), "Qwen%2FQwen2.5-7B-Instruct", "a%00b", "%ff"]
            )
            draft.path = draft.route.path.replace("{model}", model) if "{" in draft.route.path else f"/models/{model}"
    draft.wire["may_be_unanswered"] = True


def _query(draft: Draft) -> None:
    word = draft.word
    queries = [f"?{word}={word}", "?" + "&".join(["a=b"] * 300), "?%00=%ff&=&&", "?model=nobody&stream=true", "?"]
    draft.query = draft.generator.choice([*queries, f"?a={quote(word + ' été')}", f"?q={'z' * 7000}"])
    draft.statuses = frozenset({200})


def _left_early(draft: Draft) -> None:
    """A valid request whose client leaves before its end, or before that of the response."""
    draft.set_header("Connection", "close")
    generator, length = draft.generator, len(draft.head() + draft.framed_body())
    leaves = generator.choice(["closes", "resets", "half-closes"])
    if generator.random() < 0.5:
        draft.wire |= {"sends": generator.randint(0, length), "leaves": leaves}
    else:
        draft.wire |= {"receives": generator.choice([0, 1, 100, 400, 1000]), "leaves": leaves}
    draft.statuses = HARMLESS


def _sent_slowly(draft: Draft) -> None:
    draft.wire["pieces"] = draft.generator.randint(2, 12)
    draft.statuses = frozenset({200})


def _percent_encoded(generator: random.Random, segment: str) -> str:
    return "".join(f"%{ord(each):02x}" if generator.random() < 0.4 else each for each in segment)


_SEGMENTS = ["..", ".", "", "%2e%2e", "%2F", "%00", "%", "%zz", "%ff", "%0d%0aX-Evil:%201", "v1", "models", "generate"]
_SEGMENTS += ["{model}", "{proxy+}", "x" * 3000, "é", "😀", "chat", "completions", "qwen", "tgi", "wake", ";a=b", "a b"]
_HEADERS = [
    *(("Content-Type", value) for value in ["", "text/plain", "application/json; charset=utf-16", "*/*", "WORD", "é"]),
    *(("Content-Type", value) for value in ["application/json;charset=UTF-8", "multipart/form-data", "a/b, c/d"]),
    *(("Accept", value) for value in ["", "text/html", "text/event-stream", "application/xml", "image/*", "WORD"]),
    *(("Content-Encoding", value) for value in ["gzip", "deflate", "identity", "br", "gzip, gzip", "WORD"]),
    *(("Origin", value) for value in ["https://app.example", "https://WORD", "null", "https://app.example.evil"]),
    *(("X-Session-Id", value) for value in ["", "WORD", "é💥", "s" * 2000]),
    *((name, "WORD é\t") for name in ["Cookie", "User-Agent", "Referer", "X-Forwarded-For", "X-A", "Via"]),
    *(
        (name, "WORD")
        for name in ["X-Amzn-Trace-Id", "X-Amz-Date", "X-Amz-Target", "X-Amzn-RequestId", "Range", "If-Match"]
    ),
    *((name, "WORD") for name in ["X-Amzn-SageMaker-Target-Model", "X-Amzn-SageMaker-Inference-Component", "TE"]),
    *((name, "WORD") for name in ["X-Amzn-SageMaker-Custom-Attributes", "__proto__", "X-HTTP-Method-Override"]),
    *(("X-Amzn-Trace-Id", value) for value in ["Root=1-6b0cebdf-1;Sampled=?", "Root=" + "1" * 900, "Root=1;Parent=2"]),
    *(("Host", value) for value in ["", "evil.example", "WORD", "[::1]:80", "a b"]),
    *(("Connection", value) for value in ["close", "keep-alive, X-A", "Content-Length", "WORD"]),
    *(("Expect", value) for value in ["100-continue", "WORD"]),
    *(("Date", value) for value in ["Thu, 01 Jan 1970 00:00:00 GMT", "WORD"]),
]

KINDS: dict[str, Kind] = {
    "valid": Kind(20, None, POSTS),
    "valid, without a body": Kind(4, None, GETS),
    "valid by the schema": Kind(12, _by_the_schema, POSTS),
    "a wrong value": Kind(14, bodies.with_wrong_value, POSTS),
    "an unusual JSON text": Kind(10, bodies.with_unusual_text, POSTS),
    "a broken JSON text": Kind(9, bodies.with_broken_text, POSTS),
    "broken bytes": Kind(6, bodies.with_broken_bytes, POSTS),
    "a large body": Kind(0.3, bodies.with_large_text, POSTS),
    "unusual headers": Kind(6, _unusual_headers, SERVED),
    "many headers": Kind(0.7, _many_headers, SERVED),
    "no valid credentials": Kind(2, _no_valid_credentials, SERVED),
    "another consumer": Kind(2, _of_another_consumer, POSTS),
    "another method": Kind(3, _other_method, SERVED),
    "another path": Kind(5, _other_path, SERVED),
    "a query": Kind(1, _query, POSTS),
    "broken HTTP": Kind(2, framing.break_framing, POSTS),
    "left early": Kind(4, _left_early, SERVED),
    "sent slowly": Kind(1, _sent_slowly, POSTS),
}


def describe(wire: Wire) -> str:
    """The request as a failure shows it."""
    text = wire.data[:1500].decode("latin-1")
    return json.dumps({**wire._asdict(), "data": text, "route": wire.route and wire.route.path}, default=sorted)
