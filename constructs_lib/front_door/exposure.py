"""From where a front door may be called, and behind which walls: VPC endpoints, resource policy, web ACL, domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.gateway_responses import GatewayAnswer

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam

    from constructs_lib.front_door.access import Access
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.web_acl import WebAcl

# API Gateway completes it with the API's own ARN.
_WHOLE_API = "execute-api:/*"

_BLOCKED = GatewayAnswer(
    "WAF_FILTERED",
    403,
    "blocked",
    "The web application firewall of this API blocked the request.",
    {"x-should-retry": "false"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What stands before the access.

    Args:
        vpc_endpoints: The endpoints through which alone the API can be reached. None: the internet.
        resource_policy: Further conditions on callers.
        web_acl: The firewall.
        domain: The API's own name.
    """

    vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None
    resource_policy: iam.PolicyDocument | None
    web_acl: WebAcl | None
    domain: Domain | None

    @property
    def answers(self) -> tuple[GatewayAnswer, ...]:
        """What the gateway answers for it."""
        return () if self.web_acl is None else (_BLOCKED,)

    @property
    def endpoint_type(self) -> str:
        """Where the API can be reached, in API Gateway's word."""
        return "REGIONAL" if self.vpc_endpoints is None else "PRIVATE"

    def endpoint_configuration(self) -> apigateway.CfnRestApi.EndpointConfigurationProperty:
        """Where the API can be reached, and through what."""
        endpoints = self.vpc_endpoints
        return apigateway.CfnRestApi.EndpointConfigurationProperty(
            types=[self.endpoint_type],
            vpc_endpoint_ids=None if endpoints is None else [endpoint.vpc_endpoint_id for endpoint in endpoints],
        )

    def policy(self, access: Access) -> dict[str, Any] | None:
        """The API's resource policy; None where it needs none.

        Args:
            access: Who may call.
        """
        statements = self._given_statements() + self._endpoint_statements()
        if not statements:
            return None
        # Where nothing else decides, what no statement allows is denied. But an Allow for everybody would let those in
        # whom IAM, or an authorizer's policy, merely does not name: API Gateway Developer Guide, "How API Gateway
        # resource policies affect authorization workflow", tables A and B.
        if not access.denies_unlisted_callers and all(statement["Effect"] == "Deny" for statement in statements):
            statements = [_statement("Allow"), *statements]
        return {"Version": "2012-10-17", "Statement": statements}

    def _endpoint_statements(self) -> list[dict[str, Any]]:
        if self.vpc_endpoints is None:
            return []
        elsewhere = {"aws:SourceVpce": [endpoint.vpc_endpoint_id for endpoint in self.vpc_endpoints]}
        return [_statement("Deny") | {"Condition": {"StringNotEquals": elsewhere}}]

    def bind(self, scope: Construct, access: Access, *, rest_api_id: str, stage_name: str) -> None:
        """Put the firewall before a stage, and give it its name.

        Args:
            scope: Where they are made.
            access: Who may call.
            rest_api_id: The API.
            stage_name: Its stage.
        """
        if self.web_acl is not None:
            stage = f"/restapis/{rest_api_id}/stages/{stage_name}"
            stage_arn = environment_of(scope).arn("apigateway", stage, account="")
            self.web_acl.bind(Construct(scope, "WebAcl"), stage_arn=stage_arn)
        if self.domain is None:
            return
        home = Construct(scope, "Domain")
        if self.vpc_endpoints is None:
            self.domain.bind(home, rest_api_id=rest_api_id, stage_name=stage_name)
        else:
            self.domain.bind_private(
                home,
                rest_api_id=rest_api_id,
                stage_name=stage_name,
                vpc_endpoints=self.vpc_endpoints,
                policy=self.policy(access),
            )

    def _given_statements(self) -> list[dict[str, Any]]:
        document = None if self.resource_policy is None else self.resource_policy.to_json()
        return list(document["Statement"]) if document else []


def _statement(effect: str) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": _WHOLE_API}
