"""A WSGI application that replaces API Gateway: it turns each request into an event for the front door."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from front_door.app import App


class WsgiGateway:
    """Calls the front door's application.

    Args:
        app: The application.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Respond to one request."""
        context: Any = SimpleNamespace(request_id="lambda-id", deadline=time.time() + 30)
        response = self._app.handle(_event(environ), context)
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(status, list(response.headers.items()))
        return response.body


def _event(environ: dict[str, Any]) -> dict[str, Any]:
    # WSGI passes all headers as HTTP_*, except for CONTENT_TYPE and CONTENT_LENGTH.
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["CONTENT-TYPE"] = environ["CONTENT_TYPE"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return {
        "httpMethod": environ["REQUEST_METHOD"],
        "path": environ["REQUEST_URI"].partition("?")[0],
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id"}},
    }
