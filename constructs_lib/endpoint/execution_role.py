"""The role that SageMaker assumes for an endpoint: what every engine needs, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from constructs_lib._nag import acknowledge, wildcard_finding
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.endpoint.metrics import INSTANCES_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct, IConstruct

# SageMaker's check of the role at creation fails when these are narrowed by resource or condition.
# Source: Amazon SageMaker AI Developer Guide, "How to use SageMaker AI execution roles", "CreateModel API".
_NETWORK_INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]


class ExecutionRole:
    """The role, and a policy of its own for what the endpoint needs.

    The policy is apart from the role's other ones so that cdk-nag's findings are accepted for these statements only,
    and not for what a caller grants to the role; and so that the endpoint waits for it alone, as a shared role may have
    grants that refer to the endpoint.

    Args:
        scope: The endpoint.
        role: The caller's role; None makes one.
    """

    def __init__(self, scope: Construct, role: iam.IRole | None) -> None:
        self._scope = scope
        self._reasons: dict[str, list[str]] = {}
        self._grants: list[iam.Grant] = []
        self.role: iam.IRole = role or iam.Role(
            scope,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description="Assumed by SageMaker to run a model endpoint",
        )
        self._policy = iam.Policy(scope, "Policy")
        # An immutable role takes no policy, and then none is rendered.
        self.role.attach_inline_policy(self._policy)

    def wait_for(self, grant: iam.Grant) -> None:
        """Remember a grant of the CDK's own, which `allow_before` waits for as well."""
        self._grants.append(grant)

    def allow_before(self, resource: IConstruct) -> None:
        """Make everything that is allowed by now so before the resource is made."""
        resource.node.add_dependency(self._policy)
        for grant in self._grants:
            grant.apply_before(resource)

    def allow(
        self,
        actions: Sequence[str],
        resource_arns: Sequence[str],
        *,
        conditions: Mapping[str, Mapping[str, str]] | None = None,
        wildcard_reason: str | None = None,
    ) -> None:
        """Add one statement.

        Args:
            actions: What the role may do.
            resource_arns: On what.
            conditions: When. Default: always.
            wildcard_reason: Why the resources that have a `*` cannot be named. It is recorded for cdk-nag.
        """
        self._policy.add_statements(
            iam.PolicyStatement(actions=list(actions), resources=list(resource_arns), conditions=conditions)
        )
        if wildcard_reason is not None:
            for arn in resource_arns:
                finding = wildcard_finding(self._scope, arn)
                if "*" in finding:
                    self._reasons.setdefault(finding, []).append(wildcard_reason)

    def acknowledge_wildcards(self) -> None:
        """Give cdk-nag the reasons, once all statements are in."""
        acknowledge(self._policy, {finding: " ".join(reasons) for finding, reasons in self._reasons.items()})

    def allow_logs_and_metrics(self, endpoint_name: str | None) -> None:
        """Allow what the instances report.

        Args:
            endpoint_name: The endpoint's name. None, because the role has to exist before CloudFormation chooses it,
                opens the log groups of all endpoints of the account and Region.
        """
        self.allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            self._log_group_arns(endpoint_name),
            wildcard_reason="SageMaker makes the endpoint's log group and streams, whose names are not known before.",
        )
        self.allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": INSTANCES_NAMESPACE}},
            wildcard_reason="cloudwatch:PutMetricData knows no resource; a condition narrows it to one namespace.",
        )

    def allow_image_pull(self, repository_arn: str) -> None:
        """Allow to pull from one repository."""
        self.allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository_arn]
        )
        self.allow(
            ["ecr:GetAuthorizationToken"],
            ["*"],
            wildcard_reason="ecr:GetAuthorizationToken knows no resource; what may be pulled is named.",
        )

    def allow_network_interfaces(self) -> None:
        """Allow to put the endpoint's instances into a VPC."""
        self.allow(
            _NETWORK_INTERFACE_ACTIONS,
            ["*"],
            wildcard_reason="SageMaker refuses a role whose permissions on network interfaces are narrowed.",
        )

    def allow_volume_encryption(self, key: kms.IKey) -> None:
        """Allow to encrypt the instances' volumes with the key."""
        self.wait_for(key.grant(self.role, "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"))
        self.allow(["kms:CreateGrant"], [key.key_arn], conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def _log_group_arns(self, endpoint_name: str | None) -> list[str]:
        def arn(name: str) -> str:
            return environment_of(self._scope).arn("logs", f"log-group:{name}")

        if endpoint_name is None or is_token(endpoint_name):
            return [arn("/aws/sagemaker/Endpoints/*")]
        name = f"/aws/sagemaker/Endpoints/{endpoint_name}"
        return [arn(name), arn(f"{name}:*")]
