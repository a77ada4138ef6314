"""Streamed answers of OpenAI's routes, with one choice or several."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from front_door.config import Model
from front_door.context import Call
from front_door.delivery import relay
from front_door.errors import OPENAI, compact, tgi_failure
from front_door.generation.choice import checked, note, usage
from front_door.generation.request import Asked
from front_door.http.response import Response
from front_door.http.sse import data_of, objects
from front_door.protocols.openai.chunks import Chunks
from front_door.request_log import Journal

_DONE = b"data: [DONE]\n\n"


def streamed(call: Call, model: Model, asked: Asked, chunks: list[Chunks], head: dict[str, Any]) -> Response:
    """Ask the model and pass its events on in OpenAI's words.

    Args:
        call: The request.
        model: The model.
        asked: What is asked of it.
        chunks: What writes each choice.
        head: What each chunk begins with.

    Raises:
        Failure: Nothing was sent, or what came first is an error.
    """
    stream = _Stream(asked, chunks, head)
    if len(chunks) == 1:
        source = call.stream(model, asked.bodies[0])
        return relay(call, source, OPENAI, translate=stream.only, first=_first, last=stream.last)
    return relay(call, _Together(call, model, stream), OPENAI, last=stream.last)


def _first(events: bytes) -> None:
    """An error in the place of the first chunk becomes the answer's status, as OpenAI's own API has it."""
    data = data_of(events)
    if data and data[0].startswith(b'{"error"'):
        raise tgi_failure(objects(events)[0])


class _Stream:
    """All the choices of one stream, and what ends it."""

    def __init__(self, asked: Asked, chunks: list[Chunks], head: dict[str, Any]) -> None:
        self.asked = asked
        self._chunks = chunks
        self._head = head
        self.choices = [each.choice for each in chunks]

    def only(self, events: bytes) -> bytes:
        """What the client gets for events of the only choice."""
        return self.of(0, events)

    def of(self, index: int, events: bytes) -> bytes:
        """What the client gets for events of one choice, behind the end of the last one also the stream's."""
        choice = self.choices[index]
        was_done = choice.is_done
        out = self._chunks[index].translated(events)
        if was_done or not choice.is_done or not all(each.is_done for each in self.choices):
            return out
        return out + self._end()

    def _end(self) -> bytes:
        if not self.asked.with_usage:
            return _DONE
        told = {**self._head, "system_fingerprint": self.choices[0].fingerprint, "choices": []}
        return b"data: " + compact(told | {"usage": usage(self.asked, self.choices)}) + b"\n\n" + _DONE

    def last(self, _tail: bytes, journal: Journal) -> None:
        """Note how it went.

        Raises:
            Failure: A choice failed, or has no end.
        """
        checked(self.choices)
        note(journal, self.asked, self.choices)


@dataclass(slots=True)
class _Together:
    """The chunks of several choices as they come; an empty slice says that nothing came for a while."""

    call: Call
    model: Model
    stream: _Stream
    is_events: bool = True
    content_type: str = "text/event-stream"
    tail: bytes = b""

    def __iter__(self) -> Iterator[bytes]:
        from front_door.generation.fan_out import merged

        for index, events in merged(self.call, self.model, self.stream.asked.bodies):
            if not events:
                yield events
            elif chunks := self.stream.of(index, events):
                yield chunks
            failure = self.stream.choices[index].failure
            if failure is not None:
                raise failure
