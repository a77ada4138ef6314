"""The bodies that OpenAI's routes take: what the front door honours of OpenAI's, and the forms of TGI's own."""

from __future__ import annotations

from scripts.openapi import openai_chat
from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, record, ref, text

_STOP = any_of(
    text(minLength=1),
    array(text(minLength=1)),
    {"type": "null"},
    description="The text ends before the first of these.",
)
_NO_BIAS: Schema = {
    "type": ["object", "array", "null"],
    "maxProperties": 0,
    "maxItems": 0,
    "description": "Tokens cannot be biased; only an empty one is taken.",
}
_SHARED: dict[str, Schema] = {
    "model": nullable(text("A name of `/v1/models` or a hub id. May be left out where the API serves one model.")),
    "max_tokens": nullable(
        integer("The most tokens to generate. Left out, the API sets its own limit.", minimum=1, maximum=2**32 - 1)
    ),
    "temperature": nullable(number("0 takes the likeliest token each time.", minimum=0)),
    "top_p": nullable(number("Mass of the likeliest tokens to sample from; 1 is all of them.", minimum=0, maximum=1)),
    "stop": _STOP,
    "seed": nullable(integer("Makes sampling repeatable; 64 bits.")),
    "stream": nullable(boolean("Send the text as it comes.", default=False)),
    "stream_options": nullable(
        record(
            {
                "include_usage": nullable(boolean("Tell the token counts at the end of the stream.")),
                "include_obfuscation": nullable(boolean("Changes nothing.")),
            },
            description="With `stream` only.",
        )
    ),
    "n": nullable(
        integer(
            "Answers to each prompt, 8 in all at most; each is a request of its own to the model. Left out: 1.",
            minimum=1,
            maximum=8,
        )
    ),
    "frequency_penalty": nullable(
        number("Above 0 tokens become less likely the more often they occur.", minimum=-2, maximum=2)
    ),
    "presence_penalty": {"enum": [0, None], "description": "Only 0; the model's server has no such penalty."},
    "logit_bias": _NO_BIAS,
    "user": {"description": "Changes nothing."},
}

_COMPLETION: dict[str, Schema] = {
    "prompt": {
        "type": ["string", "array"],
        "minLength": 1,
        "items": text(minLength=1),
        "minItems": 1,
        "maxItems": 8,
        "description": "One or several; arrays of tokens are not taken.",
    },
    **_SHARED,
    "echo": nullable(boolean("Begin the text with the prompt.", default=False)),
    "best_of": nullable(integer("Only 1 or the same as `n`.", minimum=1, maximum=8)),
    "suffix": {"enum": ["", None], "description": "Nothing can follow the text."},
    "logprobs": {"enum": [False, None], "description": "Only chat completions have them."},
    "repetition_penalty": nullable(
        number("TGI's own: above 1 repeated tokens become less likely.", exclusiveMinimum=0)
    ),
}
_CHAT: dict[str, Schema] = {"messages": array(ref("ChatMessage"), minItems=1), **_SHARED, **openai_chat.MEMBERS}
_QUESTION = [{"role": "user", "content": "What is Deep Learning?"}]
_OTHERS = "A member that is not listed is refused."

SCHEMAS: dict[str, Schema] = {
    "ChatCompletionRequest": record(
        _CHAT,
        required=("messages",),
        description=_OTHERS,
        additionalProperties=False,
        examples=[
            {"model": "llama", "messages": _QUESTION, "max_tokens": 100},
            {"model": "llama", "messages": _QUESTION, "stream": True, "stream_options": {"include_usage": True}},
        ],
    ),
    "CompletionRequest": record(
        _COMPLETION,
        required=("prompt",),
        description=_OTHERS,
        additionalProperties=False,
        examples=[{"model": "llama", "prompt": "Deep Learning is", "max_tokens": 20}],
    ),
    **openai_chat.SCHEMAS,
}
