"""What a container's response to a request in TGI's words means: tokens, and how their text ended."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from front_door.errors import ApiError


class Token(NamedTuple):
    """One token, as the JSON of its members: most of them are only copied.

    Attributes:
        text: A string without its quotation marks; empty for a part of a character that is not the last one.
        logprob: A number; `null` for the first token of a prompt, which has nothing before it.
        id: An integer.
        special: `true` if it is no part of the text, such as the token that ends it; empty if it is.
    """

    text: bytes
    logprob: bytes
    id: bytes
    special: bytes = b""


class Sequence:
    """One text, in TGI's words.

    Args:
        seed: What its sampling begins with; None if there is none.

    Attributes:
        tokens: Its tokens; those of a stream are not kept.
        prefill: The tokens of the prompt, if they were asked for.
        generated_tokens: How many tokens it has.
        finish_reason: Why it ended; None before it has.
        text: The text as JSON, without its quotation marks; only once it has ended.
    """

    __slots__ = ("finish_reason", "generated_tokens", "prefill", "seed", "text", "tokens")

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self.tokens: list[Token] = []
        self.prefill: list[Token] = []
        self.generated_tokens = 0
        self.finish_reason: str | None = None
        self.text = b""

    def mean_logprob(self) -> float:
        """The mean log probability of the tokens."""
        return sum(float(token.logprob) for token in self.tokens) / max(1, len(self.tokens))


class TokenReader(Protocol):
    """Reads the response to one request.

    Attributes:
        sequences: As many texts as were asked for.
        input_length: The number of tokens of the prompt; None before it is known.
        usage: The token counts of the container, if it reports any.
        error: The error that the response has instead.
    """

    sequences: "list[Sequence]"
    input_length: int | None
    usage: dict[str, int]
    error: "ApiError | None"

    def read(self, events: bytes) -> list[Token]:
        """Read complete events; after an error nothing more is read. Returns the tokens of the first text."""

    def read_buffered(self, body: bytes) -> None:
        """Read a response that was not streamed."""
