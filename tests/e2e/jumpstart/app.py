"""A pinned model of SageMaker JumpStart behind a front door; the variable JUMPSTART_FILE names its file."""

from __future__ import annotations

import os

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, JumpStartEndpoint, JumpStartModel

app = App()
stack = Stack(app, "JumpStart", env=Environment(account="123456789012", region="us-east-1"))
llama = JumpStartEndpoint(
    stack,
    "Llama",
    model=JumpStartModel.from_file(os.environ["JUMPSTART_FILE"], accept_eula=True),
    instance_type=InstanceType.G5_2XLARGE,
    environment={"MAX_STOP_SEQUENCES": "2"},
    detailed_observability=False,
)
FrontDoor(stack, "Api", models={"llama": llama}, access=Access.public())
app.synth()
