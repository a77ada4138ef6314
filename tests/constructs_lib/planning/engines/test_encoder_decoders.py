"""Models with an encoder and a decoder run on TGI alone."""

import pytest

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest


def planned(engine: str, hub_id: str) -> EndpointPlan:
    model = ModelChoice(source="hub", hub_id=hub_id)
    return plan(EndpointRequest(engine=engine_named(engine), model=model, instance=InstanceType.G6E_2XLARGE))


@pytest.mark.parametrize(
    ("engine", "server"),
    [("vllm", "vLLM 0.30.0"), ("sglang", "SGLang 0.5.20"), ("lmi", "vLLM 0.26.0 in LMI 29.0.0")],
)
def test_another_engine_refuses_them(engine: str, server: str) -> None:
    (problem,) = planned(engine, "google/flan-t5-xl").problems
    assert str(problem) == (
        f"model='google/flan-t5-xl': {server} runs no models with an encoder and a decoder, such as t5. Serve it with"
        " TgiEndpoint, or choose another model."
    )
    assert planned(engine, "Qwen/Qwen2.5-7B-Instruct").problems == ()
