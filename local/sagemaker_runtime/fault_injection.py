"""An answer that is spoiled at a byte or at a part of it."""

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
# Where a fault without a place happens: inside of the first events of a stream.
BYTES_BEFORE = 400
FLIPPED_BIT = 0x10


class ConnectionLostError(Exception):
    """The answer has gone as far as it is to go; its connection is cut."""


class AnswerEndedError(Exception):
    """The answer has gone as far as it is to go; it ends as if it were complete."""


class Spoiler:
    """Writes an answer until its fault.

    Args:
        response: The answer, prepared.
        fault: What becomes of it.
    """

    def __init__(self, response: web.StreamResponse, fault: Fault) -> None:
        self._response = response
        self._fault = fault
        self._left = fault.at or 0
        self._done = False

    async def write(self, data: bytes) -> None:
        """Passes bytes on.

        Raises:
            ConnectionLostError: No more may be sent.
            AnswerEndedError: No more is to be sent.
        """
        if self._done or len(data) <= self._left:
            self._left -= len(data)
            await self._response.write(data)
            return
        before, rest = data[: self._left], data[self._left :]
        self._done = True
        if before:
            await self._response.write(before)
        await self._response.write(await self._spoil(rest))

    def end(self) -> None:
        """The answer was shorter than the bytes that were to come before.

        Raises:
            ConnectionLostError: No more may be sent.
        """
        if not self._done and self._fault.name == "connection-lost":
            raise ConnectionLostError

    async def _spoil(self, rest: bytes) -> bytes:
        match self._fault.name:
            case "connection-lost":
                raise ConnectionLostError
            case "end":
                raise AnswerEndedError
            case "stall":
                await asyncio.sleep(self._fault.seconds)
                return rest
            case _:
                return bytes([rest[0] ^ FLIPPED_BIT]) + rest[1:]


async def relay_until_byte(
    pieces: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Passes a stream on as frames, spoiled at the byte that the fault names."""
    spoiler = Spoiler(response, fault)
    async for data in pieces.iter_any():
        await spoiler.write(b"".join(frames(data)))
    spoiler.end()


async def relay_until_frame(
    pieces: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Passes a stream on as frames, spoiled before the part that the fault names, or at its end."""
    left = fault.frame or 0
    spoiled = False
    async for data in pieces.iter_any():
        for frame in frames(data):
            if left == 0 and not spoiled:
                if fault.name in EXCEPTIONS:
                    await response.write(EXCEPTIONS[fault.name])
                    return
                await response.write(UNKNOWN_EVENT)
                spoiled = True
            left -= 1
            await response.write(frame)
    if not spoiled:
        await response.write(EXCEPTIONS.get(fault.name, UNKNOWN_EVENT))


async def relay_beginning(
    pieces: aiohttp.StreamReader, frames: Callable[[bytes], Iterable[bytes]], response: web.StreamResponse, fault: Fault
) -> None:
    """Passes on the beginning of a stream, never all of it, and then how it ends.

    Raises:
        ConnectionLostError: It ends without a word.
    """
    sent, held = 0, b""
    async for data in pieces.iter_any():
        await response.write(b"".join(frames(held)) if held else b"")
        sent += len(held)
        held = data[: BYTES_BEFORE - sent]
        if sent + len(held) >= BYTES_BEFORE:
            break
    beginning = held[: len(held) // 2]
    await response.write((b"".join(frames(beginning)) if beginning else b"") + EXCEPTIONS.get(fault.name, b""))
    if fault.name == "connection-lost":
        raise ConnectionLostError
