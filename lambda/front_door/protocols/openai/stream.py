"""Streamed responses of OpenAI's routes, with one choice or more."""

from collections.abc import Iterator
from typing import Any

from front_door.context import RequestContext
from front_door.delivery import stream_response
from front_door.generation.choice import log_choices, raise_incomplete, total_usage
from front_door.http.json import compact
from front_door.http.response import Response
from front_door.protocols.generation import Generation
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.errors import OPENAI
from front_door.request_log import RequestLog

_DONE = b"data: [DONE]\n\n"


def stream_chunks(ctx: RequestContext, generation: Generation, chunks: list[Chunks], head: dict[str, Any]) -> Response:
    """Invoke the model and translate its events to OpenAI's chunks.

    Args:
        ctx: The request.
        generation: What is requested of the model.
        chunks: Write the chunks of each choice.
        head: What each chunk begins with.

    Raises:
        ApiError: The request could not be sent, or the stream begins with an error.
    """
    translator = _Translator(generation, chunks, head)
    if len(chunks) > 1:
        return stream_response(ctx, MultiChoiceStream(generation, translator), OPENAI, check_last=translator.check_last)
    return stream_response(
        ctx,
        generation.open(),
        OPENAI,
        translate=translator.translate_only,
        check_first=generation.raise_first_error,
        check_last=translator.check_last,
    )


class _Translator:
    """All choices of one stream, and its end."""

    def __init__(self, generation: Generation, chunks: list[Chunks], head: dict[str, Any]) -> None:
        self._request = generation.request
        self._chunks = chunks
        self._head = head
        self.choices = generation.choices

    def translate_only(self, events: bytes) -> bytes:
        """What the client gets for events of the only choice."""
        return self.translate(0, events)

    def translate(self, index: int, events: bytes) -> bytes:
        """What the client gets for events of one choice; the end of the last choice is followed by the stream's."""
        choice = self.choices[index]
        was_done = choice.is_done
        out = self._chunks[index].translate(events)
        if was_done or not choice.is_done or not all(each.is_done for each in self.choices):
            return out
        return out + self._end()

    def check_last(self, _events: bytes, log: RequestLog) -> None:
        """Log the token counts.

        Raises:
            ApiError: A choice has failed or has no end.
        """
        raise_incomplete(self.choices)
        log_choices(log, self._request, self.choices)

    def _end(self) -> bytes:
        if not self._request.include_usage:
            return _DONE
        chunk = {**self._head, "system_fingerprint": self.choices[0].fingerprint, "choices": []}
        return b"data: " + compact(chunk | {"usage": total_usage(self._request, self.choices)}) + b"\n\n" + _DONE


class MultiChoiceStream:
    """The merged chunks of all choices as they arrive; an empty slice is a keep-alive."""

    is_event_stream = True
    last_event = b""

    def __init__(self, generation: Generation, translator: _Translator) -> None:
        self._generation = generation
        self._translator = translator

    def __iter__(self) -> Iterator[bytes]:
        """Complete chunks.

        Raises:
            ApiError: The first error of any choice.
        """
        for index, events in self._generation.merged_events():
            if not events:
                yield events
            elif chunks := self._translator.translate(index, events):
                yield chunks
            error = self._translator.choices[index].error
            if error is not None:
                raise error
