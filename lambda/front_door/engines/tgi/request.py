"""The bodies of chats and completions for TGI's `/invocations`, one per choice.

Sources: router/src/validation.rs and router/src/lib.rs, 3.3.6.
"""

import json
from collections.abc import Mapping
from typing import Any

from front_door.generation.request import GenerationRequest, Problems

# TGI rejects 0; with this little only the likeliest token remains, as with OpenAI's 0.
_MIN_TOP_P = 1e-6
_MAX_SEED = 2**64
# What is in the prompt comes first. Tools before messages: chat templates have them before the conversation, and a
# conversation that grows then keeps its first bytes.
_SHARED = ("tools", "messages")


def build_bodies(request: GenerationRequest, facts: Mapping[str, Any], problems: Problems) -> list[dict[str, Any]]:
    """The body for each choice; see `Engine.build_bodies`."""
    if request.messages is None:
        common = _sampling(request, facts, problems)
        _check_completion(request, problems)
        bodies = _completion_bodies(request, common, facts, problems)
    else:
        bodies = [_chat_body(request, request.messages, facts, problems)]
    return [each for body in bodies for each in per_choice_bodies(body, request.candidates)]


def per_choice_bodies(body: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """A body for each of `n` choices; if there is a seed, each has its own."""
    parameters = body.get("parameters", body)
    if "seed" not in parameters:
        return [body] * n
    seeds = [{**parameters, "seed": (parameters["seed"] + index) % _MAX_SEED} for index in range(n)]
    return [{**body, "parameters": each} if "parameters" in body else each for each in seeds]


def _completion_bodies(
    request: GenerationRequest, common: dict[str, Any], facts: Mapping[str, Any], problems: Problems
) -> list[dict[str, Any]]:
    # TGI's OpenAI route would leave these out.
    needs_generate = request.logprobs is not None or request.candidates > request.n or request.tgi_parameters
    if not needs_generate:
        adapter = _adapter(request)
        return [{"prompt": prompt, **common, **adapter, "stream": True} for prompt in request.prompts]
    from front_door.engines.tgi.generate import generate_parameters

    parameters = generate_parameters(common, request, facts, problems)
    return [{"inputs": prompt, "parameters": parameters, "stream": True} for prompt in request.prompts]


def _chat_body(
    request: GenerationRequest, messages: list[dict[str, Any]], facts: Mapping[str, Any], problems: Problems
) -> dict[str, Any]:
    body: dict[str, Any] = {"messages": [_translate_message(each) for each in messages]}
    body |= _sampling(request, facts, problems)
    body |= _logprobs(request, facts, problems)
    is_rewritten = False
    if request.tools:
        from front_door.engines.tgi.tools import build_tools

        body |= build_tools(request, problems)
    if request.response_format is not None:
        from front_door.engines.tgi.grammar import build_grammar

        body["response_format"], is_rewritten = build_grammar(request.response_format, problems)
        if is_rewritten and request.logprobs:
            problems.add("logprobs", "logprobs is supported with a response_format only if its schema has `properties`")
    if is_rewritten or "tools" in body:
        body.pop("stop", None)  # it is for the content alone, in which this function looks for it too
    shared = {name: body.pop(name) for name in _SHARED if name in body}
    return {**shared, **body, **_adapter(request), "stream": True, "stream_options": {"include_usage": True}}


def _adapter(request: GenerationRequest) -> dict[str, Any]:
    """Where TGI's OpenAI routes read the name of an adapter."""
    return {} if request.adapter is None else {"model": request.adapter}


def _sampling(request: GenerationRequest, facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The parameters that decide how tokens are chosen and where the text ends."""
    if request.logit_bias:
        problems.add("logit_bias", "logit_bias is not supported: this model's server does not bias tokens")
    if request.presence_penalty:
        # TGI would treat it as a repetition penalty that is 2 higher.
        problems.add("presence_penalty", "presence_penalty is supported as 0 only, unlike frequency_penalty")
    same = ("temperature", "frequency_penalty", "repetition_penalty")
    body: dict[str, Any] = {name: value for name in same if (value := getattr(request, name)) is not None}
    # TGI rejects 1, which is its default, and samples with any other, though temperature is 0.
    if request.top_p is not None and request.top_p != 1 and request.temperature != 0:
        body["top_p"] = request.top_p or _MIN_TOP_P
    if request.seed is not None:
        body["seed"] = request.seed % _MAX_SEED
    if request.stop_sequences:
        limit = facts.get("max_stop_sequences")
        count = len(request.stop_sequences)
        if isinstance(limit, int) and count > limit:
            problems.add("stop", f"stop has {count} sequences, this model accepts at most {limit}")
        body["stop"] = list(request.stop_sequences)
    return body


def _logprobs(request: GenerationRequest, facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    if not request.logprobs:
        return {}
    top, limit = request.top_logprobs, facts.get("max_top_n_tokens")
    if top and isinstance(limit, int) and top > limit:
        problems.add("top_logprobs", f"top_logprobs is {top}, this model returns at most {limit} alternatives")
    return {"logprobs": True, "top_logprobs": top} if top else {"logprobs": True}


def _check_completion(request: GenerationRequest, problems: Problems) -> None:
    if request.suffix:
        problems.add("suffix", "suffix is not supported: put what follows into the prompt")


def _translate_message(message: dict[str, Any]) -> dict[str, Any]:
    """One message; TGI reads either its text or its tool calls, and prefers the text even if it is empty."""
    body: dict[str, Any] = {"role": "system" if message["role"] == "developer" else message["role"]}
    if message.get("name") is not None:
        body["name"] = message["name"]
    content, calls = message.get("content"), message.get("tool_calls")
    if isinstance(content, list):
        content = [{"type": part["type"], **part} for part in content]
    if not calls:
        return body | {"content": content}
    calls = [_translate_call(call) for call in calls]
    if not content:
        return body | {"tool_calls": calls}
    text = "\n" + _calls_as_text(calls)
    if isinstance(content, str):
        return body | {"content": content + text}
    return body | {"content": [*content, {"type": "text", "text": text}]}


def _translate_call(call: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _calls_as_text(calls: list[dict[str, Any]]) -> str:
    """The tool calls as TGI shows them to the model if a message has no text."""
    shown = []
    for call in calls:
        function = call["function"]
        arguments = _dump(function["arguments"])
        shown.append({**call, "function": {"description": None, "name": function["name"], "arguments": arguments}})
    return _dump(shown)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
