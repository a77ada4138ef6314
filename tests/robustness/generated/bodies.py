"""Bodies that are nearly valid or not at all, made of the valid body of a draft."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from tests.robustness.corpus import INVALID_BYTES, NOT_OBJECTS, VALUES
from tests.robustness.generated.drafts import HARMLESS, Draft
from tests.robustness.wrong_values import WRONG_VALUES, paths_in, with_value_at

_REJECTED = frozenset({400, 404, 413, 415, 422, 501})
_FRAGMENTS = [*"{}[]:,\"'\\", " ", "\n", "null", "true", "1e999", "-", '"\\ud800"', "\ufeff", "NaN", "//", "\x00", "é"]
# Those that take a megabyte are rare, and none is left out.
_SMALL = {name: text for name, text in VALUES.items() if len(text) < 10_000}
_MEBIBYTE = 1024 * 1024


def by_the_schema(draft: Draft) -> dict[str, Any]:
    """A body that the description allows, with the plain members that a response needs."""
    plain = json.loads(draft.body or b"{}")
    schemas = draft.door.document["components"]["schemas"]
    found = draft.values.value(schemas[draft.route.request or ""])
    limits = {
        name: plain[name]
        for name in ("model", "max_tokens", "max_output_tokens")
        if name in plain and name not in found
    }
    body: dict[str, Any] = {**found, **limits}
    if "messages" in body:
        body["messages"] = [*body["messages"], {"role": "user", "content": draft.values.text()}]
    return body


def with_wrong_value(draft: Draft) -> None:
    """One to three values of other types, or out of range."""
    generator = draft.generator
    body = by_the_schema(draft) if generator.random() < 0.5 else json.loads(draft.body or b"{}")
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        places = list(paths_in(body))
        body = with_value_at(body, generator.choice(places), generator.choice([*WRONG_VALUES, draft.word]))
    draft.set_json(body)


def with_unusual_text(draft: Draft) -> None:
    """A value that JSON allows and few programs write, or that only lenient readers take, anywhere in the body."""
    generator, body = draft.generator, json.loads(draft.body or b"{}")
    values = VALUES if generator.random() < 0.05 else _SMALL
    text = generator.choice(list(values.values()))
    place = generator.choice([*paths_in(body), ("unknown",)])
    marked = json.dumps(with_value_at(body, place, "@@"), ensure_ascii=False)
    draft.body = marked.replace('"@@"', text, 1).encode(errors="surrogatepass")


def with_broken_text(draft: Draft) -> None:
    """JSON that is cut off, has a member twice, has something between its parts, or is no object."""
    generator, text = draft.generator, (draft.body or b"{}").decode()
    match generator.randrange(5):
        case 0:
            draft.body = text[: generator.randrange(len(text))].encode()
            draft.statuses = _REJECTED
        case 1:
            name, value = generator.choice(list(json.loads(text).items()))
            twice = json.dumps(generator.choice([value, *WRONG_VALUES]), ensure_ascii=True)
            pair = f"{json.dumps(name)}:{twice}"
            draft.body = (f"{{{pair},{text[1:]}" if generator.random() < 0.5 else f"{text[:-1]},{pair}}}").encode()
        case 2:
            for _ in range(generator.randint(1, 4)):
                at = generator.randint(0, len(text))
                text = text[:at] + generator.choice(_FRAGMENTS) + text[at:]
            draft.body = text.encode(errors="surrogatepass")
        case 3:
            draft.body = generator.choice([text for text in NOT_OBJECTS.values() if "\ud800" not in text]).encode()
            draft.statuses = _REJECTED
        case _:
            draft.body = generator.choice(list(_SMALL.values())).encode(errors="surrogatepass")
            draft.statuses = _REJECTED


def with_broken_bytes(draft: Draft) -> None:
    """Bytes that are no UTF-8, are of another encoding, or are random."""
    generator, body = draft.generator, bytearray(draft.body or b"")
    match generator.randrange(5):
        case 0:
            for _ in range(generator.randint(1, 6)):
                body[generator.randrange(len(body))] ^= 1 << generator.randrange(8)
        case 1:
            at = generator.randrange(len(body))
            body[at:at] = generator.choice(list(INVALID_BYTES.values()))
        case 2:
            encoding = generator.choice(["utf-16", "utf-32", "utf-16-be", "cp037", "utf-7"])
            body = bytearray(body.decode().encode(encoding))
        case 3:
            body = bytearray(generator.choice(list(INVALID_BYTES.values())))
        case _:
            body = bytearray(generator.randbytes(generator.choice([1, 16, 300, 20_000])))
    draft.body = bytes(body)


def with_large_text(draft: Draft) -> None:
    """A prompt of megabytes, up to more than API Gateway takes."""
    generator = draft.generator
    count = generator.choice([1, 3, 5, 6.5, 9, 10.5])
    word = generator.choice([f"{draft.word} ", '"', "é", "x"])
    text = word * int(count * _MEBIBYTE / len(word.encode()))
    draft.body = (draft.body or b"").replace(draft.word.encode(), json.dumps(text)[1:-1].encode(), 1)
    draft.statuses = HARMLESS
    draft.wire["may_be_unanswered"] = len(draft.body) > 10 * _MEBIBYTE  # the connection is closed while it is sent


def compress(draft: Draft, coding: str) -> None:
    """Encode the body as a header says, cut it off, or make it larger than it looks."""
    generator, body = draft.generator, draft.body
    if body is None:
        return
    if generator.random() < 0.1:
        body = body[:-1] + b" " * (12 * _MEBIBYTE) + body[-1:]
    compressed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    draft.body = compressed if generator.random() < 0.6 else compressed[: generator.randrange(len(compressed))]
