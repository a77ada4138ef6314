"""The errors of servers that speak OpenAI's protocol, in TGI's words (router/src/infer/mod.rs, 3.3.6)."""

import re

from front_door.engines.openai.errors import FAILED
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest

_CHUNK = 1024  # of more tokens TGI asks for the first ones alone, and names those
_LIMIT = re.compile(r"context length (?:is|of) (\d+)|max_model_len=\D*(\d+)|context length \((\d+)\)")
# vLLM stops counting where it is too much: then the prompt has at least as many.
_PROMPT = re.compile(r"(\d+) input tokens|(\d+) tokens from the input|Input length \((\d+)\)")
_REQUESTED = re.compile(r"requested (\d+) output tokens|max_tokens=(\d+)")
_CHARACTERS = "characters"
_TRUNCATE = re.compile(r"truncate_prompt_tokens=(\d+) cannot be greater than .*= (\d+)\.")


def in_tgi_words(error: ApiError, request: GenerateRequest) -> ApiError:
    """The error as TGI would report it; one that is not the container's stays as it is."""
    detail = error.log_detail
    if error.kind == "upstream" and error.message == FAILED:
        return ApiError("generation", f"Request failed during generation: {FAILED}", log_detail=detail)
    if error.kind == "generation":
        return ApiError("generation", f"Request failed during generation: {error.message}", log_detail=detail)
    if error.kind not in ("bad_request", "validation"):
        return error
    if error.code == "context_length_exceeded":
        return ApiError("validation", f"Input validation error: {_length(error.message, request)}", log_detail=detail)
    if request.grammar is not None and request.grammar.regex is not None:
        # Only TGI's Python code reads it.
        return ApiError(
            "generation", f"Request failed during generation: Server error: {error.message}", log_detail=detail
        )
    if found := _TRUNCATE.search(error.message):
        words = f"`truncate` must be strictly positive and less than {found[2]}. Given: {found[1]}"
        return ApiError("validation", f"Input validation error: {words}", log_detail=detail)
    about = "" if request.grammar is None else "grammar is not valid: "
    return ApiError("validation", f"Input validation error: {about}{error.message}", log_detail=detail)


def _length(message: str, request: GenerateRequest) -> str:
    limit, prompt, requested = (_number(each, message) for each in (_LIMIT, _PROMPT, _REQUESTED))
    if limit is None:
        return message
    if prompt is None:
        return f"`max_new_tokens` must be <= {limit}. Given: {requested or 0}"
    if _CHARACTERS in message:
        prompt += 1
    if request.truncate is not None:
        prompt = min(prompt, request.truncate)
    requested = request.max_new_tokens or requested
    if requested and prompt < limit:
        given = f"{prompt} `inputs` tokens and {min(requested, _CHUNK)} `max_new_tokens`"
        return f"`inputs` tokens + `max_new_tokens` must be <= {limit}. Given: {given}"
    return f"`inputs` must have less than {limit} tokens. Given: {prompt}"


def _number(pattern: re.Pattern[str], message: str) -> int | None:
    found = pattern.search(message)
    return int(next(filter(None, found.groups()))) if found else None
