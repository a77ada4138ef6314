"""A request in TGI's words for a model whose engine is not TGI."""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Grammar(NamedTuple):
    """What the text has to match: one of the two.

    Attributes:
        schema: A JSON schema.
        regex: A regular expression.
    """

    schema: "Mapping[str, Any] | None" = None
    regex: str | None = None


class GenerateRequest(NamedTuple):
    """A valid request; each parameter has TGI's name and meaning, and TGI's default where the client left it out.

    Attributes:
        inputs: The prompt; not empty.
        stream: Whether the client gets a stream.
        samples: Whether TGI would sample; if not, it would take the likeliest token.
        seed: What sampling begins with, the client's or a random one, which the details report; None if the request
            does not sample. Of several texts, each next one has the next number.
        client_seed: The client's, also if the request does not sample.
        max_new_tokens: As the client set it; None: the front door's default, which may be lowered.
        temperature: Above 0; 1.0 changes nothing.
        top_k: How many of the likeliest tokens may be taken; None: all.
        top_p: The probability of all that may be taken; None: all.
        typical_p: The same by how typical they are; None: all.
        stop: What ends the text and is its end; an empty one ends it behind the first token.
        truncate: How many tokens of the prompt count, from its end; None: all.
        return_full_text: Whether the generated text begins with the prompt.
        details: Whether the client gets the details; only then the tokens are needed, but in a stream.
        decoder_input_details: Whether they have the tokens of the prompt.
        best_of: How many texts are generated, of which the likeliest is the answer; they are all the same if the
            request does not sample.
        top_n_tokens: How many alternatives of each token the client gets.
        watermark: Whether the text gets TGI's watermark.
        grammar: What the text has to match; None: anything.
    """

    inputs: str
    stream: bool = False
    samples: bool = False
    seed: int | None = None
    client_seed: int | None = None
    max_new_tokens: int | None = None
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    stop: tuple[str, ...] = ()
    truncate: int | None = None
    return_full_text: bool = False
    details: bool = False
    decoder_input_details: bool = False
    best_of: int = 1
    top_n_tokens: int = 0
    watermark: bool = False
    grammar: Grammar | None = None
