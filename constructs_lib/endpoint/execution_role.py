"""The role that SageMaker assumes for an endpoint, and every permission that an endpoint can need."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from constructs_lib import acknowledgements
from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.endpoint.metrics import COMPONENTS_NAMESPACE, INSTANCES_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from constructs import Construct, IConstruct

    from constructs_lib._nag import Acknowledged, Wildcard

# SageMaker checks the role when it creates a Model, and the check fails if a resource or condition narrows these.
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
    """The role, and a separate policy for what the endpoint needs.

    The policy is separate from the role's others for two reasons: cdk-nag's findings are acknowledged for these
    statements only, not for what a caller grants to the role; and the endpoint depends on this policy only, as a shared
    role may have grants that refer to the endpoint.

    Args:
        scope: The endpoint.
        role: The caller's role; None creates one.
    """

    def __init__(self, scope: Construct, role: iam.IRole | None) -> None:
        self._scope = scope
        self._statements: dict[str, list[dict[str, Any]]] = {}
        self._policies: dict[str, iam.Policy] = {}
        self._acknowledged: dict[str, list[Acknowledged]] = {}
        self._grants: list[iam.Grant] = []
        self._dependents: list[IConstruct] = []
        self._is_given = role is not None
        self.role: iam.IRole = role or iam.Role(
            scope,
            "Role",
            assumed_by=_sagemaker(environment_of(scope).arn("sagemaker", "*")),
            description="Assumed by SageMaker to run a model endpoint",
        )

    def allow_before(self, resource: IConstruct) -> None:
        """Make a resource depend on everything that is allowed, before this call or after it."""
        if self._policies:
            resource.node.add_dependency(*self._policies.values())
        self._dependents.append(resource)
        for grant in self._grants:
            grant.apply_before(resource)

    def render(self) -> None:
        """Render what has been allowed: the statements of a policy in one call, as each call of the CDK takes time.

        Call it before the first resource that needs the policies, and again when more has been allowed.
        """
        new = [policy_id for policy_id in self._statements if policy_id not in self._policies]
        for policy_id in new:
            self._policies[policy_id] = self._add_policy(policy_id, self._statements.pop(policy_id))
        if new:
            for resource in self._dependents:
                resource.node.add_dependency(*(self._policies[policy_id] for policy_id in new))
        for policy_id, added in self._statements.items():
            self._policies[policy_id].add_statements(*(iam.PolicyStatement.from_json(one) for one in added))
        self._statements.clear()

    def complete(self) -> None:
        """Render what has been allowed, and acknowledge cdk-nag's findings about wildcards in it."""
        self.render()
        for policy_id, policy in self._policies.items():
            acknowledge(policy, acknowledgements.INLINE_POLICIES, *self._acknowledged.get(policy_id, ()))
        if self._grants and not self._is_given:
            # Grants of keys are in a policy of the role's own.
            acknowledge(self.role, acknowledgements.INLINE_POLICIES)

    def allow_logs_and_metrics(self, endpoint_name: str | None, component_name: str | None = None) -> None:
        """Allow the instances to write their logs and metrics.

        Args:
            endpoint_name: The endpoint's name. None: CloudFormation chooses it after it has created the role, so the
                role may write to the log groups of all endpoints in the account and Region.
            component_name: Name of the inference component, which has a log group and metrics of its own. Default: the
                endpoint has none.
        """
        self._allow_logs_and_metrics(self._log_group_arns("Endpoints", endpoint_name), INSTANCES_NAMESPACE)
        if component_name is not None:
            groups = self._log_group_arns("InferenceComponents", component_name)
            self._allow_logs_and_metrics(groups, COMPONENTS_NAMESPACE)

    def _allow_logs_and_metrics(self, log_groups: Sequence[str], namespace: str) -> None:
        self._allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            log_groups,
            wildcard=acknowledgements.ENDPOINT_LOGS,
        )
        self._allow(
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": namespace}},
            wildcard=acknowledgements.ENDPOINT_METRICS,
        )

    def allow_image_pull(self, repository_arn: str) -> None:
        """Allow pulling images from one ECR repository."""
        self._allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository_arn]
        )
        self._allow(
            ["ecr:GetAuthorizationToken"],
            ["*"],
            wildcard=acknowledgements.IMAGE_TOKEN,
        )

    def allow_image_import(self, repository_arn: str) -> None:
        """Allow having ECR fetch an image that a pull through cache lacks, into one repository."""
        self._allow(["ecr:BatchImportUpstreamImage"], [repository_arn])

    def allow_folder_read(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow reading every object under a prefix, and using the bucket's key.

        Args:
            bucket: The bucket.
            prefix: The folder with a slash at its end; empty for the entire bucket.
        """
        self._allow(
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{prefix}*")],
            wildcard=acknowledgements.MODEL_FOLDER,
            place=_place(bucket, prefix),
        )
        self._allow(
            ["s3:ListBucket"],
            [bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": f"{prefix}*"}} if prefix else None,
            place=_place(bucket, prefix),
        )
        self._allow_decrypt(bucket)

    def allow_object_read(self, bucket: s3.IBucket, key: str) -> None:
        """Allow reading one object, and using the bucket's key."""
        self._allow(["s3:GetObject"], [bucket.arn_for_objects(key)], place=_place(bucket, key))
        self._allow_decrypt(bucket)

    def allow_public_read(self, bucket_name: str, key: str) -> None:
        """Allow reading from a bucket of AWS's that everybody may read, if their own policies allow it.

        Args:
            bucket_name: The bucket, which has no key of its own.
            key: A folder with a slash at its end, or one object.
        """
        bucket_arn = f"arn:{environment_of(self._scope).partition}:s3:::{bucket_name}"
        place = f"{bucket_name}/{key}"
        if not key.endswith("/"):
            self._allow(["s3:GetObject"], [f"{bucket_arn}/{key}"], place=place)
            return
        wildcard = acknowledgements.MODEL_FOLDER
        self._allow(["s3:GetObject"], [f"{bucket_arn}/{key}*"], wildcard=wildcard, place=place)
        conditions = {"StringLike": {"s3:prefix": f"{key}*"}}
        self._allow(["s3:ListBucket"], [bucket_arn], conditions=conditions, place=place)

    def allow_requests(self, bucket: s3.IBucket, prefix: str) -> None:
        """Allow reading the requests of asynchronous inference, and using the bucket's key.

        Args:
            bucket: The bucket.
            prefix: The folder with a slash at its end; empty for the entire bucket.
        """
        self._allow(
            ["s3:GetObject"],
            [bucket.arn_for_objects(f"{prefix}*")],
            wildcard=acknowledgements.REQUEST_FOLDER,
            place=_place(bucket, prefix),
        )
        self._allow_decrypt(bucket)

    def allow_answers(self, bucket: s3.IBucket, prefixes: Sequence[str], key: kms.IKey | None) -> None:
        """Allow writing the answers of asynchronous inference, and encrypting them.

        Args:
            bucket: The bucket.
            prefixes: The folders, each with a slash at its end.
            key: The key that encrypts them; None if it is S3's.
        """
        self._allow(
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
            wildcard=acknowledgements.ANSWER_FOLDERS,
            place=_place(bucket, *prefixes),
        )
        if key is not None:
            self._wait_for(key.grant(self.role, "kms:Decrypt", "kms:GenerateDataKey"))

    def allow_notifications(self, topic: sns.ITopic) -> None:
        """Allow publishing to a topic, and using its key."""
        self._allow(["sns:Publish"], [topic.topic_arn])
        key: kms.IKey | None = getattr(topic, "master_key", None)
        if key is not None:
            self._wait_for(key.grant(self.role, "kms:Decrypt", "kms:GenerateDataKey"))

    def allow_network_interfaces(self) -> None:
        """Allow connecting the endpoint's instances to a VPC."""
        self._allow(
            _NETWORK_INTERFACE_ACTIONS,
            ["*"],
            wildcard=acknowledgements.ENDPOINT_INTERFACES,
        )

    def allow_volume_encryption(self, key: kms.IKey) -> None:
        """Allow encrypting the instances' volumes with a key."""
        actions = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")
        self._wait_for(key.grant(self.role, *actions))
        self._allow(["kms:CreateGrant"], [key.key_arn], conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def allow_captures(self, bucket: s3.IBucket, folder: str, key: kms.IKey | None) -> None:
        """Allow storing captured requests and answers.

        Args:
            bucket: The bucket.
            folder: The folder, without a slash at its end.
            key: The key that encrypts them; None for S3's.
        """
        self._allow(
            ["s3:PutObject"],
            [bucket.arn_for_objects(f"{folder}/*")],
            wildcard=acknowledgements.CAPTURE_FOLDER,
            place=_place(bucket, folder),
        )
        if key is not None:
            # S3 decrypts the parts of a large upload with the key that it has generated for them.
            self._wait_for(key.grant(self.role, "kms:Decrypt", "kms:GenerateDataKey"))

    @property
    def scope(self) -> Construct:
        """The endpoint that the role is of."""
        return self._scope

    @property
    def takes_policies(self) -> bool:
        """Whether the role accepts permissions, once they are rendered: an immutable role ignores them."""
        rendered = self._policies["Policy"].node.default_child
        return isinstance(rendered, iam.CfnPolicy) and bool(environment_of(self._scope).stack.resolve(rendered.roles))

    def _allow_decrypt(self, bucket: s3.IBucket) -> None:
        if bucket.encryption_key is not None:
            self._wait_for(bucket.encryption_key.grant_decrypt(self.role))

    def _wait_for(self, grant: iam.Grant) -> None:
        self._grants.append(grant)
        for resource in self._dependents:
            grant.apply_before(resource)

    def _allow(
        self,
        actions: Sequence[str],
        resource_arns: Sequence[str],
        *,
        conditions: Mapping[str, Mapping[str, str]] | None = None,
        wildcard: Wildcard | None = None,
        place: str | None = None,
    ) -> None:
        """Add one statement; what is acknowledged about a `*` in its resources is recorded for cdk-nag.

        What is allowed at a place has a policy of that place: with another place CloudFormation creates another policy
        and deletes the old one last, so that the instances that still run can use the old place until they stop.
        """
        policy_id = "Policy" if place is None else f"Policy{sha256(place.encode()).hexdigest()[:8]}"
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resource_arns)}
        self._statements.setdefault(policy_id, []).append(statement | ({"Condition": conditions} if conditions else {}))
        if wildcard is not None:
            self._acknowledged.setdefault(policy_id, []).append(wildcard.at(self._scope, *resource_arns))

    def _add_policy(self, policy_id: str, statements: list[dict[str, Any]]) -> iam.Policy:
        document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
        roles = None if self._is_given else [self.role]
        policy = iam.Policy(self._scope, policy_id, document=document, roles=roles)
        if self._is_given:
            # An immutable role accepts no policy, and then none is rendered.
            self.role.attach_inline_policy(policy)
        return policy

    def _log_group_arns(self, folder: str, name: str | None) -> list[str]:
        group = environment_of(self._scope).arn("logs", f"log-group:/aws/sagemaker/{folder}")
        if name is None or is_token(name):
            return [f"{group}/*"]
        return [f"{group}/{name}", f"{group}/{name}:*"]


# Cached, as it is the same for all stacks that are for any account and Region.
@cache
def _sagemaker(source_arn: str) -> iam.ServicePrincipal:
    """SageMaker on behalf of one account and Region, so that nobody else can let it use the role.

    SageMaker does not take the ARN of one endpoint or model here. Source: Amazon SageMaker AI Developer Guide,
    "Cross-service confused deputy prevention", "SageMaker AI Inference".
    """
    conditions = {"ArnLike": {"aws:SourceArn": source_arn}}
    return iam.ServicePrincipal("sagemaker.amazonaws.com", conditions=conditions)


def _place(bucket: s3.IBucket, *folders: str) -> str:
    """What tells one place in S3 from another; a bucket whose name only the deployment knows is told by its path."""
    name = bucket.node.path if is_token(bucket.bucket_name) else bucket.bucket_name
    return "/".join([name, *folders])
