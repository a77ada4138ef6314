"""Lets callers with a valid token of an OpenID Connect provider call the API.

Configured by environment variables: `ISSUER`, `AUDIENCE` as a JSON array, and `JWKS_FILE` if the issuer's keys are in a
file. Neither tokens nor claims are ever
logged, only the reason why a token was rejected.
"""

import json
import os
import sys
import time
from typing import Any

from jwt_authorizer.claims import check_claims, principal_of, scopes_of
from jwt_authorizer.jwks import KeySet, StoredKeySet
from jwt_authorizer.token import TokenError, read_token, verify_signature

key_sets: dict[str, KeySet | StoredKeySet] = {}
"""The keys by issuer, kept as long as Lambda keeps this process."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Respond to a TOKEN authorizer's event with an IAM policy, and the token's scopes for the front door.

    Args:
        event: Contains `authorizationToken` and `methodArn`.
        context: Lambda's context; not used.

    Raises:
        PermissionError: The token is not valid. API Gateway responds with 401 to the message "Unauthorized".
        IssuerError: The issuer's keys could not be fetched. API Gateway responds with 500.
    """
    try:
        claims = _authenticate(event.get("authorizationToken") or "")
        principal = principal_of(claims)
    except TokenError as error:
        line = {"level": "INFO", "message": "token rejected", "reason": error.reason}
        sys.stdout.write(json.dumps(line) + "\n")
        raise PermissionError("Unauthorized") from None
    # arn:aws:execute-api:region:account:api/stage/METHOD/path: allow the stage, since API Gateway caches the policy
    # for every method and path.
    api, stage = event["methodArn"].split("/", 2)[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
    scopes = scopes_of(claims)
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        **({"context": {"scopes": scopes}} if scopes else {}),
    }


def _authenticate(header: str) -> dict[str, Any]:
    """Validate the token in the `Authorization` header and return its claims.

    Raises:
        TokenError: The header has no valid token.
    """
    issuer, audience = os.environ["ISSUER"], frozenset(json.loads(os.environ["AUDIENCE"]))
    token = read_token(header)
    if issuer not in key_sets:
        path = os.environ.get("JWKS_FILE")
        key_sets[issuer] = StoredKeySet(path) if path else KeySet(issuer)
    verify_signature(token, key_sets[issuer].key(token.key_id, token.algorithm))
    check_claims(token.claims, issuer=issuer, audience=audience, now=time.time())
    return token.claims
