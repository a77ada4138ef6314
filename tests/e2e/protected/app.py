"""Two front doors in isolated subnets, with a key of the app: one with API keys, one with tokens of an issuer."""

import os

from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from constructs_lib import Access, FrontDoor, TgiEndpoint

HERE = Environment(account="123456789012", region="us-east-1")


class BaseStack(Stack):
    """The VPC and the key."""

    def __init__(self, app, name):
        super().__init__(app, name, env=HERE)
        isolated = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        zones = ["us-east-1a", "us-east-1b"]
        self.vpc = ec2.Vpc(self, "Vpc", availability_zones=zones, subnet_configuration=[isolated])
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)


class DoorStack(Stack):
    """A front door to one model."""

    def __init__(self, app, name, base, access, **options):
        super().__init__(app, name, env=HERE)
        llama = TgiEndpoint.from_endpoint_name(self, "Llama", "prod-llama", model_id="a/llama")
        self.front_door = FrontDoor(
            self,
            "Door",
            models={"llama": llama},
            access=access,
            encryption_key=base.key,
            vpc=base.vpc,
            reserved_concurrency=100,
            execution_logging=True,
            **options,
        )


app = App()
base = BaseStack(app, "Base")
keys = DoorStack(app, "Keys", base, Access.api_keys(), service_endpoints=True)
keys.front_door.add_consumer("team-a")
keys.front_door.add_consumer("metered", tokens_per_day=100)
access = Access.jwt(issuer=os.environ["ISSUER"], audience="llm", jwks=os.environ["JWKS"])
# The services are reached through the VPC endpoints of the other stack.
DoorStack(app, "Tokens", base, access, cloud_watch_role=False)
app.synth()
