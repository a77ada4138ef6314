"""An answer as it arrives: shown part by part, with thoughts dimmed and figures at its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.text import Text

from constructs_lib.cli.formatting import number, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from constructs_lib.cli.front_door_client import Delta
    from constructs_lib.cli.output import Output


@dataclass
class Answer:
    """What has come of an answer.

    Attributes:
        text: The answer.
        thought: The thoughts before it.
        finish_reason: Why it ended; None if it did not end by itself.
        usage: The token counts, of a front door that sends them.
        parts: How many parts have come.
        asked, first, last: When it was asked for, and when its first and last part came, in seconds of a clock.
    """

    text: str = ""
    thought: str = ""
    finish_reason: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    parts: int = 0
    asked: float = field(default_factory=time.monotonic)
    first: float | None = None
    last: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens of the answer; if the front door does not count them, its parts, which mostly are tokens."""
        counted = self.usage.get("completion_tokens")
        return counted if isinstance(counted, int) else self.parts

    @property
    def seconds_to_first_token(self) -> float | None:
        """From the question to the first part; None if none has come."""
        return None if self.first is None else self.first - self.asked

    @property
    def tokens_per_second(self) -> float | None:
        """After the first part; None if there is too little to say."""
        if self.first is None or self.last is None or self.last <= self.first or self.tokens < 2:
            return None
        return (self.tokens - 1) / (self.last - self.first)

    def add(self, delta: Delta) -> None:
        """Add the next part."""
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.usage = delta.usage or self.usage
        if delta.text or delta.thought:
            self.text += delta.text
            self.thought += delta.thought
            self.parts += 1
            self.last = time.monotonic()
            self.first = self.first or self.last

    def figures(self) -> str:
        """Tokens, time to first token and tokens per second, as far as they are known."""
        parts = [f"{number(self.tokens)} token{'' if self.tokens == 1 else 's'}"]
        if (waited := self.seconds_to_first_token) is not None:
            parts.append(f"first after {waited:.2f} s")
        if (speed := self.tokens_per_second) is not None:
            parts.append(f"{speed:.1f} tokens/s")
        if self.finish_reason == "length":
            parts.append("cut off by the token limit")
        return " · ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """The answer and its figures as JSON values."""
        return {
            "text": self.text,
            "thoughts": self.thought or None,
            "finish_reason": self.finish_reason,
            "usage": dict(self.usage) or None,
            "seconds_to_first_token": _rounded(self.seconds_to_first_token),
            "tokens_per_second": _rounded(self.tokens_per_second),
        }


def show(deltas: Iterable[Delta], answer: Answer, out: Output) -> None:
    """Show an answer as it arrives. A pipe gets the text alone; a terminal sees thoughts too, dimmed.

    Args:
        deltas: The parts.
        answer: What they are added to, also if they end with an exception.
        out: Where to write.
    """
    is_thought = False
    try:
        with _waiting(out) as wait_for:
            for delta in deltas:
                answer.add(delta)
                if delta.text or delta.thought or delta.notice:
                    wait_for(delta.notice)
                if delta.thought and out.is_terminal:
                    out.write_part(printable(delta.thought), "dim")
                    is_thought = True
                if delta.text:
                    if is_thought:
                        out.write("\n\n")
                        is_thought = False
                    out.write_part(printable(delta.text) if out.is_terminal else delta.text)
                out.flush()
    finally:
        if answer.parts and not answer.text.endswith("\n"):
            out.write("\n")
        out.flush()


@contextmanager
def _waiting(out: Output) -> Iterator[Callable[[str], None]]:
    """A spinner on a terminal, and a function that says what is waited for; nothing ends it."""
    if not out.is_terminal:
        yield lambda _: None
        return
    status = out.console.status(Text("waiting", "dim"))

    def wait_for(notice: str) -> None:
        if notice:
            status.update(Text(notice, "dim"))
        else:
            status.stop()

    status.start()
    try:
        yield wait_for
    finally:
        status.stop()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
