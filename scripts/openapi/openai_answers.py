"""What OpenAI's routes answer."""

from __future__ import annotations

from scripts.openapi.schema import Schema, array, integer, nullable, number, one_of, record, ref, text

_FINISH_REASON = one_of("stop", "length", "tool_calls", description="Why the text ended.")
_TEXT_FINISH_REASON = one_of("stop", "length", description="Why the text ended.")
_NULL: Schema = {"type": "null"}
_HEAD: dict[str, Schema] = {
    "id": text("The request's own id behind a prefix."),
    "created": integer("Seconds since 1970.", minimum=0),
    "model": text("The model's name at this API."),
    "system_fingerprint": text("The version of the model's server."),
}


def _closed(properties: dict[str, Schema], *optional: str, description: str = "") -> Schema:
    """An object with these members and no others."""
    required = tuple(name for name in properties if name not in optional)
    return record(properties, required=required, additionalProperties=False, description=description)


def _answer(kind: str, choice: Schema) -> Schema:
    return _closed({"object": {"const": kind}, **_HEAD, "choices": array(choice, minItems=1), "usage": ref("Usage")})


def _chunk(kind: str, choice: Schema) -> Schema:
    usage = nullable(ref("Usage")) | {"description": "With `include_usage`: null, and the counts in the last chunk."}
    properties = {"object": {"const": kind}, **_HEAD, "choices": array(choice, "None in the last with counts.")}
    return _closed({**properties, "usage": usage}, "usage")


def _choice(member: str, schema: Schema, finish_reason: Schema, logprobs: Schema) -> Schema:
    return _closed({"index": integer(minimum=0), member: schema, "logprobs": logprobs, "finish_reason": finish_reason})


_TOKEN: dict[str, Schema] = {
    "token": text(),
    "logprob": number("Natural logarithm of its probability."),
    "bytes": nullable(array(integer(minimum=0, maximum=255), "Its UTF-8.")),
}
_LOGPROBS = nullable(
    _closed(
        {
            "content": nullable(array(_closed({**_TOKEN, "top_logprobs": array(_closed(_TOKEN))}))),
            "refusal": _NULL,
        }
    )
)
_CALL = _closed(
    {
        "id": text(),
        "type": {"const": "function"},
        "function": _closed({"name": text(), "arguments": text("JSON; not whole where `length` ended it.")}),
    }
)
_CALL_DELTA = _closed(
    {
        "index": integer(minimum=0),
        "id": text(),
        "type": {"const": "function"},
        "function": _closed({"name": text(), "arguments": text("A piece of the JSON.")}, "name"),
    },
    "id",
    "type",
    description="The first of a call has its id and name.",
)
_MESSAGE = _closed(
    {"role": {"const": "assistant"}, "content": nullable(text()), "refusal": _NULL, "tool_calls": array(_CALL)},
    "tool_calls",
)
_DELTA_MEMBERS = {
    "role": {"const": "assistant"},
    "content": nullable(text()),
    "refusal": _NULL,
    "tool_calls": array(_CALL_DELTA),
}
_DELTA = _closed(_DELTA_MEMBERS, *_DELTA_MEMBERS)

SCHEMAS: dict[str, Schema] = {
    "ChatCompletion": _answer("chat.completion", _choice("message", _MESSAGE, _FINISH_REASON, _LOGPROBS)),
    "ChatCompletionChunk": _chunk(
        "chat.completion.chunk", _choice("delta", _DELTA, nullable(_FINISH_REASON), _LOGPROBS)
    ),
    "Completion": _answer("text_completion", _choice("text", text(), _TEXT_FINISH_REASON, _NULL)),
    "CompletionChunk": _chunk("text_completion", _choice("text", text(), nullable(_TEXT_FINISH_REASON), _NULL)),
    "Usage": _closed(
        {
            "prompt_tokens": integer("A prompt counts once, however many answers it has.", minimum=0),
            "completion_tokens": integer(minimum=0),
            "total_tokens": integer(minimum=0),
        }
    ),
    "Model": _closed(
        {
            "id": text("What `model` in a request takes."),
            "object": {"const": "model"},
            "created": integer(minimum=0),
            "owned_by": text("The model's hub id."),
        }
    ),
    "ModelList": _closed({"object": {"const": "list"}, "data": array(ref("Model"))}),
}
