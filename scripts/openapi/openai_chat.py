"""The properties that only chat requests have: messages, tools and the response format."""

from __future__ import annotations

from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, one_of, record, ref, text

_IGNORED: Schema = {"description": "Ignored."}
_JSON_SCHEMA: Schema = {"type": "object", "description": "A JSON Schema."}
_NAMED = record(
    {"type": {"const": "function"}, "function": record({"name": text()}, required=("name",))},
    required=("type", "function"),
)
_ALLOWED = record(
    {"mode": one_of("auto", "required"), "tools": array(_NAMED)},
    required=("mode", "tools"),
)

MEMBERS: dict[str, Schema] = {
    "max_completion_tokens": nullable(integer("The newer name of `max_tokens`.", minimum=1, maximum=2**32 - 1)),
    "logprobs": nullable(boolean("Return the log probability of each token.", default=False)),
    "top_logprobs": nullable(
        integer("Number of most likely tokens to return for each token. Requires `logprobs`.", minimum=0, maximum=20)
    ),
    "tools": nullable(
        array(ref("Tool"), "Beside a `response_format`, the model calls one of them or gives its answer.")
    ),
    "tool_choice": any_of(
        text("`auto`, `none`, `required` or the name of a function; the last two require `tools`."),
        _NAMED,
        record({"type": {"const": "allowed_tools"}, "allowed_tools": _ALLOWED}, required=("type", "allowed_tools")),
        {"type": "null"},
    ),
    "tool_prompt": nullable(text("TGI's own: the text before the tools in the prompt.")),
    "response_format": nullable(ref("ResponseFormat")),
    "modalities": {"enum": [["text"], None]},
    "service_tier": {"enum": ["auto", "default", None]},
    "verbosity": {"enum": ["medium", None]},
    **dict.fromkeys(
        (
            "metadata",
            "parallel_tool_calls",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "safety_identifier",
            "store",
        ),
        _IGNORED,
    ),
}

_PART = any_of(
    record({"type": {"const": "text"}, "text": text()}, required=("type", "text")),
    record(
        {"type": {"const": "image_url"}, "image_url": record({"url": text()}, required=("url",))},
        required=("type", "image_url"),
        description="Models that read images only.",
    ),
)
_CALL = record(
    {
        "id": text(),
        "type": {"const": "function"},
        "function": record(
            {"name": text(), "arguments": {"description": "JSON as a string, as in the response."}},
            required=("name", "arguments"),
        ),
    },
    required=("id", "type", "function"),
)
_WRAPPED = record(
    {
        "name": nullable(text()),
        "description": nullable(text("What the text is for; the model sees it beside tools.")),
        "schema": _JSON_SCHEMA,
        "strict": {"type": ["boolean", "null"], "description": "The schema holds in any case."},
    },
    required=("schema",),
    additionalProperties=False,
)
_SCHEMA_OR_TEXT = any_of(_JSON_SCHEMA, text("A JSON Schema as a string."))


def _form(kind: str, description: str = "", **members: Schema) -> Schema:
    properties = {"type": {"const": kind}, **members}
    required = ("type", *members)
    return record(properties, required=required, description=description, additionalProperties=False)


SCHEMAS: dict[str, Schema] = {
    "ChatMessage": record(
        {
            "role": text(
                "`system`, `developer`, `user`, `assistant` or `tool`, if the model's chat template supports it."
            ),
            "content": any_of(text(), array(_PART), {"type": "null"}),
            "name": nullable(text()),
            "tool_calls": nullable(array(_CALL)),
            "tool_call_id": nullable(text("The call that a message with the role `tool` responds to.")),
        },
        required=("role",),
        anyOf=[
            {"required": ["content"], "properties": {"content": {"type": ["string", "array"]}}},
            {"required": ["tool_calls"], "properties": {"tool_calls": {"type": "array", "minItems": 1}}},
        ],
    ),
    "Tool": record(
        {
            "type": {"const": "function"},
            "function": record(
                {
                    "name": text(pattern="^[a-zA-Z0-9_-]{1,64}$"),
                    "description": nullable(text()),
                    "parameters": nullable(_JSON_SCHEMA),
                },
                required=("name",),
            ),
        },
        required=("type", "function"),
    ),
    "ResponseFormat": any_of(
        _form("text", "Free text."),
        _form("json_object", "A JSON object, nested at most three levels deep."),
        _form(
            "json_object",
            "JSON that matches this schema, as Hugging Face's clients send it; any JSON object with null.",
            schema=nullable(_SCHEMA_OR_TEXT),
        ),
        _form(
            "json_schema",
            "JSON that matches this schema; a reference is followed at most three times within itself.",
            json_schema=_WRAPPED,
        ),
        _form("json_schema", "The same in TGI's format.", value=_WRAPPED),
        _form("json", "TGI's own.", value=_SCHEMA_OR_TEXT),
        _form("json_object", "TGI's own.", value=nullable(_SCHEMA_OR_TEXT)),
        _form("regex", "TGI's own: text that matches this regular expression.", value=text()),
    ),
}
