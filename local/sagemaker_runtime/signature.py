"""Signature Version 4, from the side of the service."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from aiohttp import web

from local.sagemaker_runtime.errors import ServiceError

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/"
    r"aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_TOLERANCE = timedelta(minutes=5)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def verify(request: web.Request, body: bytes, secrets: Mapping[str, str]) -> str:
    """Check that a request is signed for SageMaker, and with which secret when that is known.

    Args:
        request: the request.
        body: its body.
        secrets: the secret of each access key; when empty, every key is taken and only the form is checked.

    Returns:
        The Region of the signature.

    Raises:
        ServiceError: 403, as AWS names it.
    """
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise _refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None or "host" not in match["headers"].split(";"):
        raise _refused(
            "IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders', 'Signature'."
        )
    _check_date(request.headers.get("x-amz-date", ""), match["date"])
    if match["service"] != "sagemaker":
        raise _refused("InvalidSignatureException", "Credential should be scoped to correct service: 'sagemaker'. ")
    if secrets:
        secret = secrets.get(match["key"])
        if secret is None:
            raise _refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        if not hmac.compare_digest(_signature(request, body, secret, match), match["signature"]):
            raise _refused("InvalidSignatureException", _MISMATCH)
    return match["region"]


def _refused(code: str, message: str) -> ServiceError:
    return ServiceError(code, 403, Message=message)


def _check_date(text: str, day: str) -> None:
    try:
        signed = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _refused("IncompleteSignatureException", "Date in 'X-Amz-Date' header is missing or invalid.") from None
    if not text.startswith(day):
        raise _refused("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601.")
    now = datetime.now(UTC)
    if abs(now - signed) > _TOLERANCE:
        raise _refused("InvalidSignatureException", f"Signature expired: {text} is too far from {now:%Y%m%dT%H%M%SZ}.")


def _signature(request: web.Request, body: bytes, secret: str, match: re.Match[str]) -> str:
    names = match["headers"].split(";")
    values = [" ".join(",".join(request.headers.getall(name, [])).split()) for name in names]
    query = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(request.rel_url.raw_query_string)
    )
    canonical = "\n".join(
        [
            request.method,
            quote(request.rel_url.raw_path, safe="/-_.~"),
            "&".join(f"{k}={v}" for k, v in query),
            *(f"{name}:{value}" for name, value in zip(names, values, strict=True)),
            "",
            match["headers"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for piece in scope.split("/"):
        key = hmac.digest(key, piece.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
