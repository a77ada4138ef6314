"""The request body of OpenAI's Responses API: the properties that the front door supports."""

from __future__ import annotations

from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, one_of, record, text

_IGNORED: Schema = {"description": "Ignored."}
_NOTHING_STORED: Schema = {"type": "null", "description": "Not supported: no response is stored."}
_FUNCTION = record(
    {
        "type": {"const": "function"},
        "name": text(),
        "description": nullable(text()),
        "parameters": nullable({"type": "object", "description": "A JSON Schema."}),
        "strict": nullable(boolean("The schema holds in any case.")),
    },
    required=("type", "name"),
)
_MEMBERS: dict[str, Schema] = {
    "model": nullable(
        text(
            "A name or hub id listed by `/v1/models`, `name:adapter` for a LoRA adapter. Optional if there is one model"
            " or the path names it."
        )
    ),
    "input": any_of(
        text(),
        array({"type": "object"}),
        description="The user's text, or the whole conversation as items: messages, function calls and their outputs.",
    ),
    "instructions": nullable(text("The system message.")),
    "max_output_tokens": nullable(
        integer("Maximum number of tokens to generate. Default: the API's own limit.", minimum=1)
    ),
    "temperature": nullable(number("0 always takes the most likely token.", minimum=0)),
    "top_p": nullable(number("Probability mass of the most likely tokens to sample from.", minimum=0, maximum=1)),
    "top_logprobs": nullable(integer("Number of most likely tokens to return for each token.", minimum=0, maximum=20)),
    "include": nullable(array(text(), "`message.output_text.logprobs` returns the log probability of each token.")),
    "tools": nullable(array(_FUNCTION, "Functions; tools that a server runs are not supported.")),
    "tool_choice": any_of(one_of("auto", "none", "required"), {"type": "object"}, {"type": "null"}),
    "parallel_tool_calls": nullable(boolean()),
    "text": nullable(record({"format": nullable({"type": "object"})}, description="The format of the answer.")),
    "stream": nullable(boolean("Stream the answer as it is generated.", default=False)),
    "stream_options": nullable(record({"include_obfuscation": nullable(boolean("Ignored."))})),
    "truncation": nullable(one_of("auto", "disabled")),
    "store": nullable(boolean("Nothing is stored: the response says `store: false`.")),
    "previous_response_id": _NOTHING_STORED,
    "conversation": _NOTHING_STORED,
    "prompt": _NOTHING_STORED,
    "background": {"enum": [False, None], "description": "Not supported: must be false."},
    "metadata": nullable({"type": "object", "description": "Returned in the response."}),
    **dict.fromkeys(
        ("prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "user", "reasoning"),
        _IGNORED,
    ),
}

SCHEMAS: dict[str, Schema] = {
    "ResponsesRequest": record(
        _MEMBERS,
        required=("input",),
        examples=[{"model": "llama", "input": "What is Deep Learning?", "max_output_tokens": 100}],
    )
}
