"""The errors of servers that speak OpenAI's protocol, each in a form of its own, as `ApiError`s.

vLLM: `{"error": {"message", "type", "param", "code"}}`, once without the outer object. SGLang: `{"object": "error",
"message", …}`, in streams within `error`. DJL: `{"code", "error"}` and `{"code", "type", "message"}`. FastAPI:
`{"detail"}`.
"""

import re
from contextlib import suppress
from typing import Any, NamedTuple

from front_door.errors import IN_BAND, ApiError
from front_door.http.json import describe_content, parse_object
from front_door.http.sse import event_data

_KIND_BY_STATUS = {
    400: "bad_request",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation",
    424: "generation",
    429: "overloaded",
    501: "engine_cannot",
    503: "overloaded",
    504: "timeout",
}
FAILED = "The model's server failed."
"""The message for an error of the server itself, whose own words are for its operator."""
_OVERLOADED = "Model is overloaded"
_UNKNOWN_MODEL = re.compile(r"The model `.*` does not exist", re.DOTALL)
_TOO_LONG = re.compile(
    r"maximum context length|longer than the model's context length|maximum allowed length"
    r"|max_tokens=\d+ cannot be greater than max_model_len"
)
# vLLM until 0.17 and SGLang know how long the prompt is; newer vLLM stops counting where it is too long. SGLang 0.5.8
# leaves one token of the context empty, 0.5.20 does not.
_SGLANG = re.compile(r"context length of (?P<limit>\d+) tokens\..*: (?P<prompt>\d+) tokens from the input messages")
_LENGTHS = (
    _SGLANG,
    re.compile(r"context length is (?P<limit>\d+) tokens and your request has (?P<prompt>\d+) input tokens"),
    re.compile(r"context length is (?P<limit>\d+) tokens\..*your prompt contains (?P<prompt>\d+) input tokens"),
)
_AT_LEAST = re.compile(r"you requested (\d+) output tokens and your prompt contains at least \d+ input tokens")
# Of vLLM, whatever the prompt is.
_MOST = re.compile(r"max_tokens=\d+ cannot be greater than max_model_len=\D*(\d+)")
_CHARACTERS = re.compile(
    r"context length is (?P<limit>\d+) tokens\. However, you requested (?P<output>\d+) output tokens and your prompt"
    r" contains (?P<all>\d+) characters \(more than (?P<most>\d+) characters, .* for (?P<input>\d+) input tokens\)"
)
# DJL writes vLLM's error as Python prints it.
_PRINTED = re.compile(r"message=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\").*\bcode=(\d{3})\b", re.DOTALL)
_UNREAD = "Input parsing failed: "
# What vLLM's /invocations takes for no chat it reads as a completion, and says then that it has no prompt.
_NO_PROMPT = "Either prompt or prompt_embeds must be provided"
_NOT_READ = "The model's server cannot read the request: the prompt is empty, or a value is not one that it takes."


class _Reported(NamedTuple):
    """What a body says of an error."""

    message: str | None
    param: str | None = None
    status: int | None = None


def container_error(status: int, text: str) -> ApiError:
    """The error in an error response."""
    content = text.encode(errors="replace")
    detail = f"ModelError {status}"
    reported = _read(parse_object(content) or {})
    if reported.message is None:
        detail = f"{detail}: {describe_content(content)}"
    return _api_error(status, reported, detail)


def stream_error(event: dict[str, Any]) -> ApiError:
    """The error in an event of a stream; without a status of its own it is the server's fault."""
    return _api_error(500, _read(event), IN_BAND)


def first_error(events: bytes) -> ApiError | None:
    """The error that some complete events begin with; None if they begin with anything else."""
    data = event_data(events)
    event = parse_object(data[0]) if data else None
    return stream_error(event) if event is not None and is_error(event) else None


def is_error(event: dict[str, Any]) -> bool:
    """Whether an event is an error and no part of an answer."""
    return "choices" not in event and any(event.get(name) is not None for name in ("error", "code", "message"))


def tokens_left(error: ApiError) -> int | None:
    """How many tokens fit behind the prompt; half as many as before if the server does not say, and then again."""
    if error.code != "context_length_exceeded":
        return None
    known = next((found for pattern in _LENGTHS if (found := pattern.search(error.message))), None)
    if known is not None:
        left = int(known["limit"]) - int(known["prompt"]) - (known.re is _SGLANG)
    elif found := _AT_LEAST.search(error.message) or _MOST.search(error.message):
        left = int(found[1]) // 2
    else:
        left = _left_by_characters(error.message)
    return left if left > 0 else None


def _left_by_characters(message: str) -> int:
    """Half of what was asked for, of a prompt that vLLM did not even count, unless it is too long by itself."""
    found = _CHARACTERS.search(message)
    if found is None:
        return 0
    fewest = int(found["all"]) * int(found["input"]) // max(1, int(found["most"]))
    return int(found["output"]) // 2 if fewest < int(found["limit"]) else 0


def _read(body: dict[str, Any]) -> _Reported:
    nested = body.get("error")
    reported = nested if isinstance(nested, dict) else body
    status = reported.get("code")
    status = status if type(status) is int and 400 <= status <= 599 else None
    if reported is body and status is None and body.get("object") != "error":
        return _Reported(_detail(body.get("detail")))  # of something in between, if not FastAPI's
    message = nested if isinstance(nested, str) else reported.get("message")
    if not isinstance(message, str):
        return _Reported(None, status=status)
    if isinstance(nested, str) and (printed := _PRINTED.search(nested)):
        from ast import literal_eval

        with suppress(SyntaxError):  # a text that only looks like it
            return _Reported(literal_eval(printed[1]), status=int(printed[2]))
    param = reported.get("param")
    return _Reported(message, param.removeprefix("body.") if isinstance(param, str) else None, status)


def _detail(detail: object) -> str | None:
    """FastAPI's `detail` of a request that it could not read."""
    if not isinstance(detail, list):
        return None
    texts = [
        f"{'.'.join(map(str, each['loc']))}: {each.get('msg')}"
        for each in detail
        if isinstance(each, dict) and isinstance(each.get("loc"), list)
    ]
    return "; ".join(texts) or None


def _api_error(status: int, reported: _Reported, detail: str) -> ApiError:
    message, param, own_status = reported
    status = own_status or status
    kind = _KIND_BY_STATUS.get(status, "upstream")
    if kind == "overloaded":
        # A server that refuses a request has not begun with it.
        return ApiError(kind, _OVERLOADED, log_detail=detail, may_retry=True)
    if not (message and message.strip()) or kind == "upstream":
        if status == 404 and message is not None and _UNKNOWN_MODEL.search(message):
            return ApiError("model_not_found", message, param="model", log_detail=detail)
        failed = FAILED if status >= 500 else f"The model responded with status {status}."
        return ApiError(kind, failed, log_detail=detail)
    if kind == "generation" and message.startswith(_UNREAD):
        kind, message = "bad_request", message.removeprefix(_UNREAD)
    if message.startswith(_NO_PROMPT):
        message, param = _NOT_READ, None
    code = "context_length_exceeded" if _TOO_LONG.search(message) else None
    return ApiError(kind, message, param=param, code=code, log_detail=detail)
