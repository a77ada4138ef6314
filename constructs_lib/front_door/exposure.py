"""How a front door is exposed: VPC endpoints, resource policy, web ACL, custom domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.gateway_responses import DO_NOT_RETRY, GatewayResponse

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam

    from constructs_lib.front_door.access.base import AccessMethod
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.web_acl import WebAcl

# API Gateway prefixes it with the API's own ARN.
_EVERY_ROUTE = "execute-api:/*"

_BLOCKED = GatewayResponse(
    "WAF_FILTERED",
    403,
    "blocked",
    "The web application firewall of this API blocked the request.",
    DO_NOT_RETRY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Everything that a request passes before the access method.

    Args:
        vpc_endpoints: The only VPC endpoints that reach the API. None: the API is public.
        resource_policy: Further conditions on callers, if any.
        web_acl: The web ACL, if any.
        domain: The custom domain name, if any.
    """

    vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None
    resource_policy: iam.PolicyDocument | None
    web_acl: WebAcl | None
    domain: Domain | None

    @property
    def responses(self) -> tuple[GatewayResponse, ...]:
        """Gateway responses to requests that are blocked."""
        return () if self.web_acl is None else (_BLOCKED,)

    @property
    def endpoint_type(self) -> str:
        """API Gateway's endpoint type."""
        return "REGIONAL" if self.vpc_endpoints is None else "PRIVATE"

    def endpoint_configuration(self) -> apigateway.CfnRestApi.EndpointConfigurationProperty:
        """API Gateway's endpoint configuration."""
        endpoints = self.vpc_endpoints
        return apigateway.CfnRestApi.EndpointConfigurationProperty(
            types=[self.endpoint_type],
            vpc_endpoint_ids=None if endpoints is None else [endpoint.vpc_endpoint_id for endpoint in endpoints],
        )

    def policy(self, access: AccessMethod) -> dict[str, Any] | None:
        """The API's resource policy, if it needs one.

        Args:
            access: The access method.
        """
        statements = self._policy_statements() + self._endpoint_statements()
        if not statements:
            return None
        # By itself, a resource policy denies what no statement allows, so Deny statements need an Allow beside them.
        # Together with IAM or an authorizer's policy, an Allow for everybody would admit callers that those merely do
        # not name: API Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow",
        # tables A and B.
        if not access.denies_unlisted_callers and all(statement["Effect"] == "Deny" for statement in statements):
            statements = [_statement("Allow"), *statements]
        return {"Version": "2012-10-17", "Statement": statements}

    def _endpoint_statements(self) -> list[dict[str, Any]]:
        if self.vpc_endpoints is None:
            return []
        vpc_endpoints = {"aws:SourceVpce": [endpoint.vpc_endpoint_id for endpoint in self.vpc_endpoints]}
        return [_statement("Deny") | {"Condition": {"StringNotEquals": vpc_endpoints}}]

    def bind(self, scope: Construct, access: AccessMethod, *, rest_api_id: str, stage_name: str) -> None:
        """Associate the web ACL with a stage, and create its custom domain.

        Args:
            scope: The scope of the resources.
            access: The access method.
            rest_api_id: The API.
            stage_name: Its stage.
        """
        if self.web_acl is not None:
            stage = f"/restapis/{rest_api_id}/stages/{stage_name}"
            stage_arn = environment_of(scope).arn("apigateway", stage, account="")
            self.web_acl.bind(Construct(scope, "WebAcl"), stage_arn=stage_arn)
        if self.domain is None:
            return
        domain_scope = Construct(scope, "Domain")
        if self.vpc_endpoints is None:
            self.domain.bind(domain_scope, rest_api_id=rest_api_id, stage_name=stage_name)
        else:
            self.domain.bind_private(
                domain_scope,
                rest_api_id=rest_api_id,
                stage_name=stage_name,
                vpc_endpoints=self.vpc_endpoints,
                policy=self.policy(access),
            )

    def _policy_statements(self) -> list[dict[str, Any]]:
        document = None if self.resource_policy is None else self.resource_policy.to_json()
        return list(document["Statement"]) if document else []


def _statement(effect: str) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": _EVERY_ROUTE}
