"""Completions as TGI's own requests: `inputs` and `parameters`, with what its OpenAI route cannot do.

Sources: router/src/lib.rs (GenerateParameters) and router/src/validation.rs, 3.3.6.
"""

from collections.abc import Mapping
from typing import Any

from front_door.generation.request import GenerationRequest, Problems

_OF_SAMPLING = ("temperature", "top_k", "typical_p")


def generate_parameters(
    sampling: dict[str, Any], request: GenerationRequest, facts: Mapping[str, Any], problems: Problems
) -> dict[str, Any]:
    """The parameters of a completion, without a number of tokens.

    Args:
        sampling: The parameters of TGI's OpenAI route.
        request: The client's request.
        facts: What is known of the model.
        problems: Receives what the model cannot do.
    """
    samples = sampling.get("temperature") != 0
    parameters = {**sampling, **request.tgi_parameters}
    if not samples:
        # TGI would sample: it rejects a temperature of 0, and any of the others makes it.
        parameters = {name: value for name, value in parameters.items() if name not in _OF_SAMPLING}
    parameters |= {"do_sample": samples, "details": True, "return_full_text": False}
    return parameters | _logprobs(request, facts, problems)


def _logprobs(request: GenerationRequest, facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    top, limit = request.logprobs, facts.get("max_top_n_tokens")
    if top and isinstance(limit, int) and top > limit:
        problems.add("logprobs", f"logprobs is {top}, this model returns at most {limit} alternatives")
    alternatives = {"top_n_tokens": top} if top else {}
    if not request.wants_prompt_logprobs:
        return alternatives
    if facts.get("enable_prefill_logprobs") is False:
        problems.add("logprobs", NO_PREFILL)
    if request.stream:
        problems.add("logprobs", "logprobs with echo cannot be streamed by this model's server: set `stream` to false")
    if "truncate" in request.tgi_parameters:
        problems.add("truncate", "truncate is allowed without logprobs of the echoed prompt only: leave one out")
    return {**alternatives, "decoder_input_details": True}


NO_PREFILL = (
    "logprobs with echo needs a model that is deployed with enable_prefill_logprobs=True: leave `echo` out, or ask for"
    " that"
)
"""The problem of a server that computes no log probabilities of prompts."""
