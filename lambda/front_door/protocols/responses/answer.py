"""The response around the items of its output."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from front_door.errors import ApiError
from front_door.http.json import compact, not_writable

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Answer:
    """The response object.

    Args:
        response_id: Its id without the prefix.
        model: The model's name.
        settings: How it was made; see `request.ResponseRequest`.

    Raises:
        ApiError: Python could decode the client's settings, and they cannot be written as JSON.
    """

    def __init__(self, response_id: str, model: str, settings: Mapping[str, Any]) -> None:
        self.id = response_id
        head = {"id": f"resp_{response_id}", "object": "response", "created_at": int(time.time()), "model": model}
        try:
            self._head = compact({**head, **settings})[:-1]
        except (ValueError, RecursionError) as error:
            raise not_writable(error) from None

    def as_json(
        self,
        status: str,
        output: Iterable[bytes] = (),
        *,
        reason: str | None = None,
        usage: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The response.

        Args:
            status: Its status.
            output: Its items.
            reason: Why it is incomplete.
            usage: The token counts of a chat; None or empty if they are unknown.
            error: The error that it has failed with.
        """
        members = {
            "status": status,
            "completed_at": int(time.time()) if status == "completed" else None,
            "error": error,
            "incomplete_details": None if reason is None else {"reason": reason},
            "usage": _usage(usage) if usage else None,
        }
        return b'%b,%b,"output":[%b]}' % (self._head, compact(members)[1:-1], b",".join(output))


def incomplete_reason(finish_reason: str | None) -> str | None:
    """Why a response is incomplete, from a chat's reason; None if it is complete."""
    return None if finish_reason is None else _REASONS.get(finish_reason)


def response_error(error: ApiError) -> dict[str, Any]:
    """The error of a response that has failed."""
    kind = "rate_limit_exceeded" if error.status == 429 else "server_error" if error.status >= 500 else "invalid_prompt"
    return {"code": error.code or kind, "message": error.message}


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The token counts of a chat by their names in a response."""
    prompt, generated = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": generated,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt + generated,
    }
