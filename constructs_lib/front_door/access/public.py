"""No access control, which must be requested explicitly."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from constructs_lib.front_door.access.base import AccessBinding, AccessMethod
from constructs_lib.planning.validation.problem import PlanWarning

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection


class PublicAccess(AccessMethod):
    """Anybody may call."""

    display_name: ClassVar[str] = "Access.public()"

    @property
    def warning(self) -> PlanWarning:
        """Anybody who finds the URL can use the GPU."""
        return PlanWarning(
            "tgi-endpoint:publicAccess",
            "Anybody who knows the URL of this front door may send requests, limited only by its rate_limit for all"
            " callers together, and the log shows no consumer. Prefer Access.api_keys(), .jwt(…) or .iam(), or set"
            " web_acl or vpc_endpoints.",
        )

    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Creates no resources."""
        return AccessBinding(schemes={})
