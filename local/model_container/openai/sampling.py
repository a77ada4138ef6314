"""The parameters of a generation: their checks, in the order and words of vLLM (sampling_params.py, 0.30)."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TypeVar

from local.model_container.openai.errors import ApiError, ParameterError
from local.model_container.openai.requests import ChatRequest, CompletionRequest
from local.model_container.openai.settings import Settings

_GREEDY = 1e-5
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Valid parameters of a generation.

    Args:
        n: The number of texts.
        max_tokens: The tokens after which it ends with `length`.
        min_tokens: The tokens before which it does not stop.
        stop: The strings that end it.
        stop_token_ids: The tokens that end it.
        include_stop: Whether the text has what ended it.
        ignore_eos: Whether the end-of-sequence token does not end it.
        skip_special: Whether the text is without special tokens.
        seed: What the text depends on, None for greedy decoding.
        logprobs: The most likely tokens per position; None for no log probabilities.
        prompt_logprobs: The same of the prompt.
        interval: The tokens of an event of a stream.
    """

    n: int = 1
    max_tokens: int
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    stop_token_ids: frozenset[int] = frozenset()
    include_stop: bool = False
    ignore_eos: bool = False
    skip_special: bool = True
    seed: int | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    interval: int = 1


def sample(request: ChatRequest | CompletionRequest, settings: Settings, max_tokens: int) -> Sampling:
    """The parameters of a request.

    Args:
        request: The request.
        settings: The limits of the server.
        max_tokens: The tokens that it may have, at most.

    Raises:
        ApiError: One of them is out of range.
    """
    logprobs, prompt_logprobs = _logprobs(request)
    _verify(request, max_tokens)
    for name, count in (("logprobs", logprobs), ("prompt_logprobs", prompt_logprobs)):
        if count is not None and count > settings.max_logprobs:
            kind = "sample" if name == "logprobs" else "prompt"
            raise ParameterError(
                f"Requested {kind} logprobs of {count}, which is greater than max allowed: {settings.max_logprobs}",
                name,
                count,
            )
    temperature = _or(request.temperature, 1.0)
    greedy = temperature < _GREEDY
    n: int = _or(request.n, 1)
    if greedy and n > 1 and not request.use_beam_search:
        raise ApiError(f"n must be 1 when using greedy sampling, got {n}.")
    seed = None if greedy else request.seed
    if not greedy and seed in (None, -1):
        seed = random.getrandbits(31)
    stop = request.stop or []
    return Sampling(
        n=n,
        max_tokens=max_tokens,
        min_tokens=request.min_tokens,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        stop_token_ids=frozenset(request.stop_token_ids or ()),
        include_stop=request.include_stop_str_in_output,
        ignore_eos=request.ignore_eos,
        skip_special=request.skip_special_tokens,
        seed=seed,
        logprobs=logprobs,
        prompt_logprobs=prompt_logprobs,
        interval=request.stream_interval or 1,
    )


def _logprobs(request: ChatRequest | CompletionRequest) -> tuple[int | None, int | None]:
    if isinstance(request, ChatRequest):
        top: int | None = _or(request.top_logprobs, 0)
        logprobs = top if request.logprobs else None
    else:
        top = logprobs = request.logprobs
    prompt = request.prompt_logprobs
    return logprobs, top if prompt is None and request.echo else prompt


def _or(value: Number | None, default: Number) -> Number:
    return default if value is None else value


def _verify(request: ChatRequest | CompletionRequest, max_tokens: int) -> None:
    _verify_penalties(request)
    if request.temperature is not None:
        _verify_temperature(request.temperature)
    top_p, top_k, min_p = _or(request.top_p, 1.0), _or(request.top_k, 0), _or(request.min_p, 0.0)
    if not 0 < top_p <= 1:
        raise ParameterError(f"top_p must be in (0, 1], got {top_p}.", "top_p", top_p)
    if top_k < -1:
        raise ApiError(f"top_k must be 0 (disable), or at least 1, got {top_k}.")
    if not 0 <= min_p <= 1:
        raise ApiError(f"min_p must be in [0, 1], got {min_p}.")
    if max_tokens < 1:
        raise ParameterError(f"max_tokens must be at least 1, got {max_tokens}.", "max_tokens", max_tokens)
    if request.min_tokens < 0:
        raise ApiError(f"min_tokens must be greater than or equal to 0, got {request.min_tokens}.")
    if request.min_tokens > max_tokens:
        raise ApiError(f"min_tokens must be less than or equal to max_tokens={max_tokens}, got {request.min_tokens}.")
    _verify_texts(request)


def _verify_texts(request: ChatRequest | CompletionRequest) -> None:
    if isinstance(request.stop, list) and not all(request.stop):
        raise ApiError("stop cannot contain an empty string.")
    if not all(request.bad_words):
        raise ApiError(f"bad_words cannot contain an empty string. Got bad_words={request.bad_words}")


def _verify_temperature(value: float) -> None:
    if not math.isfinite(value):
        raise ParameterError(f"temperature must be a finite number, got {value}.", "temperature", value)
    if value < 0:
        raise ParameterError(f"temperature must be non-negative, got {value}.", "temperature", value)
    if value > 2:
        raise ParameterError(f"temperature must be in [0, 2], got {value}.", "temperature", value)


def _verify_penalties(request: ChatRequest | CompletionRequest) -> None:
    n = _or(request.n, 1)
    if n < 1:
        raise ApiError(f"n must be at least 1, got {n}.")
    for name in ("presence_penalty", "frequency_penalty"):
        penalty = _or(getattr(request, name), 0.0)
        if not -2 <= penalty <= 2:
            raise ApiError(f"{name} must be in [-2, 2], got {penalty}.")
    repetition = _or(request.repetition_penalty, 1.0)
    if not math.isfinite(repetition):
        raise ApiError(f"repetition_penalty must be a finite number, got {repetition}.")
    if repetition <= 0:
        raise ApiError(f"repetition_penalty must be greater than zero, got {repetition}.")
