"""The responses of TGI's own routes (router/src/lib.rs of 3.3.6)."""

from __future__ import annotations

from scripts.openapi.schema import Schema, array, boolean, integer, nullable, number, one_of, record, ref, text

_LOGPROB = nullable(number("Natural logarithm of the token's probability."))
_FINISH_REASON = one_of("length", "eos_token", "stop_sequence", description="Why generation ended.")
_COUNT = integer("Number of generated tokens.", minimum=0)
_SEED = nullable(integer("The seed that was used, if tokens were sampled.", minimum=0))
_TOKENS = array(ref("Token"))
_END = {"finish_reason": _FINISH_REASON, "generated_tokens": _COUNT, "seed": _SEED}
_SEQUENCE: dict[str, Schema] = {
    **_END,
    "prefill": array(ref("PrefillToken"), "The prompt's tokens, if `decoder_input_details` requested them."),
    "tokens": _TOKENS,
    "top_tokens": array(_TOKENS, "The most likely tokens at each position, if `top_n_tokens` requested them."),
}
_ALWAYS = ("finish_reason", "generated_tokens", "seed", "prefill", "tokens")

_NAME = nullable(text())
_INFO: dict[str, Schema] = {
    "model_id": text("The hub id, or the folder of the model."),
    "model_sha": nullable(text("The model's revision.")),
    "model_pipeline_tag": _NAME,
    "router": text(),
    "version": nullable(text("TGI's version.")),
    "max_input_tokens": nullable(integer(minimum=1)),
    "max_total_tokens": nullable(integer(minimum=1)),
    "sha": _NAME,
    "docker_label": _NAME,
}
_LIMITS = (
    "max_concurrent_requests",
    "max_best_of",
    "max_stop_sequences",
    "validation_workers",
    "max_client_batch_size",
)

SCHEMAS: dict[str, Schema] = {
    "GenerateResponse": record(
        {"generated_text": text(), "details": ref("Details")},
        required=("generated_text",),
        additionalProperties=False,
    ),
    "Details": record(
        {**_SEQUENCE, "best_of_sequences": array(ref("BestOfSequence"), "The other sequences of `best_of`.")},
        required=_ALWAYS,
        additionalProperties=False,
    ),
    "BestOfSequence": record(
        {"generated_text": text(), **_SEQUENCE}, required=("generated_text", *_ALWAYS), additionalProperties=False
    ),
    "Token": record(
        {
            "id": integer(minimum=0),
            "text": text(),
            "logprob": _LOGPROB,
            "special": boolean("Whether it is a special token, such as the end of the text."),
        },
        required=("id", "text", "logprob", "special"),
        additionalProperties=False,
    ),
    "PrefillToken": record(
        {"id": integer(minimum=0), "text": text(), "logprob": _LOGPROB},
        required=("id", "text", "logprob"),
        additionalProperties=False,
    ),
    "StreamResponse": record(
        {
            "index": integer("The token's position, starting at 1.", minimum=1),
            "token": ref("Token"),
            "top_tokens": _TOKENS,
            "generated_text": nullable(text("The full text, in the last event only.")),
            "details": nullable(ref("StreamDetails")),
        },
        required=("index", "token", "generated_text", "details"),
        additionalProperties=False,
    ),
    "StreamDetails": record(
        {**_END, "input_length": integer("Tokens of the prompt.", minimum=0)},
        required=("finish_reason", "generated_tokens", "seed", "input_length"),
        additionalProperties=False,
    ),
    "Info": record(
        {**_INFO, **dict.fromkeys(_LIMITS, nullable(integer(minimum=0))), "wake": ref("Wake")},
        required=(*_INFO, *_LIMITS),
        description="As far as the deployment's plan knows; null: the model server decides.",
        additionalProperties=False,
    ),
    "Wake": record(
        {
            "path": text("The route that starts the model."),
            "seconds": nullable(integer("Estimate of the time until it answers.", minimum=1)),
        },
        required=("path", "seconds"),
        description="Present if the model stops while it has no requests, and callers may start it.",
        additionalProperties=False,
    ),
}
