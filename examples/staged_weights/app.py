"""An app of a team whose endpoints have no internet: the weights of one commit are copied into a bucket at deployment.

The bucket is deployed first, and then an endpoint in isolated subnets that reads the weights from it. README.md says
how to run and deploy it, and what another model needs.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint

MODEL = "Qwen/Qwen2.5-7B-Instruct"
COMMIT = "a09a35458c702b33eeacc393d103063234e8bc28"


class Weights(Stack):
    """The bucket, which outlives the stacks that copy weights into it."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
            # Parts of a copy that was killed are billed until then.
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(2))],
        )


class Serving(Stack):
    """The endpoint, in subnets that reach S3 and nothing else, and its front door."""

    def __init__(self, scope: Construct, id: str, *, weights: s3.IBucket, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        isolated = ec2.SubnetType.PRIVATE_ISOLATED
        vpc = ec2.Vpc(
            self,
            "Vpc",
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Isolated", subnet_type=isolated)],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        endpoint = TgiEndpoint(
            self,
            "Llm",
            model=Model.staged(MODEL, revision=COMMIT, bucket=weights),
            instance_type=InstanceType.G5_2XLARGE,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=isolated),
            network_isolation=True,
            detailed_observability=False,
        )
        front_door = FrontDoor(self, "Api", models={"qwen": endpoint})
        front_door.add_consumer("team-a", rate=5, burst=10)
        front_door.add_smoke_test()
        CfnOutput(self, "Url", value=front_door.url)


app = App()
env = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION"))
Serving(app, "Serving", weights=Weights(app, "Weights", env=env).bucket, env=env)
app.synth()
