"""The stack whose containers are the real server, and what its template says about them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from constructs import Construct

from constructs_lib import FrontDoor, InstanceType, Model, ModelFacts, VllmEndpoint, VllmImage, VllmOptions
from tests.engines import tiny_llama
from tests.engines.installation import REVISION

MODEL = "llama"
RUNNING, RUNNING_OR_WAITING = 3, 4
QUEUE_LIMIT_SINCE = (0, 29)
FACTS = ModelFacts(
    hub_id=tiny_llama.HUB_ID,
    parameters=1_443_072,
    layers=tiny_llama.LAYERS,
    hidden=tiny_llama.HIDDEN,
    heads=tiny_llama.HEADS,
    kv_heads=tiny_llama.HEADS // 2,
    head_dim=tiny_llama.HIDDEN // tiny_llama.HEADS,
    intermediate=2 * tiny_llama.HIDDEN,
    vocabulary=tiny_llama.VOCABULARY,
    max_positions=tiny_llama.MAX_LENGTH,
    checkpoint_dtype="bfloat16",
    model_type="llama",
    licence="apache-2.0",
)


def limits_its_queue(vllm: str) -> bool:
    """Whether a version of vLLM refuses requests when it has too many."""
    return tuple(map(int, vllm.split(".")[:2])) >= QUEUE_LIMIT_SINCE


class EngineStack(Stack):
    """The tiny Llama on vLLM, with a front door.

    Its options are those that TGI's clients need: log probabilities after the sampling options, and a grammar without
    free white space.

    Args:
        scope: The app.
        vllm: Version of vLLM.

    Attributes:
        endpoint: The endpoint.
    """

    def __init__(self, scope: Construct, *, vllm: str) -> None:
        super().__init__(scope, "EngineStack")
        endpoint = VllmEndpoint(
            self,
            "Vllm",
            model=Model.from_hub(tiny_llama.HUB_ID, revision=REVISION, facts=FACTS),
            instance_type=InstanceType.G6_XLARGE,
            image=VllmImage.version(vllm),
            options=VllmOptions(
                max_model_len=tiny_llama.MAX_LENGTH,
                max_num_seqs=RUNNING,
                max_num_queued_reqs=RUNNING_OR_WAITING if limits_its_queue(vllm) else None,
                tool_call_parser="hermes",
                logprobs_mode="processed_logprobs",
                structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True},
            ),
        )
        self.endpoint = endpoint
        door = FrontDoor(self, "Door", models={MODEL: endpoint}, count_tokens=[MODEL], cloud_watch_role=False)
        door.add_consumer("tests", rate=50, burst=100)


def container_environment(vllm: str) -> dict[str, str]:
    """The variables of the container in the template."""
    template = Template.from_stack(EngineStack(App(), vllm=vllm))
    (model,) = template.find_resources("AWS::SageMaker::Model").values()
    environment = model["Properties"]["PrimaryContainer"]["Environment"]
    assert all(isinstance(value, str) for value in environment.values()), "known at synth"
    return environment


def serving_facts(vllm: str) -> dict[str, Any]:
    """What the front door is told of the model, beside the name of its endpoint."""
    known = asdict(EngineStack(App(), vllm=vllm).endpoint.serving)
    return {"engine": "vllm", **{name: value for name, value in known.items() if value is not None}}
