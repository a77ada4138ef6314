"""Lets API Gateway check a Bearer token as an API key.

OpenAI and Hugging Face clients send `Authorization: Bearer …`; API Gateway takes keys from an authorizer's answer
(`apiKeySource: AUTHORIZER`). So this function passes the token on as the key, and API Gateway itself refuses a key that
it does not know and counts the others against their usage plans. Nothing is compared, stored or logged here.
"""

import hashlib
import re
from typing import Any

_BEARER = re.compile(r"[Bb]earer ([-A-Za-z0-9._~+/]{20,128}=*)")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a TOKEN authorizer's event.

    Args:
        event: `authorizationToken` and `methodArn`.
        context: Lambda's context; not used.

    Raises:
        PermissionError: The header is no Bearer token. API Gateway answers 401 for the word "Unauthorized".
    """
    match = _BEARER.fullmatch(event.get("authorizationToken") or "")
    if match is None:
        raise PermissionError("Unauthorized")
    key = match[1]
    # arn:aws:execute-api:region:account:api/stage/METHOD/path: one cached answer serves the whole stage.
    api, stage = event["methodArn"].split("/", 2)[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": hashlib.sha256(key.encode()).hexdigest()[:16],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "usageIdentifierKey": key,
    }
