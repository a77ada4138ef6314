"""The request bodies of OpenAI's routes: the properties that the front door supports, and TGI's own."""

from __future__ import annotations

from typing import Any

from front_door.protocols.openai.other_names import CLIENT_SETTINGS

from scripts.openapi import openai_chat, tgi_requests
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
SHARED: dict[str, Schema] = {
    "model": nullable(
        text(
            "A name or hub id listed by `/v1/models`, `name:adapter` for a LoRA adapter. Optional if there is one model"
            " or the path names it."
        )
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
"""The properties that chats and completions have in common."""

_COMPLETION: dict[str, Schema] = {
    "prompt": {
        "type": ["string", "array"],
        "minLength": 1,
        "items": text(minLength=1),
        "minItems": 1,
        "maxItems": 8,
        "description": "One prompt or several; arrays of tokens are not supported.",
    },
    **SHARED,
    "max_tokens": nullable(
        integer("Maximum number of tokens to generate. Default: the API's own limit.", minimum=0, maximum=2**32 - 1)
    ),
    "echo": nullable(boolean("Start the text with the prompt.", default=False)),
    "best_of": nullable(
        integer(
            "Texts that are generated for each prompt, of which the `n` likeliest are returned. Above `n` it cannot be"
            " streamed.",
            minimum=1,
            maximum=8,
        )
    ),
    "suffix": {"enum": ["", None], "description": "Not supported: must be empty."},
    "logprobs": any_of(
        integer(minimum=0, maximum=5),
        {"enum": [False, None]},
        description="Number of alternatives to return for each token. With `echo` the prompt's tokens have none, it"
        " cannot be streamed, and the model's endpoint must have `enable_prefill_logprobs`.",
    ),
    "repetition_penalty": nullable(
        number("TGI's own: above 1, repeated tokens become less likely.", exclusiveMinimum=0)
    ),
}
_CHAT: dict[str, Schema] = {"messages": array(ref("ChatMessage"), minItems=1), **SHARED, **openai_chat.MEMBERS}
_DEFAULTS: dict[str, list[Any]] = {
    "decoder_input_details": [False],
    "top_n_tokens": [0],
    "best_of": [1],
    "repetition_penalty": [1],
    "return_full_text": [False],
    "top_k": [0, -1],
    "typical_p": [1],
    "watermark": [False],
}
_AS_DEFAULT: dict[str, Schema] = {
    name: {"enum": [*values, None], "description": "TGI's own; other values are honoured by TGI's routes."}
    for name, values in _DEFAULTS.items()
}
_SETTINGS: dict[str, Schema] = {name: {"description": "Ignored."} for name in sorted(CLIENT_SETTINGS)}
_SAMPLING: dict[str, Schema] = {
    "details": nullable(boolean("Ignored.")),
    "do_sample": nullable(boolean("TGI's own: false takes the most likely token, as `temperature` 0 does.")),
}
OTHER_COMPLETION: dict[str, Schema] = {
    **_SETTINGS,
    **_SAMPLING,
    **{name: _AS_DEFAULT[name] for name in ("decoder_input_details", "top_n_tokens")},
    **{name: tgi_requests.PARAMETERS[name] for name in ("truncate", "grammar", "adapter_id")},
    "return_full_text": nullable(boolean("TGI's name of `echo`.")),
    "watermark": nullable(tgi_requests.PARAMETERS["watermark"]),
    "top_k": nullable(integer("TGI's own: sample from the k most likely tokens.", minimum=-1, maximum=2**31 - 1)),
    "typical_p": nullable(
        number("TGI's own: probability mass of the locally typical tokens.", exclusiveMinimum=0, maximum=1)
    ),
}
"""The properties of a completion that OpenAI does not have; TGI's `/invocations` ignores them."""
OTHER_CHAT: dict[str, Schema] = {**_SETTINGS, **_SAMPLING, **_AS_DEFAULT}
"""The same of a chat."""
_QUESTION = [{"role": "user", "content": "What is Deep Learning?"}]
_CLOSED = "Unknown properties are rejected."

SCHEMAS: dict[str, Schema] = {
    "ChatCompletionRequest": record(
        {**_CHAT, **OTHER_CHAT},
        required=("messages",),
        description=_CLOSED,
        additionalProperties=False,
        examples=[
            {"model": "llama", "messages": _QUESTION, "max_tokens": 100},
            {"model": "llama", "messages": _QUESTION, "stream": True, "stream_options": {"include_usage": True}},
        ],
    ),
    "CompletionRequest": record(
        {**_COMPLETION, **OTHER_COMPLETION},
        required=("prompt",),
        description=_CLOSED,
        additionalProperties=False,
        examples=[{"model": "llama", "prompt": "Deep Learning is", "max_tokens": 20}],
    ),
    **openai_chat.SCHEMAS,
}
