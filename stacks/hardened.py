"""Llama as strict rule packs demand it: weights from a bucket, isolated subnets, a key that rotates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from constructs_lib._key_policy import allow_services
from constructs_lib._nag import acknowledge
from constructs_lib.acknowledgements import BASE_VPC, INLINE_POLICIES, REQUEST_LOG_BUCKET, WEIGHTS_BUCKET
from stacks.presets import LlamaTgiStack
from stacks.staged import Staged

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

LLAMA_REVISION = "0e9e39f249a16976918f6564b8830bc894c89659"
"""The commit whose weights are staged (`tgi-endpoint models pin meta-llama/Llama-3.1-8B-Instruct`)."""

ADDRESSES = "10.0.0.0/16"
"""The addresses of the VPC, which no other network knows."""

# What is called from the subnets, and nothing else leads out of them.
_INTERFACES = {
    "SagemakerRuntime": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_RUNTIME,
    "SagemakerApi": ec2.InterfaceVpcEndpointAwsService.SAGEMAKER_API,
}
_GATEWAYS = {"S3": ec2.GatewayVpcEndpointAwsService.S3, "Dynamodb": ec2.GatewayVpcEndpointAwsService.DYNAMODB}


class HardenedBaseStack(Stack):
    """What hardened stacks share and what outlives them: a VPC without a way out, a key, and a bucket for weights.

    Args:
        scope: The app.
        id: The stack's name. Default: HardenedBaseStack.
        env: Account and Region. Default: any; one template for all Regions.

    Attributes:
        key: The key, which rotates once a year.
        vpc: The VPC: isolated subnets in two zones, VPC endpoints, a log of its traffic.
        weights: The bucket.
    """

    def __init__(self, scope: Construct, id: str = "HardenedBaseStack", *, env: Environment | None = None) -> None:
        super().__init__(scope, id, env=env, description="VPC, key and bucket of hardened model stacks")
        self.key = kms.Key(
            self, "Key", description="Encrypts logs, environments and weights of models", enable_key_rotation=True
        )
        # For the log of the VPC's traffic; front doors see to their own logs.
        list(allow_services(self, self.key))
        self.vpc = self._add_vpc()
        self.weights = self._add_bucket()

    def _add_vpc(self) -> ec2.Vpc:
        isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(ADDRESSES),
            max_azs=2,
            subnet_configuration=[isolated],
            # It takes a function of the CDK's with a policy of AWS's, and nothing here is in the default group.
            restrict_default_security_group=False,
        )
        for name, gateway in _GATEWAYS.items():
            vpc.add_gateway_endpoint(name, service=gateway)
        group = ec2.SecurityGroup(
            self,
            "EndpointSecurityGroup",
            vpc=vpc,
            description="VPC endpoints: HTTPS from the VPC, nothing out",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(ADDRESSES), ec2.Port.tcp(443), "HTTPS from the VPC")
        for name, interface in _INTERFACES.items():
            vpc.add_interface_endpoint(name, service=interface, security_groups=[group], open=False)
        acknowledge(vpc, BASE_VPC)
        traffic = logs.LogGroup(self, "Traffic", retention=logs.RetentionDays.ONE_YEAR, encryption_key=self.key)
        # The CDK's own role may be assumed for flow logs of other accounts.
        role = iam.Role(
            self,
            "TrafficRole",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.account},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{self.partition}:ec2:{self.region}:{self.account}:vpc-flow-log/*"
                    },
                },
            ),
        )
        acknowledge(role, INLINE_POLICIES)
        vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(traffic, role))
        return vpc

    def _add_bucket(self) -> s3.Bucket:
        """The bucket for weights, and one for the log of its requests, which takes no key of AWS KMS."""
        requests = self._bucket(
            "WeightsRequests",
            encryption=s3.BucketEncryption.S3_MANAGED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(365))],
        )
        weights = self._bucket(
            "Weights",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(7),
                )
            ],
        )
        acknowledge(requests, REQUEST_LOG_BUCKET)
        acknowledge(weights, WEIGHTS_BUCKET)
        _log_requests(weights, requests, account=self.account)
        return weights

    def _bucket(self, id: str, **arguments: Any) -> s3.Bucket:
        """A bucket that stays when the stack is deleted, and that only this account reaches, by TLS."""
        bucket = s3.Bucket(
            self,
            id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            **arguments,
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:*"],
                resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
                conditions={
                    "StringNotEquals": {"aws:PrincipalAccount": self.account},
                    # S3 itself writes the log of requests.
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            )
        )
        return bucket


def _log_requests(bucket: s3.Bucket, log: s3.Bucket, *, account: str) -> None:
    """Let S3 write the log of a bucket's requests, whatever the feature flags of the CDK are."""
    resource: Any = bucket.node.default_child
    resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=log.bucket_name, log_file_prefix="weights/"
    )
    log.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
            actions=["s3:PutObject"],
            resources=[log.arn_for_objects("weights/*")],
            conditions={
                "ArnLike": {"aws:SourceArn": bucket.bucket_arn},
                "StringEquals": {"aws:SourceAccount": account},
            },
        )
    )


class HardenedLlamaTgiStack(LlamaTgiStack):
    """Llama 3.1 8B Instruct from staged weights, without a way to the internet, as `hardened` protects it.

    Args:
        scope: The app.
        id: The stack's name. Default: HardenedLlamaTgiStack.
        base: What it shares with other hardened stacks.
        options: Further arguments of a preset stack; the job that copies the weights alone reads the hub token.
    """

    def __init__(
        self,
        scope: Construct,
        id: str = "HardenedLlamaTgiStack",
        *,
        base: HardenedBaseStack,
        **options: Any,
    ) -> None:
        isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        super().__init__(
            scope,
            id,
            staged=Staged(revision=LLAMA_REVISION, bucket=base.weights),
            encryption_key=base.key,
            vpc=base.vpc,
            vpc_subnets=isolated,
            hardened=True,
            **options,
        )
