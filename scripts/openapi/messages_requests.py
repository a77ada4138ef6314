"""The request bodies of Anthropic's Messages API: the properties that the front door supports."""

from __future__ import annotations

from scripts.openapi import openai_requests
from scripts.openapi.schema import (
    Schema,
    any_of,
    array,
    boolean,
    integer,
    nullable,
    number,
    one_of,
    record,
    ref,
    text,
    typed,
)

_IGNORED: Schema = {"description": "Ignored."}
_NEEDS_A_SERVER: Schema = {"enum": [None, False, 0, "", [], {}], "description": "Not supported."}
_JSON_SCHEMA: Schema = {"type": "object", "description": "A JSON Schema."}
_NOT_EMPTY = text(minLength=1)

_TEXT = typed("text", text=text())
_TEXTS = array(_TEXT)
_IMAGE = typed(
    "image",
    source=any_of(
        typed("base64", media_type=one_of("image/jpeg", "image/png", "image/gif", "image/webp"), data=_NOT_EMPTY),
        typed("url", url=_NOT_EMPTY),
        description="Models that read images only.",
    ),
)
_DOCUMENT = record(
    {
        "type": {"const": "document"},
        "source": any_of(typed("text", data=text()), typed("content", content=any_of(text(), _TEXTS))),
        "title": nullable(text()),
        "context": nullable(text()),
    },
    required=("type", "source"),
)
_SHOWN = (_TEXT, _IMAGE, _DOCUMENT, typed("search_result", source=text(), title=text(), content=_TEXTS))
_RESULT = record(
    {
        "type": {"const": "tool_result"},
        "tool_use_id": text(),
        "content": any_of(text(), array(any_of(*_SHOWN, typed("tool_reference", tool_name=text()))), {"type": "null"}),
        "is_error": nullable(boolean()),
    },
    required=("type", "tool_use_id"),
)
_SAID = (
    _TEXT,
    typed("tool_use", id=text(), name=text(), input={"type": "object"}),
    record({"type": one_of("thinking", "redacted_thinking")}, required=("type",), description="Ignored."),
)
_TOOL = record(
    {
        "name": text(pattern="^[a-zA-Z0-9_-]{1,64}$"),
        "description": nullable(text()),
        "input_schema": _JSON_SCHEMA,
        "type": {"description": "Tools that need no schema of yours are not supported."},
    },
    required=("name", "input_schema"),
)
_PARALLEL = {"disable_parallel_tool_use": nullable(boolean("As far as the model's server has it."))}
_FORMAT = nullable(typed("json_schema", schema=_JSON_SCHEMA))


def _choice(*kinds: str, **members: Schema) -> Schema:
    properties = {"type": one_of(*kinds), **members, **_PARALLEL}
    return record(properties, required=("type", *members))


_PROMPT: dict[str, Schema] = {
    "model": openai_requests.SHARED["model"],
    "messages": array(ref("MessageParam"), minItems=1),
    "system": any_of(text(), _TEXTS, {"type": "null"}),
    "tools": nullable(array(_TOOL)),
    "tool_choice": any_of(
        _choice("auto", "any"),
        _choice("tool", name=text()),
        record({"type": {"const": "none"}}, required=("type",)),
        {"type": "null"},
    ),
    "thinking": nullable(
        record(
            {"type": one_of("enabled", "adaptive", "between_tools", "disabled")},
            required=("type",),
            description="Whether thinking is shown; the model decides how much it thinks.",
        )
    ),
    "output_config": nullable(record({"format": _FORMAT})),
    "output_format": _FORMAT,
    **dict.fromkeys(
        (
            "anthropic_beta",
            "anthropic_version",
            "betas",
            "billing_policy",
            "cache_control",
            "compaction",
            "context_management",
            "diagnostics",
            "fallback_credit_token",
            "fallbacks",
            "inference_geo",
            "metadata",
            "service_tier",
            "speed",
            "user_profile_id",
        ),
        _IGNORED,
    ),
    **dict.fromkeys(("container", "mcp_servers", "thread"), _NEEDS_A_SERVER),
}
_SHARE = {"minimum": 0, "maximum": 1}
_ANSWER: dict[str, Schema] = {
    "max_tokens": integer("Maximum number of tokens; fewer if no more fit.", minimum=1, maximum=2**31 - 1),
    "stop_sequences": nullable(array(_NOT_EMPTY, "Generation ends before the first of these.")),
    "stream": openai_requests.SHARED["stream"],
    "temperature": nullable(number("0 always takes the most likely token.", **_SHARE)),
    "top_k": nullable(
        integer("Sample from the k most likely tokens; not TGI, which needs 0.", minimum=0, maximum=2**31 - 1)
    ),
    "top_p": nullable(number("Probability mass of the most likely tokens to sample from.", **_SHARE)),
}
_QUESTION = [{"role": "user", "content": "What is Deep Learning?"}]
_CLOSED = "Unknown properties are rejected."

SCHEMAS: dict[str, Schema] = {
    "MessagesRequest": record(
        {**_PROMPT, **_ANSWER},
        required=("messages", "max_tokens"),
        description=_CLOSED,
        additionalProperties=False,
        examples=[
            {"model": "llama", "max_tokens": 100, "messages": _QUESTION},
            {"model": "llama", "max_tokens": 100, "system": "Be brief.", "messages": _QUESTION, "stream": True},
        ],
    ),
    "CountTokensRequest": record(
        {**_PROMPT, **dict.fromkeys(_ANSWER, _IGNORED)},
        required=("messages",),
        description=_CLOSED,
        additionalProperties=False,
        examples=[{"model": "llama", "messages": _QUESTION}],
    ),
    "MessageParam": any_of(
        record(
            {"role": {"const": "user"}, "content": any_of(_NOT_EMPTY, array(any_of(*_SHOWN, _RESULT), minItems=1))},
            required=("role", "content"),
        ),
        record(
            {"role": {"const": "assistant"}, "content": any_of(text(), array(any_of(*_SAID)))},
            required=("role", "content"),
        ),
        record(
            {"role": {"const": "system"}, "content": any_of(text(), _TEXTS)},
            required=("role", "content"),
            description="Added to `system`.",
        ),
    ),
}
