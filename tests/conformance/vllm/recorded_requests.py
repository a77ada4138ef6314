"""The requests in TGI's words that are sent to a real vLLM, and recorded."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.conformance.vllm.generate_requests import SCHEMA, random_request

QUESTION = "What is deep learning?"
RANDOM_REQUESTS = 40

# name → parameters beside `details`; a name with `stream` goes to /generate_stream.
_PARAMETERS: dict[str, dict[str, Any]] = {
    "to the end": {"max_new_tokens": 64},
    "to the end, stream": {"max_new_tokens": 64},
    "all that is left": {},
    "end at the limit": {"max_new_tokens": 16},
    "half a character": {"max_new_tokens": 12},
    "half a character, stream": {"max_new_tokens": 12},
    "stop": {"max_new_tokens": 64, "stop": [" trains"]},
    "stop, stream": {"max_new_tokens": 64, "stop": [" trains"]},
    "stop at the limit": {"max_new_tokens": 3, "stop": [" trains"]},
    "stop over tokens": {"max_new_tokens": 64, "stop": ["learning trains"]},
    "stop in a token": {"max_new_tokens": 64, "stop": ["twork"]},
    "stop in a token, stream": {"max_new_tokens": 64, "stop": ["twork"]},
    "four stops": {"max_new_tokens": 64, "stop": ["q", "z", "qz", "🌍"]},
    "prompt's tokens": {"max_new_tokens": 2, "decoder_input_details": True},
    "truncated": {"max_new_tokens": 2, "truncate": 2, "decoder_input_details": True},
    "full text": {"max_new_tokens": 3, "return_full_text": True},
    "full text, stream": {"max_new_tokens": 3, "return_full_text": True},
    "repetition_penalty": {"max_new_tokens": 5, "repetition_penalty": 1.3},
    "frequency_penalty": {"max_new_tokens": 5, "frequency_penalty": 1.0},
    "temperature": {"max_new_tokens": 5, "temperature": 0.5, "seed": 1},
    "top_k": {"max_new_tokens": 5, "top_k": 3, "seed": 1},
    "do_sample": {"max_new_tokens": 5, "do_sample": True},
    "best_of": {"max_new_tokens": 5, "do_sample": True, "temperature": 1.7, "best_of": 2},
    "regular expression": {"max_new_tokens": 10, "grammar": {"type": "regex", "value": "[0-9]{3}"}},
    "regular expression, stream": {"max_new_tokens": 10, "grammar": {"type": "regex", "value": "[0-9]{3}"}},
    "schema": {"max_new_tokens": 40, "grammar": {"type": "json", "value": SCHEMA}},
}
_TOO_LONG = {"inputs": "x" * 20000, "parameters": {"max_new_tokens": 5}}
_NO_GRAMMAR = {
    "inputs": QUESTION,
    "parameters": {"max_new_tokens": 5, "grammar": {"type": "regex", "value": "(?=a)a"}},
}
_SPECIAL = {
    "inputs": "<|begin|>🌍<|assistant|>",
    "parameters": {"max_new_tokens": 3, "decoder_input_details": True},
}
_OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "no parameters": ("/", {"inputs": QUESTION}),
    "text alone": ("/invocations", {"inputs": QUESTION, "parameters": {"max_new_tokens": 64}}),
    "special tokens in the prompt": ("/generate", _SPECIAL),
    "too long": ("/generate", _TOO_LONG),
    "no grammar": ("/generate", _NO_GRAMMAR),
    "no grammar, stream": ("/generate_stream", _NO_GRAMMAR),
}


def requests(seed: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and body of each request, by its name.

    Args:
        seed: Of the random ones.
    """
    named = {
        name: (
            "/generate_stream" if "stream" in name else "/generate",
            {"inputs": QUESTION, "parameters": {"details": True, **parameters}},
        )
        for name, parameters in _PARAMETERS.items()
    }
    named |= _OTHERS
    random = Random(seed)
    for number in range(1, RANDOM_REQUESTS + 1):
        named[f"random {number}"] = random_request(random)
    return named
