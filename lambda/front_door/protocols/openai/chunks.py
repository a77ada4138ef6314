"""A choice of a streamed response in OpenAI's chunks."""

from typing import Any

from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.frames import TextFrames
from front_door.generation.request import GenerationRequest
from front_door.http.json import compact

_END = b"\n\n"


class Chunks:
    """Translates a container's events to OpenAI's chunks.

    Most events have nothing but text, and the same bytes around it: these are replaced without parsing the event.

    Args:
        choice: Reads the events.
        request: The client's request.
        index: The choice's index.
        head: The first members of each chunk.
    """

    def __init__(self, choice: Choice, request: GenerationRequest, index: int, head: dict[str, Any]) -> None:
        self.choice = choice
        self._index = index
        self._head = head
        self._tail: dict[str, Any] = {"usage": None} if request.include_usage else {}
        self._frames = TextFrames(None if request.stop_sequences else choice.text_frame)
        self._before = self._between = self._after = b""

    def translate(self, events: bytes) -> bytes:
        """The chunks for some complete events; none after the end of the choice."""
        if (texts := self._frames.texts(events)) is not None:
            return self._before + self._between.join(texts) + self._after
        if events.count(_END) > 1:
            return b"".join([self.translate(event + _END) for event in events.split(_END) if event])
        return b"".join(self._parse(events))

    def chunk(
        self, members: dict[str, Any], *, logprobs: dict[str, Any] | None = None, finish_reason: str | None = None
    ) -> bytes:
        """One chunk with these members in its choice."""
        choice = {"index": self._index, **members, "logprobs": logprobs, "finish_reason": finish_reason}
        head = {**self._head, "system_fingerprint": self.choice.fingerprint}
        return b"data: " + compact({**head, "choices": [choice], **self._tail}) + b"\n\n"

    def translate_deltas(self, deltas: list[Delta]) -> list[bytes]:
        """The chunks for some deltas."""
        raise NotImplementedError

    def last_chunk(self) -> bytes:
        """The chunk that says why the text ended."""
        raise NotImplementedError

    def text_members(self, text: object) -> dict[str, Any]:
        """The members of a choice that has nothing but text."""
        raise NotImplementedError

    def _parse(self, event: bytes) -> list[bytes]:
        self._frames.forget()
        if self.choice.is_done:
            return []
        chunks = self.translate_deltas(self.choice.read(event))
        return chunks + self._after_event(event, has_text=bool(chunks))

    def _after_event(self, event: bytes, *, has_text: bool) -> list[bytes]:
        if self.choice.is_done:
            return [self.last_chunk()]
        # What is around TGI's text contains the time in seconds.
        if has_text and self.choice.error is None and self._frames.learn(event):
            self._before, _, self._after = self.chunk(self.text_members("\x00")).partition(b"\\u0000")
            self._between = self._after + self._before
        return []
