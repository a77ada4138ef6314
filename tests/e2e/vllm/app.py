"""A model of vLLM with an adapter, behind a front door."""

from __future__ import annotations

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    Access,
    FrontDoor,
    InstanceType,
    LoraAdapter,
    Model,
    ScaleToZero,
    VllmEndpoint,
    VllmOptions,
)

app = App()
stack = Stack(app, "Vllm", env=Environment(account="123456789012", region="us-east-1"))
adapters = s3.Bucket.from_bucket_name(stack, "Adapters", "team-adapters")
qwen = VllmEndpoint(
    stack,
    "Qwen",
    model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
    instance_type=InstanceType.G6E_XLARGE,
    options=VllmOptions(max_model_len=4096, tool_call_parser="hermes"),
    adapters=[LoraAdapter.from_s3_archive("sql", adapters, "sql.tar.gz")],
    scale_to_zero=ScaleToZero(),
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"qwen": qwen}, access=Access.public())
app.synth()
