"""What OpenAI's routes answer."""

from __future__ import annotations

from scripts.openapi.schema import Schema, array, integer, nullable, number, one_of, record, ref, text

_FINISH_REASON = one_of("stop", "length", "tool_calls", description="Why the text ended.")
_HEAD: dict[str, Schema] = {
    "id": text(),
    "created": integer("Seconds since 1970.", minimum=0),
    "model": text(),
    "system_fingerprint": text("The server's version."),
}
_NAMED = ("id", "object", "created", "model", "system_fingerprint", "choices")


def _answer(kind: str, choice: Schema, usage: Schema, *required: str) -> Schema:
    properties = {"object": {"const": kind}, **_HEAD, "choices": array(choice), "usage": usage}
    return record(properties, required=(*_NAMED, *required), additionalProperties=False)


def _choice(properties: dict[str, Schema], finish_reason: Schema, logprobs: Schema) -> Schema:
    members = {"index": integer(minimum=0), **properties, "logprobs": logprobs, "finish_reason": finish_reason}
    return record(members, required=("index", *properties, "finish_reason"), additionalProperties=False)


_LOGPROB = {"token": text(), "logprob": number()}
_LOGPROBS = nullable(
    record(
        {
            "content": array(
                record(
                    {**_LOGPROB, "top_logprobs": array(record(_LOGPROB, required=("token", "logprob")))},
                    required=("token", "logprob", "top_logprobs"),
                )
            )
        },
        required=("content",),
    )
)

_FUNCTION = {"name": nullable(text()), "arguments": text("JSON, or a piece of it.")}
_CALL = record(
    {
        "id": text(),
        "type": {"const": "function"},
        "function": record({**_FUNCTION, "description": nullable(text())}, required=("name", "arguments")),
    },
    required=("id", "type", "function"),
)
_CALL_DELTA = record(
    {
        "index": integer(minimum=0),
        "id": text(),
        "type": {"const": "function"},
        "function": record(_FUNCTION, required=("arguments",)),
    },
    required=("index",),
)
_MESSAGE = record(
    {"role": {"const": "assistant"}, "content": nullable(text()), "tool_calls": array(_CALL)}, required=("role",)
)
_DELTA = record({"role": {"const": "assistant"}, "content": nullable(text()), "tool_calls": array(_CALL_DELTA)})
_USAGE = ref("Usage")

SCHEMAS: dict[str, Schema] = {
    "ChatCompletion": _answer(
        "chat.completion", _choice({"message": _MESSAGE}, _FINISH_REASON, _LOGPROBS), _USAGE, "usage"
    ),
    "ChatCompletionChunk": _answer(
        "chat.completion.chunk", _choice({"delta": _DELTA}, nullable(_FINISH_REASON), _LOGPROBS), nullable(_USAGE)
    ),
    "Completion": _answer(
        "text_completion", _choice({"text": text()}, _FINISH_REASON, {"type": "null"}), _USAGE, "usage"
    ),
    "CompletionChunk": _answer(
        "text_completion", _choice({"text": text()}, nullable(_FINISH_REASON), {"type": "null"}), nullable(_USAGE)
    ),
    "Usage": record(
        {name: integer(minimum=0) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
        required=("prompt_tokens", "completion_tokens", "total_tokens"),
    ),
    "Model": record(
        {
            "id": text("What `model` in a request takes."),
            "object": {"const": "model"},
            "created": integer(minimum=0),
            "owned_by": text("The model's hub id."),
        },
        required=("id", "object", "created", "owned_by"),
        additionalProperties=False,
    ),
    "ModelList": record({"object": {"const": "list"}, "data": array(ref("Model"))}, required=("object", "data")),
}
