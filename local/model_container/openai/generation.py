"""A generation of the toy as vLLM's engine gives it: tokens, their text as it becomes known, and why it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from local.model_container import tokenizer
from local.model_container.openai.sampling import Sampling
from local.model_container.tokenizer import Piece
from local.model_container.tokens import Token, token_of


@dataclass(frozen=True, slots=True)
class Step:
    """A token, and the text that is known since it is: without what a stop string may begin with."""

    token: Token
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A complete text.

    Args:
        steps: Its tokens.
        finish_reason: `stop` or `length`.
        stop_reason: The stop string or stop token that ended it; None for the end-of-sequence token.
    """

    steps: tuple[Step, ...]
    finish_reason: str
    stop_reason: int | str | None

    @property
    def text(self) -> str:
        """The text."""
        return "".join(step.text for step in self.steps)

    @property
    def tokens(self) -> list[Token]:
        """The tokens."""
        return [step.token for step in self.steps]


def generate(text: str, sampling: Sampling) -> Output:
    """Generates a text up to where the parameters end it."""
    steps: list[Step] = []
    known = _KnownText(sampling)
    for piece in _pieces(text, sampling):
        token = token_of(piece, len(steps))
        count = len(steps) + 1
        finish, stop_reason = _finish(token, count, sampling)
        hidden = (piece.special and sampling.skip_special) or (finish == "stop" and not sampling.include_stop)
        known.add("" if hidden else token.text)
        if finish != "stop" and count > sampling.min_tokens and (found := known.cut_at_stop()):
            finish, stop_reason = "stop", found
        steps.append(Step(token, known.take(everything=finish is not None)))
        if finish is not None:
            return Output(tuple(steps), finish, stop_reason)
    raise AssertionError("max_tokens always end it")


def _pieces(text: str, sampling: Sampling) -> Iterator[Piece]:
    """The tokens of the text, again and again until it may end."""
    end = tokenizer.end_of_sequence()
    count = 0
    for piece in chain.from_iterable(chain(tokenizer.tokenize(text), (end,)) for _ in repeat(None)):
        if piece.special and count < sampling.min_tokens:
            continue  # it is not likely until then
        count += 1
        yield piece


def _finish(token: Token, count: int, sampling: Sampling) -> tuple[str | None, int | str | None]:
    if count > sampling.min_tokens:
        if token.id == tokenizer.end_of_sequence().id and not sampling.ignore_eos:
            return "stop", None
        if token.id in sampling.stop_token_ids:
            return "stop", token.id
    return ("length" if count >= sampling.max_tokens else None), None


class _KnownText:
    """The text so far. Its end is held back while it may be the beginning of a stop string."""

    def __init__(self, sampling: Sampling) -> None:
        self._stop = sampling.stop
        self._include = sampling.include_stop
        self._held = 0 if sampling.include_stop else max((len(stop) - 1 for stop in sampling.stop), default=0)
        self._text = ""
        self._new = 0
        self._taken = 0

    def add(self, text: str) -> None:
        self._text += text
        self._new = len(text)

    def cut_at_stop(self) -> str | None:
        """Ends the text at the first stop string that it has, which is returned."""
        for stop in self._stop:
            at = self._text.find(stop, max(0, len(self._text) - self._new - len(stop) + 1)) if self._new else -1
            if at >= 0:
                self._text = self._text[: at + (len(stop) if self._include else 0)]
                return stop
        return None

    def take(self, *, everything: bool) -> str:
        """What can be sent and has not been."""
        end = len(self._text) - (0 if everything else self._held)
        if end <= self._taken:
            return ""
        text, self._taken = self._text[self._taken : end], end
        return text
