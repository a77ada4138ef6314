"""What a container's events mean, whatever engine sent them, and where stop sequences cut their text off."""

from typing import Any, NamedTuple


class Delta(NamedTuple):
    """What one event adds to a choice: text, or a part of a tool call.

    Attributes:
        text: Text.
        logprobs: The log probability of each of its tokens, in OpenAI's form.
        tool_name: The name of the tool, in the first part of a call.
        call_id: The id of the call, in its first part.
        arguments: A part of the call's arguments, which are JSON once complete; None if it is text.
        reasoning: What the model thinks before its answer, instead of text.
    """

    text: str = ""
    logprobs: tuple[dict[str, Any], ...] = ()
    tool_name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    reasoning: str = ""


class TextFrame(NamedTuple):
    """What a container writes around the text of an event that has nothing else; some bytes of it, or all.

    Both end at the quotation mark of the text's JSON. Those in a text are escaped, so that no text contains a frame.
    """

    before: bytes
    after: bytes


class StopSequences:
    """Cuts off a text before the first of some sequences.

    TGI leaves the sequence in the text, and looks for it only at the end of a token.

    Args:
        sequences: None of them is empty.

    Attributes:
        found: The sequence that ended the text; None as long as none has.
    """

    def __init__(self, sequences: tuple[str, ...]) -> None:
        self._sequences = sequences
        self._held: list[Delta] = []
        self.found: str | None = None

    def filter(self, delta: Delta) -> list[Delta]:
        """What may be sent after another delta; text that may be the beginning of a sequence is held back."""
        if self.found is not None:
            return []
        self._held.append(delta)
        text = "".join(held.text for held in self._held)
        found = [(at, sequence) for sequence in self._sequences if (at := text.find(sequence)) >= 0]
        if found:
            at, self.found = min(found)
            return self._release(at, is_cut=True)
        return self._release(len(text) - max(_overlap(text, sequence) for sequence in self._sequences))

    def flush(self) -> list[Delta]:
        """What was held back, at the end of the text."""
        held, self._held = self._held, []
        return held

    def _release(self, length: int, *, is_cut: bool = False) -> list[Delta]:
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
    """How many characters at the end of the text are a beginning of the sequence."""
    longest = min(len(sequence) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(sequence[:length])), 0)
