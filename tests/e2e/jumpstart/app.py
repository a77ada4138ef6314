"""Pinned models of JumpStart, on TGI and on LMI, behind a front door each; JUMPSTART_FILES has their files."""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App, Environment, Stack

from constructs_lib import Access, FrontDoor, InstanceType, JumpStartEndpoint, JumpStartModel

FILES = Path(os.environ["JUMPSTART_FILES"])

app = App()
for name, given in {"tgi": {"MAX_STOP_SEQUENCES": "2"}, "lmi": {}}.items():
    stack = Stack(app, name, env=Environment(account="123456789012", region="us-east-1"))
    endpoint = JumpStartEndpoint(
        stack,
        "Llama",
        model=JumpStartModel.from_file(FILES / f"{name}.json", accept_eula=True),
        instance_type=InstanceType.G5_12XLARGE,
        environment=given,
        detailed_observability=False,
    )
    FrontDoor(stack, "Api", models={"llama": endpoint}, access=Access.public(), cloud_watch_role=False)
app.synth()
