"""The playground: a page to try the models, which `GET /` shows to browsers."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from front_door.context import RequestContext
from front_door.http.response import Response

PAGE = Path(__file__).with_name("playground.html").read_bytes()


def _hashes(tag: bytes) -> str:
    parts = re.findall(rb"<%b>(.*?)</%b>" % (tag, tag), PAGE, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(part).digest()).decode()}'" for part in parts)


# Only the page's own script and style run, by their hashes; it connects only to the API that it came from.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hashes(b'script')}",
        f"style-src {_hashes(b'style')}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Other clients get the health from the same URL.
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}


def page(ctx: RequestContext) -> Response:
    """The page. It contains nothing about this front door; it gets everything with the API key of its user."""
    del ctx
    return Response(200, dict(_HEADERS), [PAGE])
