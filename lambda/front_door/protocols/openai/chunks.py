"""A choice of a streamed response in OpenAI's chunks."""

from typing import Any

from front_door.generation.choice import Choice
from front_door.generation.events import Delta, TextFrame
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
        self._known_frame = None if request.stop_sequences else choice.text_frame
        self._theirs: TextFrame | None = None
        self._ours = TextFrame(b"", b"")

    def translate(self, events: bytes) -> bytes:
        """The chunks for some complete events; none after the end of the choice."""
        if self._theirs is not None and (chunks := self._replace_frames(events, self._theirs)):
            return chunks
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

    def _replace_frames(self, events: bytes, theirs: TextFrame) -> bytes | None:
        """The chunks for some events if all have nothing but text in this frame; otherwise None."""
        before, after = theirs
        start, end = len(before), -len(after)
        lines = events.split(b"\n")
        texts = [line[start:end] for line in lines if line.startswith(before) and line.endswith(after)]
        # Each event is a line and an empty one; nothing follows the last line break.
        if 2 * len(texts) + 1 != len(lines):
            return None
        return self._ours.before + (self._ours.after + self._ours.before).join(texts) + self._ours.after

    def _parse(self, event: bytes) -> list[bytes]:
        self._theirs = None
        if self.choice.is_done:
            return []
        chunks = self.translate_deltas(self.choice.read(event))
        return chunks + self._after_event(event, has_text=bool(chunks))

    def _after_event(self, event: bytes, *, has_text: bool) -> list[bytes]:
        if self.choice.is_done:
            return [self.last_chunk()]
        if has_text and self._known_frame is not None and self.choice.error is None:
            self._learn_frame(event, self._known_frame)
        return []

    def _learn_frame(self, event: bytes, known: TextFrame) -> None:
        """Keep what is around the text of this event, if it has nothing else; TGI's contains the time in seconds."""
        before, known_before, rest = event.partition(known.before)
        _, known_after, after = rest.partition(known.after)
        if known_after:
            self._theirs = TextFrame(before + known_before, known_after + after.removesuffix(_END))
            our_before, _, our_after = self.chunk(self.text_members("\x00")).partition(b"\\u0000")
            self._ours = TextFrame(our_before, our_after)
