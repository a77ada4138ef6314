"""The request bodies of TGI's own routes (router/src/lib.rs and router/src/validation.rs of 3.3.6)."""

from __future__ import annotations

from scripts.openapi.schema import Schema, any_of, array, boolean, integer, nullable, number, record, ref, text

_SAMPLES = "Enables sampling."
_TGI_ONLY = "TGI only."

PARAMETERS: dict[str, Schema] = {
    "max_new_tokens": nullable(
        integer(
            "Maximum number of tokens to generate. Default: the API's own limit.", exclusiveMinimum=0, maximum=2**32 - 1
        )
    ),
    "do_sample": boolean(
        "Sample instead of taking the most likely token. A request without `parameters` samples.", default=False
    ),
    "temperature": nullable(
        number("Higher is more random; 1 changes nothing. Up to 2 without TGI.", exclusiveMinimum=0)
    ),
    "top_k": nullable(
        integer(f"Sample from the k most likely tokens. {_SAMPLES}", exclusiveMinimum=0, maximum=2**31 - 1)
    ),
    "top_p": nullable(
        number(
            f"Sample from the most likely tokens whose probabilities add up to this. {_SAMPLES}",
            exclusiveMinimum=0,
            exclusiveMaximum=1,
        )
    ),
    "typical_p": nullable(
        number(
            f"Probability mass of the locally typical tokens to sample from. {_SAMPLES} {_TGI_ONLY}",
            exclusiveMinimum=0,
            exclusiveMaximum=1,
        )
    ),
    "seed": nullable(
        integer(
            "Makes sampling reproducible; up to 2⁶⁴ - 1, 2⁶³ - 1 without TGI. Cannot be combined"
            " with `best_of` above 1.",
            minimum=0,
        )
    ),
    "best_of": nullable(
        integer(
            "Number of sequences to generate, of which the most probable is returned. Requires sampling, cannot be"
            " streamed and must finish in 60 seconds. 0 means 1.",
            minimum=0,
        )
    ),
    "repetition_penalty": nullable(number("Above 1, repeated tokens become less likely.", exclusiveMinimum=0)),
    "frequency_penalty": nullable(
        number("Above 0, tokens become less likely the more often they occur.", minimum=-2, maximum=2)
    ),
    "stop": array(text(), "Generation ends after the first of these, which stays in the text.", default=[]),
    "truncate": nullable(integer("Keep only this many tokens at the end of the prompt.", exclusiveMinimum=0)),
    "return_full_text": nullable(
        boolean(
            "Whether the text starts with the prompt. Default: false on `/generate` and `/generate_stream`; the model's"
            " task decides on the other routes."
        )
    ),
    "details": boolean("Return `details` with each token and its log probability.", default=False),
    "decoder_input_details": boolean(
        "Return the prompt's tokens too. Cannot be streamed and must finish in 60 seconds.", default=False
    ),
    "top_n_tokens": nullable(
        integer(f"Number of most likely tokens to return for each token. {_TGI_ONLY}", minimum=0, maximum=2**32 - 1)
    ),
    "grammar": nullable(ref("GrammarType")),
    "watermark": boolean(f"Watermark the text, so that it can be recognized as generated. {_TGI_ONLY}", default=False),
    "adapter_id": nullable(text("A LoRA adapter loaded by the endpoint.")),
}

_INPUTS = text("The prompt, exactly as the model receives it.", minLength=1)
_SHORT = {"inputs": "What is Deep Learning?", "parameters": {"max_new_tokens": 20}}


def _grammar(kind: str, value: Schema) -> Schema:
    return record({"type": {"const": kind}, "value": value}, required=("type", "value"))


SCHEMAS: dict[str, Schema] = {
    "GenerateRequest": record(
        {"inputs": _INPUTS, "parameters": ref("GenerateParameters")}, required=("inputs",), examples=[_SHORT]
    ),
    "CompatGenerateRequest": record(
        {
            "inputs": _INPUTS,
            "parameters": ref("GenerateParameters"),
            "stream": boolean("Stream each token.", default=False),
        },
        required=("inputs",),
        examples=[{**_SHORT, "stream": True}],
    ),
    "GenerateParameters": record(PARAMETERS, description="Unknown names are ignored."),
    "GrammarType": any_of(
        _grammar("json", any_of({"type": "object"}, text(), description="A JSON Schema with `properties`.")),
        _grammar("regex", text("A regular expression.")),
        _grammar(
            "json_schema",
            record(
                {"name": nullable(text()), "schema": {"description": "A JSON Schema with `properties`."}},
                required=("schema",),
            ),
        ),
        description="The format of the generated text.",
    ),
}
