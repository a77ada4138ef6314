"""Requests in TGI's words as completions for vLLM, or for another server that speaks OpenAI's protocol.

What is sent although it changes nothing keeps vLLM from the values in the model's generation_config.json
(`vllm/config/model.py`, get_diff_sampling_param); TGI takes from it the tokens that end a text, and nothing else.
"""

from collections.abc import Mapping
from typing import Any

from front_door.generation.generate_request import GenerateRequest

_MAX_TEMPERATURE, _MAX_SEED = 2, 2**63


def problems(request: GenerateRequest) -> list[str]:
    """What no such server can do; see `TokenServer.generate_problems`."""
    found = []
    if request.temperature > _MAX_TEMPERATURE:
        found.append(f"`temperature` must be > 0.0 and <= {_MAX_TEMPERATURE}.0 for this endpoint")
    if request.typical_p is not None:
        found.append("`typical_p` is not allowed for this endpoint: leave it out, or use `top_p`")
    if request.watermark:
        found.append("`watermark` == true is not allowed for this endpoint: leave it out")
    if (request.client_seed or 0) >= _MAX_SEED:
        found.append(f"`seed` must be < {_MAX_SEED} for this endpoint. Given: {request.client_seed}")
    if request.top_n_tokens:
        found.append("`top_n_tokens` != 0 is not allowed for this endpoint")
    if request.stream and request.decoder_input_details:
        found.append("`decoder_input_details` == true is not supported when streaming tokens")
    return found


def own_problems(request: GenerateRequest) -> list[str]:
    """The same of a server of which nothing but the protocol is known."""
    found = problems(request)
    if request.grammar is not None and request.grammar.schema is None:
        found.append("`grammar` of type `regex` is not allowed for this endpoint: use `json`")
    return found


def differences(request: GenerateRequest, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Where vLLM's answer may not be TGI's; see `TokenServer.differences`."""
    gets_tokens = request.stream or request.details or request.decoder_input_details or request.best_of > 1
    warps = request.temperature != 1 or request.top_k is not None or request.top_p is not None
    may_differ = {
        "frequency_penalty": request.frequency_penalty != 0,
        "grammar": request.grammar is not None and request.grammar.schema is not None,
        "logprobs": gets_tokens and (warps or _penalizes(request)) and not facts.get("processed_logprobs"),
        "seed": request.samples and request.client_seed is not None,
        "stop": any(request.stop),
    }
    return tuple(name for name, differs in may_differ.items() if differs)


def own_differences(request: GenerateRequest, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The same of a server of which nothing but the protocol is known: it may not read what OpenAI does not have."""
    unknown = {
        "repetition_penalty": request.repetition_penalty != 1,
        "top_k": request.top_k is not None,
        "truncate": request.truncate is not None,
    }
    return (*differences(request, facts), *(name for name, is_sent in unknown.items() if is_sent))


def vllm_body(request: GenerateRequest) -> dict[str, Any]:
    """A completion for vLLM, without a number of tokens."""
    body = _common_body(request)
    body |= {"top_k": request.top_k or 0, "min_p": 0, "repetition_penalty": request.repetition_penalty}
    if request.grammar is not None:
        schema, regex = request.grammar
        body["structured_outputs"] = {"regex": regex} if schema is None else {"json": schema}
    # The length of the prompt, in the first event.
    body["stream_options"] = {"include_usage": True, "continuous_usage_stats": True}
    # A second token of generation_config.json that ends the text is in it, unless it is special.
    body["include_stop_str_in_output"] = True
    return body


def own_body(request: GenerateRequest) -> dict[str, Any]:
    """A completion for any server; what OpenAI does not have is in it only if it changes something."""
    body = _common_body(request)
    if request.top_k is not None:
        body["top_k"] = request.top_k
    if request.repetition_penalty != 1:
        body["repetition_penalty"] = request.repetition_penalty
    if request.grammar is not None:
        schema = {"name": "grammar", "schema": request.grammar.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _common_body(request: GenerateRequest) -> dict[str, Any]:
    """Begins with the prompt, and ends with what is no part of it."""
    body: dict[str, Any] = {
        "prompt": request.inputs,
        "temperature": request.temperature if request.samples else 0,
        "top_p": request.top_p or 1,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": 0,
        "logprobs": 0,
        "return_token_ids": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if any(request.stop):
        body |= {"stop": [each for each in request.stop if each], "include_stop_str_in_output": True}
    if request.truncate is not None:
        body["truncate_prompt_tokens"] = request.truncate
    if request.decoder_input_details:
        body["echo"] = True
    if request.best_of > 1 and request.samples:
        body["n"] = request.best_of
    return body


def _penalizes(request: GenerateRequest) -> bool:
    return request.frequency_penalty != 0 or request.repetition_penalty != 1
