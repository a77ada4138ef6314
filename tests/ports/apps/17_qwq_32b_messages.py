"""QwQ 32B over four L4, on a version that takes chats by itself."""

from __future__ import annotations

from aws_cdk import App, Duration, Environment, Stack

from constructs_lib import InstanceType, Model, TgiEndpoint, TgiImage, TgiOptions


def build(app: App) -> Stack:
    stack = Stack(app, "Qwq", env=Environment(account="123456789012", region="us-east-1"))
    TgiEndpoint(
        stack,
        "Qwq",
        model=Model.from_hub("Qwen/QwQ-32B-Preview"),
        instance_type=InstanceType.G6_12XLARGE,
        image=TgiImage.version("2.4.0"),
        options=TgiOptions(max_input_tokens=4096, max_total_tokens=8192, messages_api_enabled=True),
        startup_timeout=Duration.minutes(5),
        environment={"HF_HUB_ENABLE_HF_TRANSFER": "1"},
    )
    return stack
