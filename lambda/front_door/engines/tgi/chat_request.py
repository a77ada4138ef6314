"""From OpenAI's chat request to TGI's."""

import json
from collections.abc import Mapping
from typing import Any

from front_door.engines.tgi import grammar, sampling, tools
from front_door.generation import request
from front_door.generation.request import Asked, Problems
from front_door.http.request import not_json
from front_door.protocols.openai.chat_schema import FIELDS


def translated(body: Mapping[str, Any], facts: Mapping[str, Any], *, knows_all: bool = True) -> Asked:
    """What to send to a TGI container.

    Args:
        body: The request as it came.
        facts: What is known of the model.
        knows_all: Whether a name that is not OpenAI's is refused.

    Raises:
        Failure: It cannot be honoured; every problem is told.
    """
    try:
        return _translated(body, facts, knows_all=knows_all)
    except RecursionError:
        raise not_json("recursion limit exceeded") from None


def _translated(body: Mapping[str, Any], facts: Mapping[str, Any], *, knows_all: bool) -> Asked:
    problems = Problems()
    asked = request.usable(body, FIELDS, problems, knows_all=knows_all)
    told: dict[str, Any] = {"messages": [_message(each) for each in asked.get("messages", [])]}
    told |= sampling.sampling(asked, facts, problems)
    told |= _logprobs(asked, facts, problems)
    offered = tools.offered(asked, problems)
    told |= offered.members
    if "response_format" in asked:
        form = grammar.response_format(asked["response_format"], problems)
        if form is not None:
            told["response_format"] = form
            if offered.members:
                problems.add("response_format", "response_format and tools exclude each other on this model's server")
    if (most := _max_tokens(asked, problems)) is not None:
        told["max_tokens"] = most
    n = request.choices(asked, 1, problems)
    with_usage = request.with_usage(asked, problems)
    problems.refuse()
    told |= {"stream": True, "stream_options": {"include_usage": True}}
    return Asked(
        bodies=list(request.several(told, n)),
        per_prompt=n,
        is_streamed=bool(asked.get("stream")),
        with_usage=with_usage,
        stops=tuple(request.stops(asked)),
        echoes=[""] * n,
        logprobs=bool(asked.get("logprobs")),
        required=offered.required,
    )


def _max_tokens(asked: Mapping[str, Any], problems: Problems) -> int | None:
    most: int | None = asked.get("max_completion_tokens", asked.get("max_tokens"))
    if most != asked.get("max_tokens", most):
        sentence = "max_tokens and max_completion_tokens are two names of one thing and differ: give one of them"
        problems.add("max_tokens", sentence)
    return most


def _logprobs(asked: Mapping[str, Any], facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    top = asked.get("top_logprobs")
    if not asked.get("logprobs"):
        if top is not None:
            problems.add("top_logprobs", "top_logprobs is allowed with logprobs only: set `logprobs` to true")
        return {}
    most = facts.get("max_top_n_tokens")
    if top and isinstance(most, int) and top > most:
        problems.add("top_logprobs", f"top_logprobs is {top}, this model gives at most {most} alternatives")
    return {"logprobs": True, "top_logprobs": top} if top else {"logprobs": True}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """One message; TGI reads either its text or its tool calls, the text first, even where it is empty."""
    told: dict[str, Any] = {"role": "system" if message["role"] == "developer" else message["role"]}
    if message.get("name") is not None:
        told["name"] = message["name"]
    content, calls = message.get("content"), message.get("tool_calls")
    if not calls:
        return told | {"content": content}
    calls = [_call(call) for call in calls]
    if not content:
        return told | {"tool_calls": calls}
    shown = "\n" + _as_text(calls)
    if isinstance(content, str):
        return told | {"content": content + shown}
    return told | {"content": [*content, {"type": "text", "text": shown}]}


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _as_text(calls: list[dict[str, Any]]) -> str:
    """The tool calls as TGI shows them to the model where a message has no text."""
    shown = []
    for call in calls:
        function = call["function"]
        told = {"description": None, "name": function["name"], "arguments": _compact(function["arguments"])}
        shown.append({**call, "function": told})
    return _compact(shown)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
