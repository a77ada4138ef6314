"""Models of JumpStart as a caller types them. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Stack
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib import FrontDoor, InstanceType, JumpStartEndpoint, JumpStartModel, Model

stack = Stack(App(), "Team")
model = JumpStartModel.from_file("llama.json", accept_eula=True)
assert_type(model.instance_types, tuple[str, ...])
llama = JumpStartEndpoint(
    stack,
    "Llama",
    model=model,
    instance_type=[InstanceType.G5_12XLARGE, InstanceType.G6_12XLARGE],
    engine="openai",
    environment={"MAX_TOTAL_TOKENS": "4096"},
    instance_count=2,
)
llama.auto_scale(max_instances=2).on_concurrency()
theirs: sagemaker.IEndpoint = llama
FrontDoor(stack, "Api", models={"llama": llama})

# What mypy rejects. It reports an ignore that is not needed, so these would fail if they were accepted.
JumpStartEndpoint(stack, "NoType", model=model)  # type: ignore[call-arg]
JumpStartEndpoint(
    stack,
    "Hub",
    model=Model.from_hub("org/model"),  # type: ignore[arg-type]
    instance_type=InstanceType.cheapest_for(tokens=2000),  # type: ignore[arg-type]
    engine="grpc",  # type: ignore[arg-type]
)
JumpStartEndpoint(stack, "Image", model=model, instance_type=InstanceType.G5_12XLARGE, image=None)  # type: ignore[call-arg]
