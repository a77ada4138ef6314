"""Lets API Gateway check what a client sends as its key as an API key.

OpenAI and Hugging Face clients send `Authorization: Bearer …`; with `apiKeySource: AUTHORIZER`, API Gateway reads the
key from an authorizer's response. This function returns the token as the key, and API Gateway rejects unknown keys and
meters the others against their usage plans. Nothing is compared, stored or logged here. Anthropic's clients send the
key in `x-api-key` or as the token: on their routes the authorizer is one of the type REQUEST, which gets both headers.

A token that has not the form of an API key is passed on as its SHA-256, which is no key of anybody: so API Gateway
answers it like every other unknown key. Whether it accepts text of any form as a key is not documented.
"""

import hashlib
import re
from typing import Any

_BEARER = re.compile(r"[Bb]earer +([^ ].*)")
# Generated keys of API Gateway have 40 characters, imported ones 20 to 128.
_KEY = re.compile(r"[-A-Za-z0-9._~+/]{20,128}=*")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Respond to an authorizer's event with an IAM policy and the API key.

    Args:
        event: Contains `methodArn`, and `authorizationToken` or the `headers` of the request.
        context: Lambda's context; not used.

    Raises:
        PermissionError: There is no key. API Gateway responds with 401 to the message "Unauthorized".
    """
    token = _token(event)
    if not token:
        raise PermissionError("Unauthorized")
    digest = hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
    # arn:aws:execute-api:region:account:api/stage/METHOD/path: allow the stage, since API Gateway caches the policy
    # for every method and path.
    api, stage = event["methodArn"].split("/", 2)[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    return {
        "principalId": digest[:16],
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "usageIdentifierKey": token if _KEY.fullmatch(token) else digest,
    }


def _token(event: dict[str, Any]) -> str | None:
    """The Bearer token, which is the key on every route; else, on routes whose authorizer gets headers, `x-api-key`."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    match = _BEARER.fullmatch(event.get("authorizationToken") or headers.get("authorization") or "")
    return match[1] if match else headers.get("x-api-key")
