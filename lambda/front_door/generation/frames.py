"""Events that have nothing but text: their text is taken out of them without parsing them."""

import re

from front_door.generation.events import TextFrame
from front_door.http.json import is_utf8

_END = b"\n\n"
_END_OF_TEXT = re.compile(rb'(?<!\\)(?:\\\\)*"')


class TextFrames:
    """What is around the text of the events of one stream, learned from one of them.

    Args:
        known: What is the same around all texts of the engine's events. None: nothing is learned.
    """

    def __init__(self, known: TextFrame | None) -> None:
        self._known = known
        self._frame: TextFrame | None = None

    def texts(self, events: bytes) -> list[bytes] | None:
        """The JSON of the texts, without quotation marks; None if any of the complete events has anything else."""
        if self._frame is None:
            return None
        before, after = self._frame
        start, end = len(before), -len(after)
        lines = events.split(b"\n")
        texts = [line[start:end] for line in lines if line.startswith(before) and line.endswith(after)]
        # Each event is a line and an empty one; nothing follows the last line break.
        if 2 * len(texts) + 1 != len(lines) or not is_utf8(events):
            return None
        # Behind a quotation mark there would be more than the text.
        joined = b"\n".join(texts)
        return None if b'"' in joined and _END_OF_TEXT.search(joined) else texts

    def learn(self, event: bytes) -> bool:
        """Keep what is around the text of an event that has nothing else; returns whether it was found."""
        if self._known is None or b"\\" in event:
            return False
        before, known_before, rest = event.partition(self._known.before)
        _, known_after, after = rest.partition(self._known.after)
        if known_after:
            self._frame = TextFrame(before + known_before, known_after + after.removesuffix(_END))
        return bool(known_after)

    def forget(self) -> None:
        """Parse the next event."""
        self._frame = None
