"""Verifies AWS Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/"
    r"aws4_request, *SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_TOLERANCE = timedelta(minutes=5)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class SignatureError(Exception):
    """A missing or invalid signature.

    Args:
        code: AWS's error code.
        message: AWS's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The signed parts of a request.

    Args:
        method: The HTTP method.
        path: The path as sent, percent-encoded.
        query: The query string as sent.
        headers: The headers, with bytes that are not UTF-8 as surrogates.
        body: The body.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for header, value in self.headers if header.lower() == name]


@dataclass(frozen=True, slots=True)
class Signer:
    """The access key id and Region of a signature."""

    access_key: str
    region: str


def verify(request: SignedRequest, service: str, secrets: Mapping[str, str]) -> Signer:
    """Verifies that a request is signed for a service.

    Args:
        request: The request.
        service: The service in the credential scope, for example `sagemaker`.
        secrets: The secret access keys by access key id. If empty, any key is accepted and only the format is checked.

    Raises:
        SignatureError: The signature is missing or invalid.
    """
    authorization = next(iter(request.values("authorization")), None)
    if authorization is None:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None or "host" not in match["headers"].split(";"):
        raise SignatureError(
            "IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders', 'Signature'."
        )
    date = next(iter(request.values("x-amz-date")), "")
    _check_date(date, match["date"])
    if match["service"] != service:
        raise SignatureError(
            "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'. "
        )
    if secrets:
        secret = secrets.get(match["key"])
        if secret is None:
            raise SignatureError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        if not hmac.compare_digest(_signature(request, date, secret, match), match["signature"]):
            raise SignatureError("InvalidSignatureException", _MISMATCH)
    return Signer(match["key"], match["region"])


def _check_date(text: str, day: str) -> None:
    try:
        signed = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError(
            "IncompleteSignatureException", "Date in 'X-Amz-Date' header is missing or invalid."
        ) from None
    if not text.startswith(day):
        raise SignatureError(
            "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601."
        )
    now = datetime.now(UTC)
    if abs(now - signed) > _TOLERANCE:
        raise SignatureError(
            "InvalidSignatureException", f"Signature expired: {text} is too far from {now:%Y%m%dT%H%M%SZ}."
        )


def _signature(request: SignedRequest, date: str, secret: str, match: re.Match[str]) -> str:
    names = match["headers"].split(";")
    values = [" ".join(",".join(request.values(name)).split()) for name in names]
    query = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(request.query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            request.method,
            quote(request.path, safe="/-_.~"),
            "&".join(f"{k}={v}" for k, v in query),
            *(f"{name}:{value}" for name, value in zip(names, values, strict=True)),
            "",
            match["headers"],
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{match['date']}/{match['region']}/{match['service']}/aws4_request"
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for piece in scope.split("/"):
        key = hmac.digest(key, piece.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
