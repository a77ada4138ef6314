"""AWS credentials as access method."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from constructs_lib.front_door.access.base import AccessBinding, AccessMethod
from constructs_lib.front_door.gateway_responses import GatewayResponse

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection

_HINT = "Sign it with AWS Signature Version 4 for the service execute-api."

_RESPONSES = (
    GatewayResponse("MISSING_AUTHENTICATION_TOKEN", 401, "missing_signature", f"The request is not signed. {_HINT}"),
    GatewayResponse(
        "INVALID_SIGNATURE", 403, "invalid_signature", f"The signature does not match the request. {_HINT}"
    ),
    GatewayResponse("EXPIRED_TOKEN", 403, "expired_token", "The credentials that signed the request have expired."),
    GatewayResponse(
        "ACCESS_DENIED", 403, "access_denied", "The caller lacks the permission execute-api:Invoke on this route."
    ),
)


class IamAccess(AccessMethod):
    """Each request is signed, and IAM decides."""

    display_name: ClassVar[str] = "Access.iam()"
    uses_iam: ClassVar[bool] = True
    denies_unlisted_callers: ClassVar[bool] = True

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Creates no resources."""
        signature = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
        return AccessBinding(schemes={"SigV4": signature}, responses=_RESPONSES)
