"""An app with two engines behind one name: most callers are answered by TGI, some by vLLM, and each stands in for both.

`-c vllm=50` sends half of the callers to vLLM; the default is 10 percent.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Environment, Stack
from constructs import Construct

from constructs_lib import (
    Fallback,
    FrontDoor,
    InstanceType,
    LogprobsMode,
    Model,
    Split,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
    VllmOptions,
)

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct", revision="a09a35458c702b33eeacc393d103063234e8bc28")


class TwoEngines(Stack):
    """The same weights on two endpoints, and one front door.

    Args:
        scope: The app.
        id: The stack's name.
        percent: The share of the callers that vLLM answers, from 0 to 100.
        env: The Region.
    """

    def __init__(self, scope: Construct, id: str, *, percent: float, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        tgi = TgiEndpoint(
            self,
            "Tgi",
            model=QWEN,
            instance_type=InstanceType.G6E_XLARGE,
            options=TgiOptions(max_input_tokens=7_000, max_total_tokens=8_192),
            detailed_observability=False,
        )
        vllm = VllmEndpoint(
            self,
            "Vllm",
            model=QWEN,
            instance_type=InstanceType.G6E_XLARGE,
            # With the parser it calls tools, and with this scale its log probabilities are those of TGI.
            options=VllmOptions(
                max_model_len=8_192, tool_call_parser="hermes", logprobs_mode=LogprobsMode.PROCESSED_LOGPROBS
            ),
            detailed_observability=False,
        )
        # A caller keeps its engine as long as that one takes requests; what it refuses, the other one gets at once.
        model = Split({Fallback([tgi, vllm]): 100 - percent, Fallback([vllm, tgi]): percent})
        front_door = FrontDoor(self, "Api", models={"qwen": model})
        consumer = front_door.add_consumer("team-a", rate=50, burst=100)
        # Asks each endpoint, and not only the one that a request happens to reach.
        front_door.add_smoke_test()
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "ApiKeyId", value=consumer.key_id)


app = App()
percent = app.node.try_get_context("vllm")
TwoEngines(
    app,
    "TwoEngines",
    percent=10 if percent is None else float(percent),
    env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")),
)
app.synth()
