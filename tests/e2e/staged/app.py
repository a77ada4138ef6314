"""A bucket, and two stacks whose deployments copy the same weights into it; one has a front door."""

from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint

app = App()
env = Environment(account="123456789012", region="us-east-1")
bucket = s3.Bucket(Stack(app, "Weights", env=env), "Bucket", bucket_name="weights-of-models")
revision = app.node.get_context("revision")
secret = app.node.try_get_context("secret")
removal = RemovalPolicy.DESTROY if app.node.try_get_context("removal") == "destroy" else RemovalPolicy.RETAIN
for name in ("Staged", "Other"):
    stack = Stack(app, name, env=env)
    endpoint = TgiEndpoint(
        stack,
        "Llama",
        model=Model.staged(
            "NousResearch/Meta-Llama-3.1-8B-Instruct",
            revision=revision,
            bucket=bucket,
            token=secretsmanager.Secret.from_secret_name_v2(stack, "Token", secret) if secret else None,
            removal_policy=removal,
        ),
        instance_type=InstanceType.G5_2XLARGE,
        network_isolation=True,
    )
    if name == "Staged":
        FrontDoor(stack, "Door", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
app.synth()
