"""AWS_IAM authorization: verifies the signature of a request.

Every correctly signed request is allowed, as the emulated cloud enforces no policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.apigateway.responses import GatewayError
from local.apigateway.sigv4 import SignatureError, SignedRequest, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.apigateway.api import RestApi

SERVICE = "execute-api"


def identify(request: SignedRequest, api: RestApi, secrets: Mapping[str, str]) -> dict[str, str]:
    """The `$context.identity` of a signed request: an IAM user named like the access key.

    Raises:
        GatewayError: MISSING_AUTHENTICATION_TOKEN without a signature, INVALID_SIGNATURE with an invalid one.
    """
    try:
        signer = verify(request, SERVICE, secrets)
    except SignatureError as error:
        missing = error.code == "MissingAuthenticationTokenException"
        kind = "MISSING_AUTHENTICATION_TOKEN" if missing else "INVALID_SIGNATURE"
        raise GatewayError(kind, error.message, error_type=error.code) from error
    if signer.region != api.region:
        message = f"Credential should be scoped to a valid region, not '{signer.region}'. "
        raise GatewayError("INVALID_SIGNATURE", message)
    user_id = f"AIDA{signer.access_key.upper()}"
    return {
        "accessKey": signer.access_key,
        "accountId": api.account,
        "caller": user_id,
        "user": user_id,
        "userArn": f"arn:{api.partition}:iam::{api.account}:user/{signer.access_key}",
    }
