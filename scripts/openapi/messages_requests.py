"""The request bodies of Anthropic's Messages API: the properties that the front door supports."""

from __future__ import annotations

from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, one_of, record, text

_IGNORED: Schema = {"description": "Ignored."}
_BLOCKS: Schema = array(record({"type": text()}, required=("type",)))
_MESSAGE = record(
    {"role": one_of("user", "assistant", "system"), "content": any_of(text(), _BLOCKS)}, required=("role", "content")
)
_TOOL = record(
    {
        "name": text(),
        "description": nullable(text()),
        "input_schema": {"type": "object", "description": "A JSON Schema."},
    },
    required=("name",),
    description="A function; tools that a server runs are not supported.",
)
_PROMPT: dict[str, Schema] = {
    "model": nullable(
        text(
            "A name or hub id listed by `/v1/models`, `name:adapter` for a LoRA adapter. Optional if there is one model"
            " or the path names it."
        )
    ),
    "messages": array(_MESSAGE, minItems=1),
    "system": any_of(text(), _BLOCKS, {"type": "null"}),
    "tools": nullable(array(_TOOL)),
    "tool_choice": nullable(record({"type": one_of("auto", "any", "tool", "none")}, required=("type",))),
    "thinking": nullable({"type": "object", "description": "Ignored: the model decides whether it thinks."}),
    "output_config": nullable({"type": "object", "description": "The JSON Schema of the answer."}),
    "cache_control": _IGNORED,
}
_CHOICE: dict[str, Schema] = {
    "max_tokens": integer("Maximum number of tokens to generate.", minimum=1),
    "stop_sequences": nullable(array(text(minLength=1), "Generation ends before the first of these.")),
    "stream": nullable(boolean("Stream the answer as it is generated.", default=False)),
    "temperature": nullable(number("0 always takes the most likely token.", minimum=0)),
    "top_k": nullable(integer("Sample from the k most likely tokens.", minimum=0)),
    "top_p": nullable(number("Probability mass of the most likely tokens to sample from.", minimum=0, maximum=1)),
    **dict.fromkeys(("metadata", "service_tier"), _IGNORED),
}
_QUESTION = [{"role": "user", "content": "What is Deep Learning?"}]

SCHEMAS: dict[str, Schema] = {
    "MessagesRequest": record(
        {**_PROMPT, **_CHOICE},
        required=("messages", "max_tokens"),
        examples=[{"model": "llama", "max_tokens": 100, "messages": _QUESTION}],
    ),
    "CountTokensRequest": record(_PROMPT, required=("messages",), examples=[{"model": "llama", "messages": _QUESTION}]),
}
