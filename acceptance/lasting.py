"""A stream whose reader may go away in the middle of a run, as a closed terminal or the end of a pipe."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

# The latter is a write by a signal's handler in the middle of another one.
_GONE = (OSError, RuntimeError)


class LastingStream:
    """Writes to a stream as long as that works, and drops the rest: the deletion must not end for it.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes; the length of the text, also if nobody reads it."""
        with suppress(*_GONE):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Writes what is kept back."""
        with suppress(*_GONE):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's."""
        return getattr(self._stream, name)
