"""Names in a request that are not OpenAI's: the settings of client libraries, and TGI's parameters."""

from collections.abc import Mapping
from typing import Any

from front_door.generation.request import Problems
from front_door.protocols.tgi.schema import PARAMETERS

# What libraries put into the body although it is for themselves or for what records their calls. litellm 1.110.2 passes
# on every keyword that it does not know, and to Hugging Face max_retries too; so does dspy 3.4.1, which calls it.
CLIENT_SETTINGS = frozenset(
    (
        *("max_retries", "num_retries", "retry_strategy", "timeout", "request_timeout", "stream_timeout"),
        *("cache", "caching", "use_cache", "cache_in_memory", "rollout_id", "wait_for_model"),
        *("headers", "extra_headers", "drop_params", "additional_drop_params", "allowed_openai_params"),
        *("session_id", "trace_id", "trace_name", "trace_user_id", "generation_name", "tags", "callbacks"),
        *("api_type", "api_version"),
    )
)
# TGI's parameters, and the values of each that are the default of OpenAI's routes.
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "best_of": (1,),
    "repetition_penalty": (1,),
    "top_k": (0, -1),
    "typical_p": (1,),
    "return_full_text": (False,),
    "watermark": (False,),
    "details": (False, True),
    "decoder_input_details": (False,),
    "top_n_tokens": (0,),
}
# With these a completion is sent to TGI as its own request.
_CHANGING = ("top_k", "typical_p", "truncate", "watermark", "grammar", "adapter_id")
_INSTEAD = {"max_new_tokens": "max_tokens", "top_n_tokens": "logprobs", "decoder_input_details": "echo` and `logprobs"}
_INSTEAD_IN_CHAT = {"max_new_tokens": "max_tokens", "top_n_tokens": "top_logprobs", "grammar": "response_format"}
_INSTEAD_ELSEWHERE = {
    "max_new_tokens": "max_tokens",
    "top_n_tokens": "top_logprobs",
    "grammar": "response_format",
    "adapter_id": "model",
}
_GREEDY = "do_sample is false, which takes the likeliest token, but {other} is set: leave one of them out"


def read_others(others: Mapping[str, Any], valid: dict[str, Any], problems: Problems, *, is_chat: bool) -> list[str]:
    """Read the members of a request that are not OpenAI's.

    Args:
        others: The members.
        valid: The valid members of OpenAI's; receives what TGI's parameters mean, and those that OpenAI has no name
            for as `tgi_parameters`.
        problems: Receives those that would change the response and cannot be honoured.
        is_chat: Whether it is a chat; TGI reads fewer parameters there.

    Returns:
        The names that nobody knows.
    """
    unknown = []
    for name, value in others.items():
        if name in CLIENT_SETTINGS:
            continue
        if name not in PARAMETERS:
            unknown.append(name)
        elif found := PARAMETERS[name].type(value, name):
            for path, problem in found:
                problems.add(path, f"{path}: {problem}")
        elif name == "do_sample":
            _read_do_sample(value, valid, problems)
        elif value not in _NEUTRAL.get(name, ()):
            _read_changing(name, value, valid, problems, is_chat=is_chat)
    return unknown


def _read_do_sample(samples: bool, valid: dict[str, Any], problems: Problems) -> None:
    """OpenAI's routes sample unless `temperature` is 0."""
    if samples and valid.get("temperature") == 0:
        problems.add("do_sample", "do_sample is true, but temperature is 0: raise it or leave one of them out")
    elif not samples:
        for other in ("temperature", "top_p"):
            if valid.get(other) not in (None, 0, 1 if other == "top_p" else 0):
                problems.add("do_sample", _GREEDY.format(other=other))
        valid["temperature"] = 0


def _read_changing(name: str, value: Any, valid: dict[str, Any], problems: Problems, *, is_chat: bool) -> None:
    if not is_chat and name == "return_full_text":
        if valid.get("echo") is False:
            problems.add(name, "return_full_text is true and means echo, which is false: set one of them")
        valid["echo"] = True
    elif not is_chat and name in _CHANGING:
        valid.setdefault("tgi_parameters", {})[name] = value
    elif instead := (_INSTEAD_IN_CHAT if is_chat else _INSTEAD).get(name):
        problems.add(name, f"{name} is not supported on this route: use `{instead}`")
    else:
        problems.add(name, f"{name} is not supported by chat completions: leave it out, or use `POST /generate`")


def read_foreign(name: str, value: Any, valid: dict[str, Any], problems: Problems, *, is_chat: bool) -> bool:
    """Read one of TGI's parameters in a request for another server.

    Args:
        name: Its name.
        value: Its value.
        valid: The valid members of the request; receives what it means for them.
        problems: Receives what would change the response and cannot be honoured.
        is_chat: Whether it is a chat.

    Returns:
        Whether TGI has such a parameter.
    """
    if name not in PARAMETERS:
        return False
    for path, problem in (found := PARAMETERS[name].type(value, name)):
        problems.add(path, f"{path}: {problem}")
    if found or value in _NEUTRAL.get(name, ()):
        pass
    elif name == "do_sample":
        _read_do_sample(value, valid, problems)
    elif name == "return_full_text" and not is_chat:
        valid["echo"] = True
    elif instead := _INSTEAD_ELSEWHERE.get(name):
        problems.add(name, f"{name} is not supported on this route: use `{instead}`")
    else:
        problems.add(name, f"{name} is TGI's own parameter, which this model's server does not have: leave it out")
    return True
