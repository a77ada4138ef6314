"""No access control, asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from constructs_lib.front_door.access import Access, AccessBinding
from constructs_lib.planning.validation.problem import PlanWarning

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from constructs import Construct


class PublicAccess(Access):
    """Anybody may call."""

    words: ClassVar[str] = "Access.public()"

    @property
    def warning(self) -> PlanWarning:
        """Whoever finds the URL spends the GPU's time."""
        return PlanWarning(
            "tgi-endpoint:publicAccess",
            "Anybody who knows the URL of this front door may send requests, all together up to its rate_limit, and the"
            " log names no consumer. Prefer Access.api_keys(), .jwt(…) or .iam(), or put a web_acl or vpc_endpoints"
            " before it.",
        )

    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding:
        """It needs nothing."""
        return AccessBinding(schemes={})
