"""Ends a text before the first stop sequence."""

from front_door.generation.events import Delta


class StopSequences:
    """Cuts off a text before the first of some sequences.

    TGI leaves the sequence in the text, and looks for it only at the end of a token.

    Args:
        sequences: None of them is empty.

    Attributes:
        has_ended: Whether a sequence was found.
    """

    def __init__(self, sequences: tuple[str, ...]) -> None:
        self._sequences = sequences
        self._held: list[Delta] = []
        self.has_ended = False

    def filter(self, delta: Delta) -> list[Delta]:
        """What may be sent after another delta; text that may be the beginning of a sequence is held back."""
        if self.has_ended:
            return []
        self._held.append(delta)
        text = "".join(held.text for held in self._held)
        found = [at for at in map(text.find, self._sequences) if at >= 0]
        if found:
            self.has_ended = True
            return self._release(min(found), is_cut=True)
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
