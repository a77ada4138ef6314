"""A choice of a completion, from TGI's events (router/src/server.rs, 3.3.6) to OpenAI's chunks, and in one piece."""

from typing import Any

from front_door.generation.choice import Choice, Piece
from front_door.generation.request import Asked
from front_door.protocols.openai.chunks import Chunks, Marks


class CompletionChoice(Choice):
    """Reads a choice that is text."""

    def _pieces(self, choice: dict[str, Any]) -> list[Piece]:
        # The text of the event that says so is the token that ended the answer, such as </s>.
        text = "" if choice.get("finish_reason") == "eos_token" else choice.get("text") or ""
        return [Piece(text)] if text else []


class CompletionChunks(Chunks):
    """Makes the chunks of a choice of a completion; where the prompt is echoed, the first is the prompt."""

    marks = Marks(
        b'data: {"object":"text_completion"',
        b'"choices":[{"index":0,"text":',
        b',"logprobs":null,"finish_reason":""}],"model":',
    )

    def __init__(self, choice: Choice, asked: Asked, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, asked, index, head)
        self._echo = asked.echoes[index]

    def pieces(self, pieces: list[Piece]) -> list[bytes]:
        """The chunks of some pieces."""
        if self._echo and self.choice.failure is None:
            pieces = [Piece(self._echo), *pieces]
            self._echo = ""
        return [self.chunk(self.text(piece.text)) for piece in pieces]

    def end(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk(self.text(""), finish_reason=self.choice.finish_reason)

    def text(self, text: object) -> dict[str, Any]:
        """What a choice with nothing but text has."""
        return {"text": text}


def text(_choice: Choice, pieces: list[Piece], asked: Asked, index: int) -> dict[str, Any]:
    """What a choice of an answer in one piece has."""
    return {"text": asked.echoes[index] + "".join(piece.text for piece in pieces), "logprobs": None}
