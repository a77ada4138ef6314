"""What every access method offers to a front door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection
    from constructs_lib.front_door.gateway_responses import GatewayResponse
    from constructs_lib.planning.validation.problem import PlanWarning, Problem


@dataclass(frozen=True, kw_only=True)
class AccessBinding:
    """What one API gets from its access method.

    Args:
        schemes: Security schemes by name, as `components.securitySchemes` of the API definition takes them; a request
            must satisfy all of them. Empty: anybody may call.
        responses: Gateway responses to callers who are denied. Default: none.
        authorizer_arn: ARN of the Lambda authorizer. Default: none.
        key_source: API Gateway's source of API keys. Default: the API uses none.
        anthropic_schemes: The schemes of the routes of Anthropic's clients, likewise. Default: `schemes`.
    """

    schemes: Mapping[str, Mapping[str, Any]]
    responses: tuple[GatewayResponse, ...] = ()
    authorizer_arn: str | None = None
    key_source: str | None = None
    anthropic_schemes: Mapping[str, Mapping[str, Any]] | None = None


class AccessMethod(ABC):
    """Who may call a front door, and how callers prove it. Create one with the methods of `Access`."""

    display_name: ClassVar[str]
    """The access method as a caller writes it."""

    uses_iam: ClassVar[bool] = False
    """Whether IAM decides, which `FrontDoor.grant_invoke` requires."""

    denies_unlisted_callers: ClassVar[bool] = False
    """Whether a caller that no policy names is denied; an Allow for everybody in the resource policy would undo it."""

    @property
    def uses_api_keys(self) -> bool:
        """Whether callers need API keys, which `FrontDoor.add_consumer` requires."""
        return False

    @property
    def models_by_scope(self) -> Mapping[str, Sequence[str]] | None:
        """The models that each scope of a token allows. None: callers are not limited to models by scopes."""
        return None

    @property
    def fetches_keys(self) -> bool:
        """Whether its function fetches an issuer's keys, for which it needs a way to the internet."""
        return False

    @property
    def warning(self) -> PlanWarning | None:
        """The risk of a method that is legal but risky."""
        return None

    def validate(self) -> Iterator[Problem]:
        """Problems of the arguments."""
        yield from ()

    @abstractmethod
    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding:
        """Create the resources of the method.

        Args:
            scope: The scope of the resources.
            log_retention: How long logs keep an event.
            protection: How its function is protected, if it has one.

        Returns:
            What the API gets.
        """
