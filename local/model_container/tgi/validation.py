"""Validates generation parameters in TGI's order, with its messages (router/src/validation.rs)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from local.model_container import tokenizer
from local.model_container.serde.requests import GenerateRequest, Parameters
from local.model_container.settings import Settings
from local.model_container.tgi.errors import ValidationError
from local.model_container.tgi.grammar_validation import validate_grammar

_CHUNK = 1024  # TGI requeues a longer generation after every 1024 tokens


@dataclass(frozen=True, slots=True)
class ValidRequest:
    """A validated generation.

    Args:
        inputs: The prompt.
        input_length: The number of prompt tokens, after `truncate`.
        parameters: The parameters of the request.
        token_budget: The number of tokens after which the generation ends with the reason `length`.
        seed: The seed of the request, or a random one.
        sampling: Whether tokens are sampled. If not, the text does not depend on the seed.
        top_n_tokens: The number of top tokens per position.
        schema: The JSON schema of the text, if any.
        regex: The regular expression of the text, if any.
    """

    inputs: str
    input_length: int
    parameters: Parameters
    token_budget: int
    seed: int
    sampling: bool
    top_n_tokens: int
    schema: dict[str, Any] | None = None
    regex: str | None = None


def validate(request: GenerateRequest, limits: Settings) -> ValidRequest:
    """Validates a generation.

    Raises:
        ValidationError: The first problem in TGI's order.
        GenerationError: The regular expression of the grammar is invalid.
    """
    p = request.parameters
    sampling = p.do_sample or any(x is not None for x in (p.temperature, p.top_k, p.top_p, p.typical_p))
    if (p.best_of or 1) > 1 and not sampling:
        raise ValidationError("you must use sampling when `best_of` is > 1")
    _validate_ranges(p)
    if p.max_new_tokens == 0:
        raise ValidationError("`max_new_tokens` must be strictly positive")
    if len(p.stop) > limits.max_stop_sequences:
        raise ValidationError(f"`stop` supports up to {limits.max_stop_sequences} stop sequences. Given: {len(p.stop)}")
    if p.seed is not None and (p.best_of or 1) > 1:
        raise ValidationError("`seed` must not be set when `best_of` > 1")
    top_n_tokens = p.top_n_tokens or 0
    if top_n_tokens > limits.max_top_n_tokens:
        raise ValidationError(f"`top_n_tokens` must be >= 0 and <= {limits.max_top_n_tokens}. Given: {top_n_tokens}")
    if not request.inputs:
        raise ValidationError("`inputs` cannot be empty")
    if p.truncate is not None and not 0 < p.truncate <= limits.max_input_tokens:
        raise ValidationError(
            f"`truncate` must be strictly positive and less than {limits.max_input_tokens}. Given: {p.truncate}"
        )
    input_length = _validate_length(request, limits)
    schema, regex = validate_grammar(p.grammar, limits)
    return ValidRequest(
        inputs=request.inputs,
        input_length=input_length,
        parameters=p,
        token_budget=_token_budget(input_length, p.max_new_tokens, limits),
        seed=random.getrandbits(64) if p.seed is None else p.seed,
        sampling=p.do_sample or _changes_sampling(p),
        top_n_tokens=top_n_tokens,
        schema=schema,
        regex=regex,
    )


def validate_best_of(best_of: int, limits: Settings) -> None:
    """Validates `best_of`.

    Raises:
        ValidationError: It exceeds the limit of the server.
    """
    if limits.max_best_of == 1 and best_of != 1:
        raise ValidationError("`best_of` != 1 is not allowed for this endpoint")
    if best_of > limits.max_best_of:
        raise ValidationError(f"`best_of` must be > 0 and <= {limits.max_best_of}. Given: {best_of}")


def _changes_sampling(p: Parameters) -> bool:
    return (p.temperature or 1.0) != 1.0 or p.top_k is not None or p.top_p is not None or p.typical_p is not None


def _validate_ranges(p: Parameters) -> None:
    if p.temperature is not None and p.temperature <= 0:
        raise ValidationError("`temperature` must be strictly positive")
    if p.repetition_penalty is not None and p.repetition_penalty <= 0:
        raise ValidationError("`repetition_penalty` must be strictly positive")
    if p.frequency_penalty is not None and not -2 <= p.frequency_penalty <= 2:
        raise ValidationError("`frequency_penalty` must be >= -2.0 and <= 2.0")
    if p.top_p is not None and not 0 < p.top_p < 1:
        raise ValidationError("`top_p` must be > 0.0 and < 1.0")
    if p.typical_p is not None and not 0 < p.typical_p < 1:
        raise ValidationError("`typical_p` must be > 0.0 and < 1.0")
    if p.top_k is not None and p.top_k <= 0:
        raise ValidationError("`top_k` must be strictly positive")


def _validate_length(request: GenerateRequest, limits: Settings) -> int:
    p = request.parameters
    length = tokenizer.count(request.inputs, add_special_tokens=request.add_special_tokens)
    if p.truncate is not None:
        length = min(length, p.truncate)
    left = max(limits.max_total_tokens - length, 0)
    # TGI checks only the first 1024 tokens of max_new_tokens, so larger values pass.
    new = min(left if p.max_new_tokens is None else p.max_new_tokens, _CHUNK)
    if length + new > limits.max_total_tokens:
        raise ValidationError(
            f"`inputs` tokens + `max_new_tokens` must be <= {limits.max_total_tokens}. "
            f"Given: {length} `inputs` tokens and {new} `max_new_tokens`"
        )
    if length > limits.max_input_tokens:
        raise ValidationError(f"`inputs` must have less than {limits.max_input_tokens} tokens. Given: {length}")
    return length


def _token_budget(input_length: int, max_new_tokens: int | None, limits: Settings) -> int:
    """The number of tokens after which a generation ends with the reason `length`.

    TGI generates complete chunks of 1024 tokens until it has reached max_new_tokens or the next chunk is not valid.
    """
    requested = limits.max_total_tokens - input_length if max_new_tokens is None else max_new_tokens
    generated = 0
    while True:
        length = input_length + generated
        left = limits.max_total_tokens - length if max_new_tokens is None else max_new_tokens
        chunk = min(left, _CHUNK)
        fits = chunk > 0 and length + chunk <= limits.max_total_tokens and length <= limits.max_input_tokens
        if generated and not fits:
            return generated
        generated += chunk
        if generated >= requested:
            return generated
