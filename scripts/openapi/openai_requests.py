"""The bodies that OpenAI's routes take, as far as TGI can honour them."""

from __future__ import annotations

from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, one_of, record, ref, text

_MODEL = nullable(text("A name of `/v1/models` or its hub id; may be left out where the API serves one model."))
_STOP = any_of(
    text(), array(text()), {"type": "null"}, description="Generation ends where one of these has been generated."
)
_SHARED: dict[str, Schema] = {
    "model": _MODEL,
    "max_tokens": nullable(integer("The most tokens to generate. Left out, the API sets its own limit.", minimum=1)),
    "temperature": nullable(number("0 takes the likeliest token.", minimum=0, maximum=2)),
    "top_p": nullable(number("Mass of the likeliest tokens to sample from; 1 is all.", exclusiveMinimum=0, maximum=1)),
    "stop": _STOP,
    "seed": nullable(integer("Makes sampling repeatable.", minimum=0)),
    "stream": nullable(boolean("Send each token as it comes.", default=False)),
    "stream_options": nullable(
        record({"include_usage": boolean("End the stream with the token counts.", default=False)})
    ),
    "frequency_penalty": nullable(number(minimum=-2, maximum=2)),
    "n": nullable(integer("How many answers; only 1.", const=1)),
    "user": nullable(text()),
}

_CHAT: dict[str, Schema] = {
    "messages": array(ref("ChatMessage"), minItems=1),
    **_SHARED,
    "max_completion_tokens": nullable(integer("The newer name of `max_tokens`.", minimum=1)),
    "presence_penalty": nullable(number(minimum=-2, maximum=2)),
    "logprobs": nullable(boolean("Return the log probability of each token.", default=False)),
    "top_logprobs": nullable(integer("Alternatives of each token to return.", minimum=0)),
    "tools": nullable(array(ref("Tool"))),
    "tool_choice": any_of(
        one_of("auto", "none", "required"),
        record(
            {"type": {"const": "function"}, "function": record({"name": text()}, required=("name",))},
            required=("type", "function"),
        ),
        {"type": "null"},
    ),
    "response_format": nullable(ref("ResponseFormat")),
}

_COMPLETION: dict[str, Schema] = {
    "prompt": any_of(text(), array(text(), minItems=1), type=["string", "array"]),
    **_SHARED,
    "repetition_penalty": nullable(
        number("TGI's own; above 1 repeated tokens become less likely.", exclusiveMinimum=0)
    ),
}

_FUNCTION = record(
    {
        "name": text(),
        "description": nullable(text()),
        "parameters": {"type": "object", "description": "JSON Schema of the arguments."},
    },
    required=("name",),
)
_CALL = record(
    {
        "id": text(),
        "type": {"const": "function"},
        "function": record({"name": text(), "arguments": text("JSON.")}, required=("name", "arguments")),
    },
    required=("id", "type", "function"),
)
_PART = any_of(
    record({"type": {"const": "text"}, "text": text()}, required=("type", "text")),
    record(
        {"type": {"const": "image_url"}, "image_url": record({"url": text()}, required=("url",))},
        required=("type", "image_url"),
    ),
)

SCHEMAS: dict[str, Schema] = {
    "ChatCompletionRequest": record(
        _CHAT,
        required=("messages",),
        examples=[
            {"model": "llama", "messages": [{"role": "user", "content": "What is Deep Learning?"}], "stream": True}
        ],
    ),
    "ChatMessage": record(
        {
            "role": text("`system`, `user`, `assistant` or `tool`; the model's chat template knows which there are."),
            "content": any_of(text(), array(_PART), {"type": "null"}),
            "name": nullable(text()),
            "tool_calls": nullable(array(_CALL)),
            "tool_call_id": nullable(text()),
        },
        required=("role",),
    ),
    "Tool": record({"type": {"const": "function"}, "function": _FUNCTION}, required=("type", "function")),
    "ResponseFormat": any_of(
        record({"type": {"enum": ["text", "json_object"]}}, required=("type",)),
        record(
            {
                "type": {"const": "json_schema"},
                "json_schema": record({"name": text(), "schema": {"type": "object"}}, required=("schema",)),
            },
            required=("type", "json_schema"),
        ),
    ),
    "CompletionRequest": record(
        _COMPLETION,
        required=("prompt",),
        examples=[{"model": "llama", "prompt": "Deep Learning is", "max_tokens": 20}],
    ),
}
