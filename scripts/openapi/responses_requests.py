"""The request body of OpenAI's Responses API: the properties that the front door supports."""

from __future__ import annotations

from front_door.protocols.responses.schema import INCLUDABLE

from scripts.openapi import openai_requests
from scripts.openapi.schema import (
    Schema,
    any_of,
    array,
    boolean,
    integer,
    nullable,
    one_of,
    record,
    ref,
    text,
    typed,
)

_IGNORED: Schema = {"description": "Ignored."}
_NOTHING_STORED: Schema = {"enum": [None, False], "description": "Not supported: no response is stored."}
_JSON_SCHEMA: Schema = {"type": "object", "description": "A JSON Schema."}
_NAME = text(pattern="^[a-zA-Z0-9_-]{1,64}$")
_TOKENS = {"minimum": 1, "maximum": 2**32 - 1}
_OF_CHATS = ("seed", "stop", "frequency_penalty", "presence_penalty", "logit_bias")

_TEXTS = (
    typed("input_text", text=text()),
    typed("output_text", text=text()),
    typed("refusal", refusal=text()),
)
_IMAGE = record(
    {
        "type": {"const": "input_image"},
        "image_url": text("A URL, also one with the data; models that read images only."),
        "detail": nullable(text()),
        "file_id": {"type": "null"},
    },
    required=("type", "image_url"),
)
_ONLY_TEXT = any_of(text(), array(any_of(*_TEXTS)))
_CONTENT = any_of(text(), array(any_of(*_TEXTS, _IMAGE)))
_MESSAGE_TYPE: Schema = {"enum": ["message", None]}
_TOOL = record(
    {
        "type": {"const": "function"},
        "name": _NAME,
        "description": nullable(text()),
        "parameters": nullable(_JSON_SCHEMA),
        "strict": nullable(boolean("The schema holds in any case.")),
    },
    required=("type", "name"),
)
_EFFORT = one_of(
    "none", "minimal", "low", "medium", "high", "xhigh", "max", description="As far as the model's server has it."
)
_NAMED = typed("function", name=text())
_FORMAT = any_of(
    typed("text"),
    typed("json_object"),
    record(
        {
            "type": {"const": "json_schema"},
            "name": text(),
            "schema": _JSON_SCHEMA,
            "description": nullable(text("What the text is for; the model sees it beside tools.")),
            "strict": nullable(boolean("The schema holds in any case.")),
        },
        required=("type", "name", "schema"),
    ),
)
_MEMBERS: dict[str, Schema] = {
    "model": openai_requests.SHARED["model"],
    "input": any_of(text(), array(ref("ResponseItem"), minItems=1), description="The whole conversation."),
    "instructions": nullable(text("The system message.")),
    "max_output_tokens": nullable(
        integer("Maximum number of tokens to generate. Default: the API's own limit.", **_TOKENS)
    ),
    "max_tool_calls": nullable(integer("Ignored: no tool is run here.", **_TOKENS)),
    "temperature": openai_requests.SHARED["temperature"],
    "top_p": openai_requests.SHARED["top_p"],
    "top_logprobs": nullable(integer("Number of most likely tokens to return for each token.", minimum=0, maximum=20)),
    "include": nullable(
        array(one_of(*INCLUDABLE), "`message.output_text.logprobs` returns log probabilities; the others are ignored.")
    ),
    "tools": nullable(array(_TOOL, "Functions of the client's; no other tools.")),
    "tool_choice": any_of(
        one_of("auto", "none", "required"),
        _NAMED,
        typed("allowed_tools", mode=one_of("auto", "required"), tools=array(_NAMED)),
        {"type": "null"},
    ),
    "parallel_tool_calls": nullable(boolean("As far as the model's server has it.")),
    "text": nullable(record({"format": nullable(_FORMAT), "verbosity": nullable(one_of("low", "medium", "high"))})),
    "reasoning": nullable(record({"effort": nullable(_EFFORT)})),
    "stream": openai_requests.SHARED["stream"],
    "stream_options": nullable(record({"include_obfuscation": nullable(boolean("Ignored."))})),
    "truncation": nullable(one_of("auto", "disabled", description="Nothing is truncated.")),
    "store": nullable(boolean("Nothing is stored: the response has `store: false`.")),
    "background": {"enum": [None, False], "description": "Not supported: no response is stored."},
    "previous_response_id": _NOTHING_STORED,
    "conversation": _NOTHING_STORED,
    "prompt": _NOTHING_STORED,
    "metadata": nullable(record({}, additionalProperties=text(), description="Returned in the response.")),
    "prompt_cache_retention": nullable(one_of("in_memory", "24h", description="Ignored.")),
    "service_tier": nullable(one_of("auto", "default")),
    **dict.fromkeys(("prompt_cache_key", "safety_identifier", "user"), nullable(text("Ignored."))),
    **dict.fromkeys(("access_programs", "client_metadata", "prompt_cache_options"), _IGNORED),
    **{name: openai_requests.SHARED[name] for name in _OF_CHATS},
}

SCHEMAS: dict[str, Schema] = {
    "ResponsesRequest": record(
        _MEMBERS,
        required=("input",),
        description="Unknown properties are rejected.",
        additionalProperties=False,
        examples=[
            {"model": "llama", "input": "What is Deep Learning?", "max_output_tokens": 100},
            {
                "model": "llama",
                "instructions": "Be brief.",
                "input": [{"role": "user", "content": [{"type": "input_text", "text": "What is Deep Learning?"}]}],
                "stream": True,
            },
        ],
    ),
    "ResponseItem": any_of(
        record({"type": _MESSAGE_TYPE, "role": {"const": "user"}, "content": _CONTENT}, required=("role", "content")),
        record(
            {"type": _MESSAGE_TYPE, "role": one_of("assistant", "system", "developer"), "content": _ONLY_TEXT},
            required=("role", "content"),
        ),
        typed("function_call", call_id=text(), name=text(), arguments=text("JSON, as in the response.")),
        typed("function_call_output", call_id=text(), output=_CONTENT),
        record({"type": {"const": "reasoning"}}, required=("type",), description="Ignored."),
        typed("item_reference", id=text("A reference to reasoning, which is ignored.", pattern="^rs_")),
    ),
}
