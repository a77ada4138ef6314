"""A container's event in OpenAI's form, held to the types of everything that is read of it."""

from typing import Any, NamedTuple

from front_door.http.sse import object_of


class _Needed(NamedTuple):
    """A member that must be there, and its form; the others may be missing or null."""

    form: Any


_TOKEN = {"token": _Needed(str), "logprob": (int, float)}
_MESSAGE = {"content": str, "tool_calls": [{"function": _Needed({"name": str, "arguments": str})}]}
_CHOICE = {
    "finish_reason": str,
    "text": str,
    "delta": _MESSAGE,
    "message": _MESSAGE,
    "logprobs": {"content": [{**_TOKEN, "top_logprobs": [_TOKEN]}]},
}
_EVENT = {
    "usage": {"prompt_tokens": _Needed(int), "completion_tokens": _Needed(int)},
    "system_fingerprint": str,
    "choices": [_CHOICE],
}


def event_of(data: bytes) -> dict[str, Any] | None:
    """The event in some data; None where it is none. One with an `error` may have any form."""
    event = object_of(data)
    return event if event is not None and ("error" in event or _fits(event, _EVENT)) else None


def _fits(value: Any, form: Any) -> bool:
    if isinstance(form, dict):
        return isinstance(value, dict) and all(_has(value, name, inner) for name, inner in form.items())
    if isinstance(form, list):
        return isinstance(value, list) and all(_fits(item, form[0]) for item in value)
    return isinstance(value, form) and not isinstance(value, bool)


def _has(value: dict[str, Any], name: str, form: Any) -> bool:
    member = value.get(name)
    if isinstance(form, _Needed):
        return member is not None and _fits(member, form.form)
    return member is None or _fits(member, form)
