"""Requests that are not quite HTTP: the server may answer 400 or close the connection, and must not wait for more."""

from __future__ import annotations

from collections.abc import Callable

from tests.robustness.generated.drafts import Draft

_ANSWERS = frozenset({200, 400, 403, 404, 405, 411, 413, 415, 417, 422, 431, 501, 505})


def break_framing(draft: Draft) -> None:
    """Break the request line, a header, or the framing of the body; the client sends nothing more afterwards."""
    generator = draft.generator
    draft.is_chunked = False
    head, body = draft.head(), draft.body or b""
    draft.raw = generator.choice(_BREAKS)(head, body, draft.word.encode())
    draft.has_route = False
    draft.statuses = _ANSWERS
    draft.wire |= {"sends": len(draft.raw), "leaves": "half-closes", "may_be_unanswered": True}


def _header(name: bytes) -> Callable[[bytes, bytes, bytes], bytes]:
    """Insert bytes behind the request line."""

    def insert(head: bytes, body: bytes, word: bytes) -> bytes:
        line, rest = head.split(b"\r\n", 1)
        return line + b"\r\n" + name.replace(b"WORD", word) + rest + body

    return insert


def _replaced(old: bytes, new: bytes) -> Callable[[bytes, bytes, bytes], bytes]:
    return lambda head, body, word: head.replace(old, new.replace(b"WORD", word), 1) + body


def _chunked(framed: bytes) -> Callable[[bytes, bytes, bytes], bytes]:
    """Send a body in chunks that are wrong."""

    def insert(head: bytes, body: bytes, word: bytes) -> bytes:
        at = head.index(b"Content-Length")
        size = b"%x" % len(body)
        filled = framed.replace(b"SIZE", size).replace(b"BODY", body).replace(b"WORD", word)
        return head[:at] + b"Transfer-Encoding: chunked\r\n\r\n" + filled

    return insert


_BREAKS: list[Callable[[bytes, bytes, bytes], bytes]] = [
    _header(b"no colon WORD\r\n"),
    _header(b": no name WORD\r\n"),
    _header(b" folded: WORD\r\n"),
    _header(b"X-A : WORD\r\n"),
    _header(b"X-A: a\nX-B: WORD\r\n"),
    _header(b"X-A: a\rX-B: WORD\r\n"),
    _header(b"X-A: \x00WORD\r\n"),
    _header(b"X-A: \x7fWORD\r\n"),
    _header(b"Content-Length: 0\r\n"),
    _header(b"Content-Length: 5, 5\r\n"),
    _header(b"Content-Length: -1\r\n"),
    _header(b"Content-Length: 99999999999999999999\r\n"),
    _header(b"Content-Length: +7\r\n"),
    _header(b"Transfer-Encoding: chunked\r\n"),
    _header(b"Transfer-Encoding: xchunked, WORD\r\n"),
    _replaced(b"Content-Length", b"Content-Length "),
    _replaced(b"HTTP/1.1", b"HTTP/9.9"),
    _replaced(b"HTTP/1.1", b"HTTP/1.0"),
    _replaced(b"HTTP/1.1", b"WORD"),
    _replaced(b" HTTP/1.1", b""),
    _replaced(b"POST ", b"PO\x00ST "),
    _replaced(b"POST ", b"POST  "),
    _replaced(b"POST /", b"POST http://WORD/"),
    _replaced(b"\r\n", b"\n"),
    _chunked(b"SIZE\r\nBODY\r\n"),
    _chunked(b"SIZE\r\nBODY0\r\n\r\n"),
    _chunked(b"0x5\r\nWORDx\r\n0\r\n\r\n"),
    _chunked(b"-5\r\nBODY\r\n0\r\n\r\n"),
    _chunked(b"SIZE;WORD=x\r\nBODY\r\n0\r\nX-Trailer: WORD\r\n\r\n"),
    _chunked(b"ffffffffffffffff\r\nBODY\r\n0\r\n\r\n"),
    _chunked(b"SIZE\r\nBODY\r\n0\r\n\r\nGET /WORD HTTP/1.1\r\n\r\n"),
    lambda head, _body, _word: head[: len(head) // 2],
    lambda _head, _body, word: b"\x16\x03\x01\x02\x00\x01\x00" + word,
    lambda _head, _body, word: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + word,
    lambda _head, _body, word: word * 20_000,
    lambda _head, _body, _word: b"\r\n" * 500,
]
