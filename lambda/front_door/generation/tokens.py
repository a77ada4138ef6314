"""What a container's response to a request in TGI's words means: tokens, and how they end."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from front_door.errors import ApiError


class Token(NamedTuple):
    """One token; `logprob` is None only for the first one of a prompt."""

    id: int
    text: str
    logprob: float | None
    special: bool


class Ending(NamedTuple):
    """How a text ended, in TGI's words."""

    text: str
    finish_reason: str
    generated_tokens: int
    seed: int | None
    input_length: int


class Sequence(NamedTuple):
    """One of several texts to the same prompt."""

    ending: Ending
    tokens: list[Token]
    prefill: list[Token]


class TokenReader(Protocol):
    """Reads the response to one request.

    Attributes:
        ending: How the text ended; None before it has.
        error: The error that the response has instead.
        prefill: The tokens of the prompt, if they were asked for.
        best_of_sequences: The texts that are not the answer, if `best_of` is above 1.
    """

    ending: Ending | None
    error: "ApiError | None"
    prefill: list[Token]
    best_of_sequences: list[Sequence]

    def read(self, events: bytes) -> list[Token]:
        """Read complete events; after an error or the end nothing more is read."""

    def read_buffered(self, body: bytes) -> list[Token]:
        """Read a response that was not streamed."""
