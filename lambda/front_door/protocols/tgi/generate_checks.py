"""Requests in TGI's words, checked as TGI's router does: in its order and with its messages.

Source: router/src/validation.rs and router/src/infer/mod.rs of 3.3.6. What TGI's router knows from the tokenizer, the
length of the prompt, is checked when the container has reported it (`check_lengths`).
"""

from collections.abc import Mapping
from os import urandom
from typing import Any

from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest
from front_door.http.json import not_writable

# TGI's defaults (launcher/src/main.rs), for limits that the plan of another engine does not have.
_MAX_BEST_OF, _MAX_STOP_SEQUENCES, _MAX_TOP_N_TOKENS = 2, 4, 5
CHUNK = 1024
"""TGI asks for a longer text in parts of this many tokens; only the first has to fit into the context."""

_MAX_SPECIAL_TOKENS = 8  # that tokenizers add to a prompt; of the rest, none is shorter than a byte


def invalid(message: str, log_detail: str | None = None) -> ApiError:
    """TGI's error for a parameter."""
    return ApiError("validation", f"Input validation error: {message}", log_detail=log_detail)


def read_request(
    body: Mapping[str, Any], facts: Mapping[str, Any], *, stream: bool, full_text: bool
) -> GenerateRequest:
    """The request in a body whose members have the right types.

    Args:
        body: The client's body.
        facts: What the plan knows about the model.
        stream: Whether the client gets a stream.
        full_text: Whether the text begins with the prompt if the client does not say.

    Raises:
        ApiError: The first problem that TGI would find.
    """
    # TGI samples if a request has no parameters at all.
    given = {name: value for name, value in body.get("parameters", {"do_sample": True}).items() if value is not None}
    _check_best_of(given, facts, stream=stream)
    _check_ranges(given)
    _check_counts(given, facts)
    if not body["inputs"]:
        raise invalid("`inputs` cannot be empty")
    _check_truncate(given, facts)
    grammar = None
    if "grammar" in given:
        from front_door.protocols.tgi.grammar import read_grammar

        try:
            grammar = read_grammar(given["grammar"])
        except (ValueError, RecursionError) as error:
            raise not_writable(error) from None
    temperature, seed = given.get("temperature", 1.0), given.get("seed")
    samples = bool(given.get("do_sample")) or temperature != 1 or any(given.get(name) for name in _WARPERS)
    if samples and seed is None:
        seed = int.from_bytes(urandom(8)) >> 1  # TGI's have a bit more, which other engines do not take
    return GenerateRequest(
        inputs=body["inputs"],
        stream=stream,
        samples=samples,
        seed=seed if samples else None,
        client_seed=given.get("seed"),
        return_full_text=given.get("return_full_text", full_text),
        stop=tuple(given.get("stop", ())),
        best_of=given.get("best_of") or 1,
        grammar=grammar,
        **{name: given[name] for name in _SAME if name in given},
    )


def fit(request: GenerateRequest, max_tokens: int, facts: Mapping[str, Any]) -> tuple[GenerateRequest, int]:
    """What is sent, so that a container that adds up tokens otherwise refuses nothing that TGI accepts.

    vLLM refuses a number of tokens that is longer than the context by itself, and one that does not fit behind the
    longest prompt that `truncate` leaves, however long the prompt is.

    Args:
        request: The request.
        max_tokens: How many tokens it asks for.
        facts: What the plan knows about the model.

    Returns:
        The request without a `truncate` that changes nothing, and the number of tokens.
    """
    if "" in request.stop:
        max_tokens = 1
    limit, truncate = facts.get("max_total_tokens"), request.truncate
    if truncate is not None and len(request.inputs.encode(errors="replace")) + _MAX_SPECIAL_TOKENS <= truncate:
        truncate = None
    if isinstance(limit, int):
        max_tokens = max(1, min(max_tokens, limit - 1))
        if truncate is not None and truncate + min(request.max_new_tokens or 1, CHUNK) > limit:
            truncate = None  # a prompt so long that it would be cut is refused
        elif truncate is not None:
            max_tokens = min(max_tokens, limit - truncate)
    return request._replace(truncate=truncate), max_tokens


