"""What of an answer of vLLM is a contract: all of it but the values that depend on the model, the time and chance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

TEXT = "…"
"""Stands for a text of the model."""

_TEXTS = {"text", "content", "token", "arguments", "decoded_token", "prompt_text", "prompt"}
_COUNTS = {"created", "prompt_tokens", "completion_tokens", "total_tokens", "rank", "count", "text_offset"}
_IDS = {"token_ids", "prompt_token_ids", "tokens", "token_strs"}
_RANDOM = re.compile(r"(chatcmpl-tool|chatcmpl|cmpl|modelperm|vllm-0\.32\.0)-[0-9a-f]{8,16}")
_FLOAT = re.compile(r"(?:\d+\.\d+|\d+(?=e-))(?:e-\d+)?")
_REASONS = {"stop", "length"}
_METRIC = "# TYPE vllm:num_requests_running gauge\n"
_KEPT_HEADERS = {"content-type", "allow", "vary", "x-amzn-sagemaker-new-session-id"}
_SESSION = re.compile(r"[0-9a-f-]{36}|20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def compact(value: object) -> str:
    """JSON as vLLM writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reduce_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of an answer that are not those of its connection."""
    found = {name.lower(): _SESSION.sub(TEXT, value) for name, value in headers}
    return {name: found[name] for name in sorted(found.keys() & _KEPT_HEADERS)}


def reduce_body(content_type: str, body: str) -> Any:
    """The JSON value of a body, or those of its events, with the model's values replaced and repetitions left out.

    Anything that is not in vLLM's format is left as a string. Of metrics nothing is left: which there are depends on
    the machine.
    """
    if content_type.startswith("text/event-stream"):
        return list(_without_repetitions(_by_choice(map(_reduce_event, _frames(body)))))
    if content_type.startswith("application/json") and body:
        return _reduce_json(body)
    if content_type.startswith("text/plain; version=") and _METRIC in body:
        return "metrics"
    return _SESSION.sub(TEXT, body)


def _frames(body: str) -> list[str]:
    *frames, end = body.split("\n\n")
    return [*frames, f"unterminated: {end}"] if end else frames


def _reduce_event(frame: str) -> Any:
    data = frame.removeprefix("data: ")
    return _reduce_json(data) if data != frame and data.startswith("{") else frame


def _by_choice(events: Iterable[Any]) -> Iterator[Any]:
    """The events of one choice after those of another: their order is that of the tokens."""
    several = list(events)

    def index(event: Any) -> int:
        choices = event.get("choices") if isinstance(event, dict) else None
        return choices[0]["index"] if choices else len(several)

    yield from sorted(several, key=index)


def _reduce_json(text: str) -> Any:
    value = json.loads(text)
    # Rust writes small numbers in another way than Python.
    return _reduce("", value) if _FLOAT.sub("0.5", compact(value)) == _FLOAT.sub("0.5", text) else text


def _reduce(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _reduce_object(key, value)
    if isinstance(value, list):
        if key == "bytes":
            return [1]  # none of half a character
        return list(_without_repetitions(_reduce(key, each) for each in value))
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return _reduce_text(key, value)
    if key in _IDS:
        return 1
    if key == "cached_tokens":
        return 0
    if key in _COUNTS:
        return min(value, 1)
    return -0.5 if isinstance(value, float) and key in ("logprob", "token_logprobs") else value


def _reduce_object(key: str, value: Mapping[str, Any]) -> Any:
    if key == "prompt_logprobs":  # by id
        return list(_without_repetitions(_reduce("", each) for each in value.values()))
    if key == "top_logprobs" and "logprob" not in value:  # by text
        return [TEXT]
    reduced = {name: _reduce(name, each) for name, each in value.items()}
    if value.get("finish_reason") in _REASONS and value.get("stop_reason") is None:
        reduced["finish_reason"] = "length"
    return reduced


def _reduce_text(key: str, value: str) -> str:
    if key in _TEXTS or key in _IDS:
        return TEXT
    return _RANDOM.sub(rf"\1-{TEXT}", value)


def _without_repetitions(values: Iterable[Any]) -> Iterator[Any]:
    """The values that differ from the one before: how many tokens there are is the model's."""
    last: object = object()
    for value in values:
        if value != last or compact(value) != compact(last):
            yield value
        last = value
