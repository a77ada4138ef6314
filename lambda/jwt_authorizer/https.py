"""JSON from the issuer: over TLS that is checked against the system's authorities, without redirections."""

import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

from jwt_authorizer.errors import IssuerError

_TIMEOUT_SECONDS = 3
_MOST_BYTES = 1024 * 1024


def fetch_json(url: str) -> dict[str, Any]:
    """The JSON object at a URL.

    Raises:
        IssuerError: There is none, or the URL is not one of https.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise IssuerError("the issuer gave no URL") from None
    if parts.scheme != "https" or not host:
        raise IssuerError("the issuer gave a URL that is not https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise IssuerError(f"{host} answered {answer.status}")
        found = json.loads(answer.read(_MOST_BYTES))
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise IssuerError(f"{host}: {type(error).__name__}") from error
    finally:
        connection.close()
    if not isinstance(found, dict):
        raise IssuerError(f"{host} answered with something that is no JSON object")
    return found
