"""What a caller is told who may not call a model, or has used what it may use."""

from collections.abc import Iterable
from math import ceil
from time import gmtime, strftime

from front_door.callers import Caller, Callers
from front_door.errors import ApiError
from front_door.limits.ledger import STREAMS, Refusal

STREAM_RETRY_SECONDS = 5
"""Most streams end long before their place expires."""

_LONGEST_RETRY_SECONDS = 60
"""OpenAI's clients wait no longer than that, and repeat a request sooner if they are told a longer time."""


def forbidden(caller: Caller, model: str, callers: Callers, known: Iterable[str]) -> ApiError:
    """The error for a model that the caller may not call.

    Args:
        caller: The caller.
        model: The name of the model.
        callers: Which scopes allow it.
        known: The names of all models.
    """
    names = ", ".join(f"`{name}`" for name in known if caller.may_call(name)) or "none"
    scopes = " or ".join(f"`{scope}`" for scope, models in callers.scopes.items() if model in models)
    needed = f" A token for it has the scope {scopes}." if scopes else ""
    message = f"You may not call the model `{model}`; you may call {names}.{needed}"
    return ApiError("access_denied", message, param="model", log_detail="model")


def too_many_tokens(caller: Caller, limit: str, tokens: int) -> ApiError:
    """The error for a request that takes more than a limit allows at all: waiting does not help."""
    message = f"{_taken(caller, tokens)} {caller.limits[limit]} for a {_unit(limit)}: lower max_tokens or the prompt."
    return _error(limit, message)


def no_room(caller: Caller, refusal: Refusal, tokens: int, now: float) -> ApiError:
    """The error for a request that has to wait.

    Args:
        caller: The caller.
        refusal: The limit, and until when there is no room.
        tokens: How many tokens the request takes.
        now: The time in seconds since the epoch.
    """
    limit, until = refusal
    most, seconds = caller.limits[limit], max(1, ceil(until - now))
    if limit == STREAMS:
        message = f"`{caller.name}` may have {most} requests at once, and has them. Try again when one has ended."
        return _error(limit, message, min(seconds, STREAM_RETRY_SECONDS))
    end = strftime("%Y-%m-%d %H:%M", gmtime(until))
    message = f"{_taken(caller, tokens)} fewer left of the {most} for this {_unit(limit)}, which ends at {end} UTC."
    return _error(limit, message, seconds)


def unknown(cause: str) -> ApiError:
    """The error for a request of which it is not known whether there is room for it."""
    message = "Whether you have tokens left cannot be checked right now. Try again in a moment."
    return ApiError("limits_unavailable", message, log_detail=cause)


def _taken(caller: Caller, tokens: int) -> str:
    return (
        f"The request takes {tokens} tokens (max_tokens for each text, and one for each 3 bytes of the prompt), and"
        f" `{caller.name}` has"
    )


def _error(limit: str, message: str, seconds: int | None = None) -> ApiError:
    kind = "insufficient_quota" if _unit(limit) in ("day", "month") else "rate_limit_exceeded"
    headers = {} if seconds and seconds <= _LONGEST_RETRY_SECONDS else {"x-should-retry": "false"}
    return ApiError(kind, message, headers=headers, retry_after=seconds, log_detail=limit)


def _unit(limit: str) -> str:
    return limit.rpartition("_")[2]