def check_lengths(request: GenerateRequest, prompt_tokens: int, facts: Mapping[str, Any]) -> None:
    """Check what TGI refuses because of the prompt's length.

    Args:
        request: The request.
        prompt_tokens: The length, as the container has reported it.
        facts: What the plan knows about the model.

    Raises:
        ApiError: TGI would have refused the request.
    """
    length = min(prompt_tokens, request.truncate or prompt_tokens)
    wanted = min(request.max_new_tokens or 0, CHUNK)
    limit = facts.get("max_total_tokens")
    if isinstance(limit, int) and length + wanted > limit:
        given = f"{length} `inputs` tokens and {wanted} `max_new_tokens`"
        raise invalid(f"`inputs` tokens + `max_new_tokens` must be <= {limit}. Given: {given}")
    limit = _longest_input(facts)
    if limit is not None and length > limit:
        raise invalid(f"`inputs` must have less than {limit} tokens. Given: {length}")


_SAME = (
    "max_new_tokens",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    "repetition_penalty",
    "frequency_penalty",
    "truncate",
    "details",
    "decoder_input_details",
    "top_n_tokens",
    "watermark",
)
_WARPERS = ("top_k", "top_p", "typical_p")


def _check_best_of(given: Mapping[str, Any], facts: Mapping[str, Any], *, stream: bool) -> None:
    best_of = given.get("best_of", 1)
    if stream and best_of != 1:
        raise invalid("`best_of` != 1 is not supported when streaming tokens")
    if best_of > 1:
        limit = facts.get("max_best_of", _MAX_BEST_OF)
        if limit == 1:
            raise invalid("`best_of` != 1 is not allowed for this endpoint")
        if best_of > limit:
            raise invalid(f"`best_of` must be > 0 and <= {limit}. Given: {best_of}")
        if not given.get("do_sample") and not given.keys() & {"temperature", *_WARPERS}:
            raise invalid("you must use sampling when `best_of` is > 1")


def _check_ranges(given: Mapping[str, Any]) -> None:
    for name in ("temperature", "repetition_penalty"):
        if given.get(name, 1) <= 0:
            raise invalid(f"`{name}` must be strictly positive")
    if not -2 <= given.get("frequency_penalty", 0) <= 2:
        raise invalid("`frequency_penalty` must be >= -2.0 and <= 2.0")
    for name in ("top_p", "typical_p"):
        if not 0 < given.get(name, 0.5) < 1:
            raise invalid(f"`{name}` must be > 0.0 and < 1.0")
    for name in ("top_k", "max_new_tokens"):
        if given.get(name, 1) <= 0:
            raise invalid(f"`{name}` must be strictly positive")


def _check_counts(given: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    limit, count = facts.get("max_stop_sequences", _MAX_STOP_SEQUENCES), len(given.get("stop", ()))
    if count > limit:
        raise invalid(f"`stop` supports up to {limit} stop sequences. Given: {count}")
    if "seed" in given and given.get("best_of", 1) > 1:
        raise invalid("`seed` must not be set when `best_of` > 1")
    limit, count = _MAX_TOP_N_TOKENS, given.get("top_n_tokens", 0)
    if count > limit:
        raise invalid(f"`top_n_tokens` must be >= 0 and <= {limit}. Given: {count}")


def _check_truncate(given: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    truncate, limit = given.get("truncate"), _longest_input(facts)
    if truncate is None or (truncate > 0 and (limit is None or truncate <= limit)):
        return
    if limit is None:
        raise invalid("`truncate` must be strictly positive. Given: 0")
    raise invalid(f"`truncate` must be strictly positive and less than {limit}. Given: {truncate}")


def _longest_input(facts: Mapping[str, Any]) -> int | None:
    """The longest prompt in tokens; one more has to fit behind it."""
    longest, total = facts.get("max_input_tokens"), facts.get("max_total_tokens")
    if isinstance(longest, int):
        return longest
    return total - 1 if isinstance(total, int) else None
