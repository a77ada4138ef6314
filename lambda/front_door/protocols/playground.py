"""The playground: a page to try the models, which `GET /` shows to browsers. Its file comes with a Lambda layer."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from front_door.http.response import Response

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Other clients get the health from the same URL.
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


def content_security_policy(html: bytes) -> str:
    """What the page may do: run its own scripts and styles, named by their hashes, and call the API that served it.

    It cannot turn a string into HTML or code (Trusted Types), whatever a model writes.
    """
    directives = (
        "default-src 'none'",
        f"script-src {_hashes(b'script', html)}",
        f"style-src {_hashes(b'style', html)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(directives)


def page(path: str) -> Response:
    """The page. It contains nothing about this front door; it gets everything with the API key of its user."""
    html = Path(path).read_bytes()
    return Response(200, {**_HEADERS, "Content-Security-Policy": content_security_policy(html)}, [html])


def _hashes(tag: bytes, html: bytes) -> str:
    parts = re.findall(rb"<%b\b[^>]*>(.*?)</%b>" % (tag, tag), html, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(part).digest()).decode()}'" for part in parts)
