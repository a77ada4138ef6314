"""A front door with an endpoint, and a custom resource that comes last and fails if a context value says so."""

from pathlib import Path

from aws_cdk import App, CfnOutput, CustomResource, Environment, Stack
from aws_cdk import aws_lambda as lambda_

from constructs_lib import Access, FrontDoor, InstanceType, Model, TgiEndpoint, TgiOptions

app = App()
stack = Stack(app, "Updated", env=Environment(account="123456789012", region="us-east-1"))
tokens = int(app.node.get_context("tokens"))
endpoint = TgiEndpoint(
    stack,
    "Llama",
    model=Model.from_hub("NousResearch/Meta-Llama-3.1-8B-Instruct"),
    instance_type=InstanceType.G5_2XLARGE,
    options=TgiOptions(max_input_tokens=tokens - 50, max_total_tokens=tokens),
)
door = FrontDoor(stack, "Door", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline((Path(__file__).parent / "custom_resource.py").read_text()),
)
probe = CustomResource(
    stack,
    "Probe",
    service_token=function.function_arn,
    resource_type="Custom::Probe",
    properties={"Tokens": tokens, "Fails": app.node.try_get_context("fails") or ""},
)
probe.node.add_dependency(door)
CfnOutput(stack, "Seen", value=probe.get_att_string("Seen"))
app.synth()
