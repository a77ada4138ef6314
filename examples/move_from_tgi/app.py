"""An app on its way from TGI to vLLM, one step a deployment, while its clients go on calling the same URL.

docs/migrate.md is the tutorial, README.md says how to run and deploy it. `cdk deploy Chat -c step=mirror` is a step.
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Environment, Stack
from constructs import Construct

from constructs_lib import (
    FrontDoor,
    InstanceType,
    LogprobsMode,
    Mirror,
    Model,
    Split,
    TgiEndpoint,
    TgiOptions,
    VllmEndpoint,
    VllmOptions,
)

STEPS = ("tgi", "mirror", "split-5", "split-50", "split-100", "vllm")
QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct", revision="a09a35458c702b33eeacc393d103063234e8bc28")


class Chat(Stack):
    """One model behind one URL: on TGI, on both engines, or on vLLM.

    Args:
        scope: The app.
        id: The stack's name.
        step: One of STEPS.
        percent: The share of the requests that are copied in the step `mirror`.
        env: The Region.
    """

    def __init__(self, scope: Construct, id: str, *, step: str, percent: float, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        self.endpoints: dict[str, TgiEndpoint | VllmEndpoint] = {}
        if step != "vllm":
            self.endpoints["tgi"] = tgi = self._tgi()
        if step != "tgi":
            self.endpoints["vllm"] = vllm = self._vllm()
        if step == "mirror":
            model = Mirror(tgi, to=vllm, percent=percent)
        elif step.startswith("split-"):
            share = int(step.removeprefix("split-"))
            model = Split({tgi: 100 - share, vllm: share})
        else:
            (model,) = self.endpoints.values()
        front_door = FrontDoor(self, "Api", models={"qwen": model})
        consumer = front_door.add_consumer("team-a", rate=50, burst=100)
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "ApiKeyId", value=consumer.key_id)

    def _tgi(self) -> TgiEndpoint:
        return TgiEndpoint(
            self,
            "Tgi",
            model=QWEN,
            instance_type=InstanceType.G5_2XLARGE,
            options=TgiOptions(max_input_tokens=6144, max_total_tokens=8192),
            detailed_observability=False,
        )

    def _vllm(self) -> VllmEndpoint:
        # As `tgi-endpoint migrate Chat --to vllm` printed it.
        return VllmEndpoint(
            self,
            "TgiVllm",
            model=QWEN,
            instance_type=InstanceType.G5_2XLARGE,
            options=VllmOptions(
                max_model_len=8192,
                tool_call_parser="hermes",
                logprobs_mode=LogprobsMode.PROCESSED_LOGPROBS,
                structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True},
            ),
            detailed_observability=False,
        )


class Compare(Stack):
    """A second URL, for testers, at which each engine has a name of its own; `compare.py` calls it.

    Args:
        scope: The app.
        id: The stack's name.
        chat: The stack with both endpoints.
        env: The Region.
    """

    def __init__(self, scope: Construct, id: str, *, chat: Chat, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        front_door = FrontDoor(self, "Api", models=chat.endpoints, cloud_watch_role=False)
        consumer = front_door.add_consumer("testers", rate=10, burst=20)
        CfnOutput(self, "Url", value=front_door.url)
        CfnOutput(self, "ApiKeyId", value=consumer.key_id)


app = App()
step = app.node.try_get_context("step") or "tgi"
if step not in STEPS:
    raise SystemExit(f"step={step}: use one of {', '.join(STEPS)}")
env = Environment(region=os.environ.get("CDK_DEFAULT_REGION"))
chat = Chat(app, "Chat", step=step, percent=float(app.node.try_get_context("percent") or 5), env=env)
if len(chat.endpoints) > 1:
    Compare(app, "Compare", chat=chat, env=env)
app.synth()
