"""What of an answer of TGI is a contract: all of its bytes but the values that depend on the model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

TEXT = "…"
"""Stands for a text of the model; a text that repeats the prompt keeps the prompt before it."""

_TEXTS = {"text", "content", "token", "arguments", "generated_text", "templated_text"}
_COUNTS = {
    "id", "generated_tokens", "input_length", "prompt_tokens", "completion_tokens", "total_tokens", "created", "start",
    "stop",
}  # fmt: skip
_NATIVE_REASONS = {"length", "eos_token", "stop_sequence"}
_OPENAI_REASONS = {"length", "stop", "stop_sequence"}
_FLOAT = re.compile(r"-?\d+\.\d+|-?\d(?:\.\d+)?e-?[1-9]\d*")  # as serde_json writes them
_BUILD = re.compile(r"3\.3\.6-dev0-(?:native|sha-[0-9a-f]{7})")
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false')
_NUMERIC_HEADERS = {
    "x-total-time", "x-validation-time", "x-queue-time", "x-inference-time", "x-time-per-token", "x-prompt-tokens",
    "x-generated-tokens",
}  # fmt: skip
_OF_THE_CONNECTION = {"connection", "content-length", "date"}


def compact(value: object) -> str:
    """JSON as serde_json writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reduce_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer with 1 (or 0.1) in place of measured times and counted tokens."""
    found = {name.lower(): value for name, value in headers.items()}
    reduced = {}
    for name, value in found.items():
        if name in _NUMERIC_HEADERS and re.fullmatch(r"\d+", value):
            reduced[name] = "1"
        elif name == "x-compute-time" and re.fullmatch(r"\d+(?:\.\d+)?", value):
            reduced[name] = "0.1"
        elif name not in _OF_THE_CONNECTION:
            reduced[name] = value
    return reduced


def reduce_body(content_type: str, body: str, request: Mapping[str, Any]) -> Any:
    """The JSON value of a body, or those of its events, with the model's values replaced and repetitions left out.

    Anything that is not in TGI's format (other separators, number formats, prefixes of events) is left as a string.

    Args:
        content_type: The answer's.
        body: The answer's.
        request: The request's JSON object, which says which prompt and seed are its own.
    """
    if content_type == "text/event-stream":
        return list(_without_repetitions(_events(body, request)))
    return _reduce_json(body, request, is_event=False) if content_type == "application/json" else body


def _events(body: str, request: Mapping[str, Any]) -> Iterator[Any]:
    *frames, end = body.split("\n\n")
    number = 0
    for frame in frames:
        data = frame.removeprefix("data: ")
        if data == frame or not data.startswith("{"):
            yield frame
            continue
        event = _reduce_json(data, request, is_event=True)
        if isinstance(event, dict) and "token" in event:
            number += 1
            event["index"] = 1 if event["index"] == number else f"{event['index']} as the {number}th"
        yield event
    if end:
        yield f"unterminated: {end}"


def _reduce_json(text: str, request: Mapping[str, Any], *, is_event: bool) -> Any:
    reduced = "".join(_replaced(text, request, is_event=is_event))
    try:
        value = json.loads(reduced)
    except ValueError:
        return text
    return _collapse(value) if compact(value) == reduced else reduced


def _replaced(text: str, request: Mapping[str, Any], *, is_event: bool) -> Iterator[str]:
    """The parts of a JSON text: its own, but for the values."""
    is_native = '"object":"' not in text or (is_event and '"object":"text_completion"' in text)
    reasons = _NATIVE_REASONS if is_native else _OPENAI_REASONS
    key, at = "", 0
    for part in _PART.finditer(text):
        yield text[at : part.start()]
        at = part.end()
        if part[0].startswith('"') and text.startswith(":", at):
            key = json.loads(part[0])
            yield part[0]
        else:
            yield _replace(key, part[0], request, reasons)
    yield text[at:]


def _replace(key: str, value: str, request: Mapping[str, Any], reasons: set[str]) -> str:
    if value.startswith('"'):
        return compact(_replace_text(key, json.loads(value), request, reasons))
    if key == "logprob" and _FLOAT.fullmatch(value):
        return "-0.5"
    if key == "special":
        return "false"
    if key == "seed" and value.isdecimal():
        return value if _requested_seed(request) == value else "1"
    return "1" if key in _COUNTS and value.isdecimal() else value


def _replace_text(key: str, value: str, request: Mapping[str, Any], reasons: set[str]) -> str:
    inputs = request.get("inputs")
    if key == "generated_text" and isinstance(inputs, str) and inputs and value.startswith(inputs):
        return inputs + TEXT
    if key in _TEXTS:
        return TEXT
    if key == "finish_reason" and value in reasons:
        return "length"
    # Whether the router was built as an image, and from which commit.
    return _BUILD.sub("3.3.6-dev0", value) if key == "system_fingerprint" else value


def _requested_seed(request: Mapping[str, Any]) -> str:
    parameters = request.get("parameters")
    return str(parameters.get("seed") if isinstance(parameters, dict) else None)


def _collapse(value: Any) -> Any:
    if isinstance(value, dict):
        # Null unless the router was built as an image.
        return {key: None if key == "docker_label" else _collapse(each) for key, each in value.items()}
    return list(_without_repetitions(map(_collapse, value))) if isinstance(value, list) else value


def _without_repetitions(values: Iterator[Any]) -> Iterator[Any]:
    """The values that differ from the one before: how many tokens there are is the model's."""
    last: object = object()
    for value in values:
        if value != last or compact(value) != compact(last):
            yield value
        last = value
