"""Stateful sessions of SageMaker (model_hosting_container_standards 0.1.16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.model_container.openai.answers import plain_response
from local.model_container.openai.errors import bad_request

_HEADER = "X-Amzn-SageMaker-Session-Id"
_LIFETIME = timedelta(seconds=1200)


class Sessions:
    """The open sessions of a container.

    Args:
        enabled: Whether there are any.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._open: set[str] = set()

    def answer(self, http: web.Request, body: Any) -> web.Response | None:
        """The answer to a request that opens or closes a session; None for any other.

        Raises:
            ApiError: There are no sessions, or not this one.
        """
        wanted = body.get("requestType") if isinstance(body, dict) else None
        id_ = http.headers.get(_HEADER)
        if not self._enabled:
            if wanted is not None:
                raise bad_request("Invalid payload. stateful sessions not enabled")
            if id_ is not None:
                raise bad_request(f"Invalid payload. stateful sessions not enabled, {_HEADER} header not supported")
            return None
        if wanted == "NEW_SESSION":
            return self._new()
        if id_ is not None and id_ not in self._open:
            raise bad_request(f"Bad request: session not found: {id_}")
        if wanted == "CLOSE" and id_ is not None:
            self._open.remove(id_)
            return plain_response(f"Session {id_} closed", {"X-Amzn-SageMaker-Closed-Session-Id": id_})
        return None

    def _new(self) -> web.Response:
        id_ = str(uuid4())
        self._open.add(id_)
        expires = f"{datetime.now(UTC) + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}"
        headers = {"X-Amzn-SageMaker-New-Session-Id": f"{id_}; Expires={expires}"}
        return plain_response(f"Session {id_} created", headers)
