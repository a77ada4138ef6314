"""Reads the body of a request: the expectation, the content coding and the size limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11

from local.apigateway.responses import GatewayError

if TYPE_CHECKING:
    from aiohttp import web

MAX_BODY_BYTES = 10 * 1024 * 1024
# What API Gateway decompresses before it calls the function, which still sees the header Content-Encoding. The value is
# zlib's `wbits`. Sources: API Gateway guide, "Call an API method with a compressed payload"; what the function sees:
# dougmoscrop/serverless-http issue 194.
CODINGS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
PART_BYTES = 2**16


class ClientLeftError(Exception):
    """The client closed the connection before it had sent its request."""


async def read_body(http: web.BaseRequest) -> bytes:
    """The body, decompressed.

    Raises:
        GatewayError: REQUEST_TOO_LARGE, or UNSUPPORTED_MEDIA_TYPE for a coding that API Gateway does not know or a body
            that is not in it.
        ClientLeftError: The client has left.
    """
    if (http.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        await _continue(http)
        async for part in http.content.iter_chunked(PART_BYTES):
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise _too_large()
    except ConnectionError as error:
        raise ClientLeftError from error
    return _decompress(bytes(body), http.headers.get("Content-Encoding", "").strip().lower())


async def _continue(http: web.BaseRequest) -> None:
    """Tells a client that waits with its body to send it: curl from 1 MB on, the JDK's without a time limit."""
    if http.version >= HttpVersion11 and http.headers.get("Expect", "").lower() == "100-continue":
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        http.writer.output_size = 0  # the response has not begun


def _decompress(body: bytes, coding: str) -> bytes:
    if not body or coding in ("", "identity"):
        return body
    if coding not in CODINGS:
        raise _not_decodable()
    decompressor = zlib.decompressobj(CODINGS[coding])
    try:
        plain = decompressor.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise _not_decodable() from error
    if len(plain) > MAX_BODY_BYTES:
        raise _too_large()
    if not decompressor.eof or decompressor.unused_data:
        raise _not_decodable()
    return plain


def _too_large() -> GatewayError:
    return GatewayError("REQUEST_TOO_LARGE", "Request Too Long")


def _not_decodable() -> GatewayError:
    return GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
