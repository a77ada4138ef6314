"""The request bodies of OpenAI's routes: the properties that the front door supports, and TGI's own."""

from __future__ import annotations

from scripts.openapi import openai_chat
from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, record, ref, text

_STOP = any_of(
    text(minLength=1),
    array(text(minLength=1)),
    {"type": "null"},
    description="Generation ends before the first of these.",
)
_NO_BIAS: Schema = {
    "type": ["object", "array", "null"],
    "maxProperties": 0,
    "maxItems": 0,
    "description": "Not supported: must be empty.",
}
_SHARED: dict[str, Schema] = {
    "model": nullable(
        text("A name or hub id listed by `/v1/models`. Optional if there is one model or the path names it.")
    ),
    "max_tokens": nullable(
        integer("Maximum number of tokens to generate. Default: the API's own limit.", minimum=1, maximum=2**32 - 1)
    ),
    "temperature": nullable(number("0 always takes the most likely token.", minimum=0)),
    "top_p": nullable(
        number("Probability mass of the most likely tokens to sample from; 1 is all tokens.", minimum=0, maximum=1)
    ),
    "stop": _STOP,
    "seed": nullable(integer("Makes sampling reproducible; 64 bits.")),
    "stream": nullable(boolean("Stream the text as it is generated.", default=False)),
    "stream_options": nullable(
        record(
            {
                "include_usage": nullable(boolean("Send the token counts at the end of the stream.")),
                "include_obfuscation": nullable(boolean("Ignored.")),
            },
            description="Requires `stream`.",
        )
    ),
    "n": nullable(
        integer(
            "Choices for each prompt, at most 8 in total; each is a separate request to the model. Default: 1.",
            minimum=1,
            maximum=8,
        )
    ),
    "frequency_penalty": nullable(
        number("Above 0, tokens become less likely the more often they occur.", minimum=-2, maximum=2)
    ),
    "presence_penalty": {"enum": [0, None], "description": "Not supported: must be 0."},
    "logit_bias": _NO_BIAS,
    "user": {"description": "Ignored."},
}

_COMPLETION: dict[str, Schema] = {
    "prompt": {
        "type": ["string", "array"],
        "minLength": 1,
        "items": text(minLength=1),
        "minItems": 1,
        "maxItems": 8,
        "description": "One prompt or several; arrays of tokens are not supported.",
    },
    **_SHARED,
    "echo": nullable(boolean("Start the text with the prompt.", default=False)),
    "best_of": nullable(integer("Must be 1 or equal to `n`.", minimum=1, maximum=8)),
    "suffix": {"enum": ["", None], "description": "Not supported: must be empty."},
    "logprobs": {"enum": [False, None], "description": "Supported by chat completions only."},
    "repetition_penalty": nullable(
        number("TGI's own: above 1, repeated tokens become less likely.", exclusiveMinimum=0)
    ),
}
_CHAT: dict[str, Schema] = {"messages": array(ref("ChatMessage"), minItems=1), **_SHARED, **openai_chat.MEMBERS}
_QUESTION = [{"role": "user", "content": "What is Deep Learning?"}]
_CLOSED = "Unknown properties are rejected."

SCHEMAS: dict[str, Schema] = {
    "ChatCompletionRequest": record(
        _CHAT,
        required=("messages",),
        description=_CLOSED,
        additionalProperties=False,
        examples=[
            {"model": "llama", "messages": _QUESTION, "max_tokens": 100},
            {"model": "llama", "messages": _QUESTION, "stream": True, "stream_options": {"include_usage": True}},
        ],
    ),
    "CompletionRequest": record(
        _COMPLETION,
        required=("prompt",),
        description=_CLOSED,
        additionalProperties=False,
        examples=[{"model": "llama", "prompt": "Deep Learning is", "max_tokens": 20}],
    ),
    **openai_chat.SCHEMAS,
}
