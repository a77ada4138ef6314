"""One choice of an answer, read from the events in which its container sends it."""

from typing import Any, NamedTuple

from front_door.engines.tgi.events import event_of
from front_door.errors import Failure, tgi_failure
from front_door.generation.request import Asked
from front_door.http.sse import data_of
from front_door.request_log import Journal

# TGI names the reasons in its own words in streamed completions (router/src/lib.rs, FinishReason).
_REASONS = {"eos_token": "stop", "stop_sequence": "stop"}


class Piece(NamedTuple):
    """What one event adds to a choice: text, or a part of a tool call."""

    text: str = ""
    logprobs: tuple[dict[str, Any], ...] = ()
    tool: str | None = None
    arguments: str | None = None


class Stops:
    """Ends a text before the first of some sequences.

    TGI leaves the sequence in the text, and looks for it only where a token ends.

    Args:
        sequences: None of them is empty.
    """

    def __init__(self, sequences: tuple[str, ...]) -> None:
        self._sequences = sequences
        self._held: list[Piece] = []
        self.has_ended = False

    def passed(self, piece: Piece) -> list[Piece]:
        """What can be told after another piece: one that may be the beginning of a sequence is held back."""
        if self.has_ended:
            return []
        self._held.append(piece)
        text = "".join(held.text for held in self._held)
        found = [at for at in map(text.find, self._sequences) if at >= 0]
        if found:
            self.has_ended = True
            return self._released(min(found), is_cut=True)
        return self._released(len(text) - max(_overlap(text, sequence) for sequence in self._sequences))

    def rest(self) -> list[Piece]:
        """What was held back, when nothing more comes."""
        held, self._held = self._held, []
        return held

    def _released(self, length: int, *, is_cut: bool = False) -> list[Piece]:
        out = []
        while self._held and len(self._held[0].text) <= length:
            length -= len(self._held[0].text)
            out.append(self._held.pop(0))
        if is_cut:
            if length:
                out.append(self._held[0]._replace(text=self._held[0].text[:length]))
            self._held = []
        return out


def _overlap(text: str, sequence: str) -> int:
    """How much of the text's end is a beginning of the sequence."""
    most = min(len(sequence) - 1, len(text))
    return next((length for length in range(most, 0, -1) if text.endswith(sequence[:length])), 0)


class Choice:
    """Reads events of one choice; what they add comes out in pieces.

    Args:
        asked: The request.
        most: How many tokens the container was asked for.

    Attributes:
        usage: The container's token counts.
        finish_reason: Why the text ended, in OpenAI's words; None before it has.
        fingerprint: The container's version.
        is_done: Whether the container has said that nothing more comes.
        failure: What it failed with instead.
    """

    def __init__(self, asked: Asked, most: int) -> None:
        self._most = most
        self._stops = Stops(asked.stops) if asked.stops else None
        self.usage: dict[str, int] | None = None
        self.finish_reason: str | None = None
        self.fingerprint: str | None = None
        self.is_done = False
        self.failure: Failure | None = None

    def read(self, events: bytes) -> list[Piece]:
        """Take whole events; after a failure nothing more is read."""
        pieces: list[Piece] = []
        for data in data_of(events):
            if self.failure is not None or self.is_done:
                break
            if data == b"[DONE]":
                pieces += self._end()
            else:
                pieces += self._event(data)
        return pieces

    def read_whole(self, answer: bytes) -> list[Piece]:
        """Take an answer that came in one piece, as if it were one event and the end."""
        pieces = self._event(answer)
        return pieces if self.failure is not None else pieces + self._end()

    def _event(self, data: bytes) -> list[Piece]:
        event = event_of(data)
        if event is None:
            self.failure = Failure("upstream", "The model sent an event of another form.", cause="form of an event")
            return []
        if "error" in event:
            self.failure = tgi_failure(event)
            return []
        self.usage = event.get("usage") or self.usage
        self.fingerprint = event.get("system_fingerprint") or self.fingerprint
        pieces = []
        for choice in event.get("choices") or ():
            reason = choice.get("finish_reason") or ""
            self.finish_reason = _REASONS.get(reason, reason) or self.finish_reason
            pieces += self._stopped(self._pieces(choice))
        return pieces

    def _stopped(self, pieces: list[Piece]) -> list[Piece]:
        if self._stops is None:
            return pieces
        out: list[Piece] = []
        for piece in pieces:
            out += self._stops.passed(piece) if piece.arguments is None else [piece]
        return out

    def _end(self) -> list[Piece]:
        if self.usage is None:
            self.failure = Failure("incomplete_generation", "Incomplete generation", cause="no usage")
            return []
        self.is_done = True
        pieces = [] if self._stops is None else self._stops.rest()
        if self._stops is not None and self._stops.has_ended:
            self.finish_reason = "stop"
        if self.finish_reason is None:
            # While TGI looks for the name of a tool, or after a tool call, no event carries the reason.
            self.finish_reason = "length" if self.usage["completion_tokens"] >= self._most else "stop"
        return pieces

    def _pieces(self, choice: dict[str, Any]) -> list[Piece]:
        """What a choice in an event adds."""
        raise NotImplementedError


def checked(choices: list[Choice]) -> None:
    """See that every choice came to its end.

    Raises:
        Failure: One did not.
    """
    for choice in choices:
        if choice.failure is not None:
            raise choice.failure
        if not choice.is_done:
            raise Failure("incomplete_generation", "Incomplete generation", cause="no end")


def usage(asked: Asked, choices: list[Choice]) -> dict[str, int]:
    """The token counts of all choices; a prompt counts once, however many choices follow from it."""
    counts = [choice.usage or {} for choice in choices]
    prompt = sum(each.get("prompt_tokens", 0) for each in counts[:: asked.per_prompt])
    generated = sum(each.get("completion_tokens", 0) for each in counts)
    return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}


def note(journal: Journal, asked: Asked, choices: list[Choice]) -> None:
    """Write down how many tokens there were, and why the first choice ended."""
    counts = usage(asked, choices)
    journal.tokens(prompt=counts["prompt_tokens"], generated=counts["completion_tokens"])
    journal.note(finish_reason=choices[0].finish_reason)
