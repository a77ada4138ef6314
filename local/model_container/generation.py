"""A generation of the toy with tokens, text and finish reason, as reported by TGI's shards."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from local.model_container import conversation, grammar, tokenizer, toy
from local.model_container.tgi import tools
from local.model_container.tgi.validation import ValidRequest
from local.model_container.tokenizer import Piece
from local.model_container.tokens import Token, most_likely, token_of

FinishReason = Literal["length", "eos_token", "stop_sequence"]


@dataclass(frozen=True, slots=True)
class Generation:
    """A complete generated text, before any of it is sent.

    Args:
        input_length: The number of prompt tokens.
        tokens: The generated tokens, including a special end token.
        generated_text: The text without special tokens.
        finish_reason: Why the generation ended.
        seed: The seed if tokens were sampled, else None.
        prefill: Id, text and log probability (None for the first) of the prompt tokens, if requested.
        top_tokens: The most likely tokens per position, if requested.
    """

    input_length: int
    tokens: list[Token]
    generated_text: str
    finish_reason: FinishReason
    seed: int | None
    prefill: list[tuple[int, str, float | None]]
    top_tokens: list[list[Token]]

    @property
    def openai_finish_reason(self) -> str:
        """The finish reason in the format of the OpenAI routes."""
        return "stop" if self.finish_reason == "eos_token" else self.finish_reason


def generate(request: ValidRequest, *, min_words: int, prefill_logprobs: bool, tool: str | None) -> Generation:
    """Generates the toy's response to a request.

    Args:
        request: The request.
        min_words: The minimum length of the text in words.
        prefill_logprobs: Whether `decoder_input_details` is enabled (ENABLE_PREFILL_LOGPROBS).
        tool: The tool to call; see `Settings`.
    """
    prompt = _truncate(request)
    seed = request.seed if request.sampling else None
    text = _generate_text(request, prompt, seed, min_words, tool)
    tokens, reason = _until_stopped(text, request)
    top = [most_likely(token, request.top_n_tokens) for token in tokens] if request.top_n_tokens else []
    with_prefill = request.parameters.decoder_input_details and prefill_logprobs
    return Generation(
        input_length=request.input_length,
        tokens=tokens,
        generated_text=_text(tokens),
        finish_reason=reason,
        seed=seed,
        prefill=_prefill(request) if with_prefill else [],
        top_tokens=top,
    )


def generate_on_neuron(
    request: ValidRequest, *, min_words: int, prefill_logprobs: bool, tool: str | None
) -> Generation:
    """The same by the server of TGI for Neuron, which reads no grammar and computes no log probabilities.

    Source: backends/neuron/server/text_generation_server/generator.py of TGI 3.3.6.
    """
    plain = replace(request, schema=None, regex=None)
    found = generate(plain, min_words=min_words, prefill_logprobs=prefill_logprobs, tool=tool)
    tokens = [token._replace(logprob=0.0) for token in found.tokens]
    return replace(found, tokens=tokens, prefill=[], top_tokens=[])


def _truncate(request: ValidRequest) -> str:
    if request.parameters.truncate is None:
        return request.inputs
    return "".join(piece.text for piece in _kept_pieces(request))


def _kept_pieces(request: ValidRequest) -> list[Piece]:
    """What `truncate` leaves of a prompt: the token at its beginning, which has no text, and the last of the others."""
    first, *others = tokenizer.tokenize(request.inputs, add_special_tokens=True)
    return [first, *others[len(others) + 1 - request.input_length :]]


def _generate_text(request: ValidRequest, prompt: str, seed: int | None, min_words: int, tool: str | None) -> str:
    words = toy.words_of(prompt)
    if request.schema is not None:
        schema = request.schema
        if "$functions" in schema:
            if tool == "":
                return tools.NO_CALL
            has_result = conversation.last_role(prompt) == "tool"
            schema = tools.choose_tool(schema, words, tool, has_result=has_result)
            words = words[::-1]  # the subject of a tool call is usually at the end of the prompt
        return json.dumps(
            grammar.InstanceGenerator(schema, words).generate({**schema, "type": "object"}), ensure_ascii=False
        )
    if request.regex is not None:
        return grammar.generate_match(request.regex)
    return toy.generate_text(prompt, seed, min_words)


def _until_stopped(text: str, request: ValidRequest) -> tuple[list[Token], FinishReason]:
    """The tokens up to the first finish reason, checked in TGI's order."""
    stops = [re.compile(re.escape(stop) + "$") for stop in request.parameters.stop]
    tokens: list[Token] = []
    output = ""
    for piece in chain(tokenizer.tokenize(text), [tokenizer.end_of_sequence()]):
        tokens.append(token_of(piece, len(tokens)))
        if len(tokens) >= request.token_budget:
            return tokens, "length"
        if piece.special:
            return tokens, "eos_token"
        if stops:
            output = (output + piece.text)[-300:]
            if any(stop.search(output) for stop in stops):
                return tokens, "stop_sequence"
    raise AssertionError("the end-of-sequence token always ends the loop")


def _text(tokens: list[Token]) -> str:
    texts = [token.text for token in tokens if not token.special]
    if texts and not texts[-1]:
        # TGI's shards decode a text that ends inside a character to an empty string (Model.decode_token).
        return ""
    return "".join(texts)


def _prefill(request: ValidRequest) -> list[tuple[int, str, float | None]]:
    """The prompt's tokens, each decoded by itself: a part of a character is U+FFFD."""
    pieces = _kept_pieces(request)
    texts = [tokenizer.decode_alone(piece, request.inputs) for piece in pieces]
    tokens = [token_of(piece, at) for at, piece in enumerate(pieces)]
    return [(token.id, texts[at], token.logprob if at else None) for at, token in enumerate(tokens)]
