"""Writes responses with a fault at a byte or at a part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from local.sagemaker_runtime import event_stream

if TYPE_CHECKING:
    import aiohttp
    from aiohttp import web

    from local.sagemaker_runtime.faults import Fault

EXCEPTIONS = {
    "stream-broken": event_stream.exception(
        "ModelStreamError", Message="The model's stream broke before its end.", ErrorCode="StreamBroken"
    ),
    "stream-timeout": event_stream.exception(
        "ModelStreamError",
        Message="The model did not finish its stream in time.",
        ErrorCode="ModelInvocationTimeExceeded",
    ),
    "stream-failure": event_stream.exception("InternalStreamFailure", Message="An internal failure occurred."),
}
UNKNOWN_EVENT = event_stream.event("SomethingNew", b"{}")
# Position of a fault without `at` or `frame`: inside the first events of a stream.
BYTES_BEFORE = 400
FLIPPED_BIT = 0x10


class ConnectionLostError(Exception):
    """The fault aborts the connection here."""


class ResponseEndedError(Exception):
    """The fault ends the response here, as if it were complete."""


class FaultWriter:
    """Writes a response with a fault at a byte.

    Args:
        response: The prepared response.
        fault: The fault.
    """

    def __init__(self, response: web.StreamResponse, fault: Fault) -> None:
        self._response = response
        self._fault = fault
        self._remaining = fault.at or 0
        self._applied = False

    async def write(self, data: bytes) -> None:
        """Writes bytes, and applies the fault at its position.

        Raises:
            ConnectionLostError: The connection must be aborted.
            ResponseEndedError: The response must end.
        """
        if self._applied or len(data) <= self._remaining:
            self._remaining -= len(data)
            await self._response.write(data)
            return
        before, rest = data[: self._remaining], data[self._remaining :]
        self._applied = True
        if before:
            await self._response.write(before)
        await self._response.write(await self._apply(rest))

    def end(self) -> None:
        """Ends a response that may be shorter than the position of the fault.

        Raises:
            ConnectionLostError: The connection must be aborted.
        """
        if not self._applied and self._fault.name == "connection-lost":
            raise ConnectionLostError

    async def _apply(self, rest: bytes) -> bytes:
        match self._fault.name:
            case "connection-lost":
                raise ConnectionLostError
            case "end":
                raise ResponseEndedError
            case "stall":
                await asyncio.sleep(self._fault.seconds)
                return rest
            case _:
                return bytes([rest[0] ^ FLIPPED_BIT]) + rest[1:]


async def relay_until_byte(
    chunks: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Writes a stream as frames, with the fault at byte `fault.at`."""
    writer = FaultWriter(response, fault)
    async for data in chunks.iter_any():
        await writer.write(b"".join(frames(data)))
    writer.end()


async def relay_until_frame(
    chunks: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Writes a stream as frames, with the fault before part `fault.frame`, or at the end of a shorter stream."""
    remaining = fault.frame or 0
    applied = False
    async for data in chunks.iter_any():
        for frame in frames(data):
            if remaining == 0 and not applied:
                if fault.name in EXCEPTIONS:
                    await response.write(EXCEPTIONS[fault.name])
                    return
                await response.write(UNKNOWN_EVENT)
                applied = True
            remaining -= 1
            await response.write(frame)
    if not applied:
        await response.write(EXCEPTIONS.get(fault.name, UNKNOWN_EVENT))


async def relay_beginning(
    chunks: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Writes the beginning of a stream, never all of it, and then the exception of the fault.

    Raises:
        ConnectionLostError: The connection must be aborted.
    """
    sent, held = 0, b""
    async for data in chunks.iter_any():
        await response.write(b"".join(frames(held)) if held else b"")
        sent += len(held)
        held = data[: BYTES_BEFORE - sent]
        if sent + len(held) >= BYTES_BEFORE:
            break
    beginning = held[: len(held) // 2]
    await response.write((b"".join(frames(beginning)) if beginning else b"") + EXCEPTIONS.get(fault.name, b""))
    if fault.name == "connection-lost":
        raise ConnectionLostError
