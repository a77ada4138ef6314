"""One model with each engine besides TGI, behind one front door."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack

from constructs_lib import (
    Access,
    FrontDoor,
    InstanceType,
    LmiEndpoint,
    LmiImage,
    Model,
    SglangEndpoint,
    SglangOptions,
)

app = App()
stack = Stack(app, "Engines", env=Environment(account="123456789012", region="us-east-1"))
model = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
sglang = SglangEndpoint(
    stack,
    "Sglang",
    model=model,
    instance_type=InstanceType.G6E_2XLARGE,
    options=SglangOptions(context_length=4096, tool_call_parser="qwen25", extra_args={"enable_mixed_chunk": "true"}),
    detailed_observability=False,
)
lmi = LmiEndpoint(
    stack,
    "Lmi",
    model=model,
    instance_type=InstanceType.G6E_2XLARGE,
    image=LmiImage.version("27.0.0"),
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"sglang": sglang, "lmi": lmi}, access=Access.public())
app.synth()
