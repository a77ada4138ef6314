"""The responses of OpenAI's routes."""

from __future__ import annotations

from scripts.openapi.schema import Schema, array, integer, nullable, number, one_of, record, ref, text

_FINISH_REASON = one_of("stop", "length", "tool_calls", description="Why generation ended.")
_TEXT_FINISH_REASON = one_of("stop", "length", description="Why generation ended.")
_NULL: Schema = {"type": "null"}
_HEAD: dict[str, Schema] = {
    "id": text("The request id with a prefix."),
    "created": integer("Seconds since 1970.", minimum=0),
    "model": text("The model's name in this API."),
}
_FINGERPRINT = text("The version of the model server, if it says so.")


def _closed(properties: dict[str, Schema], *optional: str, description: str = "") -> Schema:
    """An object with these properties and no others."""
    required = tuple(name for name in properties if name not in optional)
    return record(properties, required=required, additionalProperties=False, description=description)


def _response(kind: str, choice: Schema, fingerprint: Schema = _FINGERPRINT) -> Schema:
    head = {"object": {"const": kind}, **_HEAD, "system_fingerprint": fingerprint}
    return _closed({**head, "choices": array(choice, minItems=1), "usage": ref("Usage")})


def _chunk(kind: str, choice: Schema, fingerprint: Schema = _FINGERPRINT) -> Schema:
    usage = nullable(ref("Usage")) | {
        "description": "With `include_usage`: null in all chunks but the last, which has the token counts."
    }
    properties = {
        "object": {"const": kind},
        **_HEAD,
        "system_fingerprint": fingerprint,
        "choices": array(choice, "Empty in the chunk with the token counts."),
    }
    return _closed({**properties, "usage": usage}, "usage")


def _choice(member: str, schema: Schema, finish_reason: Schema, logprobs: Schema) -> Schema:
    return _closed({"index": integer(minimum=0), member: schema, "logprobs": logprobs, "finish_reason": finish_reason})


_TOKEN: dict[str, Schema] = {
    "token": text(),
    "logprob": number("Natural logarithm of the token's probability."),
    "bytes": nullable(array(integer(minimum=0, maximum=255), "The token in UTF-8.")),
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
        "function": _closed({"name": text(), "arguments": text("JSON; incomplete if `length` ended it.")}),
    }
)
_CALL_DELTA = _closed(
    {
        "index": integer(minimum=0),
        "id": text(),
        "type": {"const": "function"},
        "function": _closed({"name": text(), "arguments": text("Part of the JSON.")}, "name"),
    },
    "id",
    "type",
    description="The first delta of a call has its id and name.",
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

_COMPLETION_LOGPROBS = nullable(
    _closed(
        {
            "tokens": array(text()),
            "token_logprobs": array(nullable(number()), "Null for the first token of an echoed prompt."),
            "top_logprobs": array(
                nullable(record({}, additionalProperties=number())), "The token itself and its alternatives."
            ),
            "text_offset": array(integer(minimum=0), "Where each token begins in `text`, in characters."),
        }
    )
)
_TEXT_CHOICES = {
    "Completion": _choice("text", text(), _TEXT_FINISH_REASON, _COMPLETION_LOGPROBS),
    "CompletionChunk": _choice("text", text(), nullable(_TEXT_FINISH_REASON), _COMPLETION_LOGPROBS),
}
SCHEMAS: dict[str, Schema] = {
    "ServerResponse": record(
        {
            **_HEAD,
            "choices": array(
                record({"index": integer(minimum=0)}, required=("index",)), "Empty in the chunk with the token counts."
            ),
            "usage": nullable({"type": "object"}),
        },
        required=("model", "choices"),
        description="A completion or a chunk of OpenAI's form, with the members of a model's own server: of models that"
        " do not run on TGI.",
    ),
    "ChatCompletion": _response("chat.completion", _choice("message", _MESSAGE, _FINISH_REASON, _LOGPROBS)),
    "ChatCompletionChunk": _chunk(
        "chat.completion.chunk", _choice("delta", _DELTA, nullable(_FINISH_REASON), _LOGPROBS)
    ),
    "Completion": _response("text_completion", _TEXT_CHOICES["Completion"], nullable(_FINGERPRINT)),
    "CompletionChunk": _chunk("text_completion", _TEXT_CHOICES["CompletionChunk"], nullable(_FINGERPRINT)),
    "Usage": _closed(
        {
            "prompt_tokens": integer("A prompt counts once for all of its choices.", minimum=0),
            "completion_tokens": integer(minimum=0),
            "total_tokens": integer(minimum=0),
        }
    ),
    "Model": _closed(
        {
            "id": text("The value of `model` in requests."),
            "object": {"const": "model"},
            "created": integer(minimum=0),
            "owned_by": text("The model's hub id."),
            "parent": text("The model of a LoRA adapter; models have none."),
        },
        "parent",
    ),
    "ModelList": _closed({"object": {"const": "list"}, "data": array(ref("Model"))}),
}
