"""Lets API Gateway check a Bearer token as an API key.

OpenAI and Hugging Face clients send `Authorization: Bearer …`; with `apiKeySource: AUTHORIZER`, API Gateway reads the
key from an authorizer's response. This function returns the token as the key, and API Gateway rejects unknown keys and
meters the others against their usage plans. Nothing is compared, stored or logged here.

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
    """Respond to a TOKEN authorizer's event with an IAM policy and the API key.

    Args:
        event: Contains `authorizationToken` and `methodArn`.
        context: Lambda's context; not used.

    Raises:
        PermissionError: The header is not a Bearer token. API Gateway responds with 401 to the message "Unauthorized".
    """
    match = _BEARER.fullmatch(event.get("authorizationToken") or "")
    if match is None:
        raise PermissionError("Unauthorized")
    token = match[1]
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
