"""Lets bearers of an OpenID Connect provider's tokens call the API.

Its whole setting is the environment: `ISSUER`, and `AUDIENCE` as a JSON array. Tokens and claims are never logged, only
why a token was refused.
"""

import json
import os
import sys
import time
from typing import Any

from jwt_authorizer.claims import check_claims, subject
from jwt_authorizer.errors import TokenError
from jwt_authorizer.jwks import KeySet
from jwt_authorizer.rsa import verify
from jwt_authorizer.token import read_token

_key_sets: dict[str, KeySet] = {}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer a TOKEN authorizer's event.

    Args:
        event: `authorizationToken` and `methodArn`.
        context: Lambda's context; not used.

    Raises:
        PermissionError: The token does not let its bearer in. API Gateway answers 401 for the word "Unauthorized".
        IssuerError: The provider's keys could not be fetched. API Gateway answers 500.
    """
    try:
        bearer = _bearer(event.get("authorizationToken") or "")
    except TokenError as refused:
        sys.stdout.write(json.dumps({"level": "INFO", "message": "token refused", "reason": refused.reason}) + "\n")
        raise PermissionError("Unauthorized") from None
    # arn:aws:execute-api:region:account:api/stage/METHOD/path: one cached answer serves the whole stage.
    api, stage = event["methodArn"].split("/", 2)[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    return {"principalId": bearer, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def _bearer(header: str) -> str:
    """Whose valid token the header carries.

    Raises:
        TokenError: It carries none.
    """
    issuer, audience = os.environ["ISSUER"], frozenset(json.loads(os.environ["AUDIENCE"]))
    token = read_token(header)
    key = _keys(issuer).key(token.key_id, token.algorithm)
    verify(key, token)
    check_claims(token.claims, issuer=issuer, audience=audience, now=time.time())
    return subject(token.claims)


def _keys(issuer: str) -> KeySet:
    """The issuer's keys, kept for as long as Lambda keeps this process."""
    if issuer not in _key_sets:
        _key_sets[issuer] = KeySet(issuer)
    return _key_sets[issuer]
