"""Checks that a chat and a completion have in common, and the model that they are for."""

from collections.abc import Mapping
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.generation.request import Problems, some_of
from front_door.http.json_schema import Field, any_of

MAX_CHOICES = 8
"""How many choices one request may have: each is a request of its own to the model."""

# What clients send that know a URL alone: huggingface_hub "tgi", since 0.30 "dummy"
# (inference/_providers/hf_inference.py); @huggingface/inference 4 sends the URL itself.
_NO_NAMES = ("tgi", "dummy")
_BY_PATH = " A client that sends no name is given the URL of a model: /models/<name>/v1."

# They change nothing in the response: who the user is, and what OpenAI stores or caches.
IGNORED = frozenset(
    (
        "user",
        "metadata",
        "store",
        "parallel_tool_calls",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
    )
)
# Accepted with the values that describe what happens anyway.
FIXED_VALUES: dict[str, tuple[object, ...]] = {
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "modalities": (["text"],),
}
UNSUPPORTED = {
    "audio": "the answer is text",
    "functions": "use `tools`",
    "function_call": "use `tool_choice`",
    "moderation": "nothing is moderated here",
    "prediction": "leave it out",
    "reasoning_effort": "leave it out",
    "web_search_options": "nothing is searched here",
}


def validate(
    body: Mapping[str, Any], fields: Mapping[str, Field], problems: Problems, *, strict: bool = True
) -> dict[str, Any]:
    """The members of a body that its route knows and that have the right type.

    Args:
        body: The request. A null means the default.
        fields: The members that its route knows.
        problems: Receives what is wrong with the others.
        strict: Whether an unknown name is a problem; otherwise it is ignored, as TGI does.
    """
    valid = {}
    for name, field in fields.items():
        if name not in body and field.is_required:
            problems.add(name, f"{name}: missing field `{name}`{field.hint}")
        elif body.get(name) is not None or field.is_required:
            found = field.type(body[name], name)
            for path, problem in found:
                problems.add(path, f"{path}: {problem}")
            if not found:
                valid[name] = body[name]
    others = {name: value for name, value in body.items() if value is not None and name not in fields}
    others = {name: value for name, value in others.items() if not is_known_name(name, value, problems)}
    if others and strict:
        from front_door.protocols.openai.other_names import read_others

        if unknown := [name[:100] for name in read_others(others, valid, problems, is_chat="messages" in fields)]:
            arguments = "argument" if len(unknown) == 1 else "arguments"
            problems.add(unknown[0], f"Unrecognized request {arguments} supplied: {some_of(unknown)}")
    return valid


def is_known_name(name: str, value: object, problems: Problems) -> bool:
    """Whether OpenAI knows the name; a value that would change the response is a problem."""
    if name in UNSUPPORTED:
        problems.add(name, f"{name} is not supported: {UNSUPPORTED[name]}")
    elif name in FIXED_VALUES and value not in FIXED_VALUES[name]:
        problems.add(name, f"{name} is supported as {any_of(map(_as_text, FIXED_VALUES[name]))} only")
    return name in IGNORED or name in FIXED_VALUES or name in UNSUPPORTED


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else str(value).replace("'", '"')


def common_members(valid: Mapping[str, Any], prompts: int, problems: Problems) -> dict[str, Any]:
    """The members of a `GenerationRequest` that a chat and a completion have in common.

    Args:
        valid: The valid members of the body.
        prompts: The number of prompts.
        problems: Receives contradictions.
    """
    n = valid.get("n", 1)
    if n * prompts > MAX_CHOICES:
        which = f"n ({n}) times the number of prompts ({prompts})" if prompts > 1 else f"n ({n})"
        problems.add("n", f"{which} is more than the {MAX_CHOICES} choices that one request may have")
    options = valid.get("stream_options")
    if options is not None and not valid.get("stream"):
        problems.add(
            "stream_options", "stream_options is allowed with stream only: set `stream` to true or leave it out"
        )
    stop = valid.get("stop", [])
    same = ("seed", "temperature", "top_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias")
    return {
        **{name: valid[name] for name in same if name in valid},
        "n": min(n, MAX_CHOICES),
        "stop_sequences": (stop,) if isinstance(stop, str) else tuple(dict.fromkeys(stop)),
        "stream": bool(valid.get("stream")),
        "include_usage": bool((options or {}).get("include_usage")),
    }


def model_of(ctx: RequestContext, body: Mapping[str, Any]) -> Model:
    """The model that the path names, else the body's `model`; the path of a model makes `model` mean nothing.

    Where one model is served, no name, and what clients send in place of one, mean that model. Where there are several,
    only their names and hub ids do.

    Raises:
        ApiError: There is no such model, or none was named and there is more than one; or the caller may not call it.
    """
    if ctx.variables:
        return ctx.model_of_path()
    name = body.get("model")
    if name is not None and not isinstance(name, str):
        raise ApiError("bad_request", "model must be a string", param="model")
    is_no_name = not name or name in _NO_NAMES or name.startswith(("http://", "https://"))
    if is_no_name and (only := ctx.only_model()) is not None:
        return ctx.target_of(only)
    if not name:
        names = ", ".join(f"`{known.name}`" for known in ctx.models())
        raise ApiError("bad_request", f"you must provide a model parameter: one of {names}", param="model")
    return ctx.model(name, _BY_PATH if is_no_name else "")
