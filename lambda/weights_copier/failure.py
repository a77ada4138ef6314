"""Why a copy ends early. The words are one line, which is all that whoever deployed may get to read."""

from __future__ import annotations

MAX_WORDS = 300
"""Characters of the words: CloudFormation shows them after words of its own."""


class StagingError(Exception):
    """The copy cannot be finished, and trying again by itself does not help.

    Args:
        words: What is wrong, and what to do if that is not plain. Cut to 300 characters on one line.
    """

    def __init__(self, words: str) -> None:
        self.words = one_line(words)
        super().__init__(self.words)


class Stopped(BaseException):
    """The process was asked to end, by SIGTERM or Ctrl-C. No handler of errors catches it by accident."""


class CancelledError(Exception):
    """A thread gave up its work because the copy ends."""


def one_line(text: str) -> str:
    """The text on one line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_WORDS else f"{line[: MAX_WORDS - 1]}…"
