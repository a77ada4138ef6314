"""The acceptance stacks: what they have, which engine serves the model, and what the context may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Environment
from aws_cdk.cx_api import CloudAssembly

from constructs_lib.planning.engines import ENGINES
from constructs_lib.planning.hardware.instance_types import InstanceType
from stacks.acceptance_settings import DEFAULT_ENGINE, DEFAULT_INSTANCES, DEFAULT_MODEL, NAMES
from tests.constructs_lib.rendered import properties, resources
from tests.stacks.test_app import NAMES as PRESET_NAMES
from tests.stacks.test_app import built, findings

BOTH = ",".join(NAMES)


def synthesized(**context: str) -> CloudAssembly:
    return built(Environment(), nag="off", acceptance="on", **{"stacks": BOTH, **context}).synth(skip_validation=True)


@pytest.fixture(scope="module")
def templates() -> dict[str, Any]:
    return {stack.stack_name: stack.template for stack in synthesized().stacks}


def test_they_are_not_part_of_the_app_without_the_context() -> None:
    with pytest.raises(SystemExit, match=r"Acceptance stacks require -c acceptance=on\."):
        built(nag="off", stacks=NAMES[0])
    assert not set(NAMES) & set(PRESET_NAMES)


def test_cdk_nag_has_no_open_finding() -> None:
    assert findings(built(Environment(), nag="off", acceptance="on", stacks=BOTH)) == set()


def test_one_has_a_front_door_and_a_recorder_the_other_an_inference_component(templates: dict[str, Any]) -> None:
    first, zero = (templates[name] for name in NAMES)
    assert len(resources(first, "AWS::ApiGateway::RestApi")) == 1
    assert properties(first, "Custom::Recorder") | {"ServiceToken": ""} == {
        "ServiceToken": "",
        "ServiceTimeout": "120",
        "Step": "first",
        "Number": 1,
        "Truth": True,
    }
    assert len(resources(zero, "AWS::SageMaker::InferenceComponent")) == 1
    assert resources(zero, "AWS::ApiGateway::RestApi") == {}
    assert set(zero["Outputs"]) == {"EndpointName", "ComponentName"}


def test_the_recorder_comes_last(templates: dict[str, Any]) -> None:
    (recorder,) = resources(templates[NAMES[0]], "Custom::Recorder").values()
    kinds = {templates[NAMES[0]]["Resources"][name]["Type"] for name in recorder["DependsOn"]}
    assert {"AWS::SageMaker::Endpoint", "AWS::ApiGateway::Stage"} <= kinds


def test_an_update_changes_the_model_and_a_failing_one_nothing_but_the_recorder() -> None:
    first, updated, failing = (
        synthesized(stacks=NAMES[0], acceptance_step=step).get_stack_by_name(NAMES[0]).template
        for step in ("first", "updated", "failing")
    )
    assert _environment(first)["SM_VLLM_MAX_MODEL_LEN"] == "32768"
    assert _environment(updated)["SM_VLLM_MAX_MODEL_LEN"] == "16384"
    differing = [name for name, one in updated["Resources"].items() if one != failing["Resources"].get(name)]
    assert differing == ["Recorder"]


def test_the_default_engine_starts_the_default_model_on_the_cheapest_gpu_and_tgi_does_not() -> None:
    cheapest = min(
        (one for one in InstanceType.all() if one.price_usd_per_hour and one.name.startswith("ml.g")),
        key=lambda one: one.price_usd_per_hour or 0,
    )
    assert DEFAULT_INSTANCES[DEFAULT_ENGINE] == cheapest.name
    with pytest.raises(Exception, match="which needs Ampere GPUs or newer, but T4 is older"):
        synthesized(stacks=NAMES[0], acceptance_engine="tgi", acceptance_instance=cheapest.name)


@pytest.mark.parametrize("engine", DEFAULT_INSTANCES)
def test_each_engine_has_a_default_instance_on_which_it_serves_the_default_model(engine: str) -> None:
    assert engine in ENGINES
    template = synthesized(stacks=NAMES[0], acceptance_engine=engine).get_stack_by_name(NAMES[0]).template
    assert DEFAULT_MODEL in json.dumps(template)
    assert DEFAULT_INSTANCES[engine] in json.dumps(template)


def test_wrong_values_are_reported_together() -> None:
    with pytest.raises(SystemExit) as caught:
        synthesized(acceptance_engine="lorax", acceptance_step="last", acceptance_tokens="100")
    assert str(caught.value).splitlines() == [
        "acceptance_engine=lorax: must be one of tgi, vllm, sglang, lmi.",
        "acceptance_step=last: must be one of first, updated, failing.",
        "acceptance_tokens=100: must be at least 2048.",
    ]
    with pytest.raises(SystemExit, match=r"acceptance_tokens=many: must be a whole number of at least 2048\."):
        synthesized(acceptance_tokens="many")


def _environment(template: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = properties(template, "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    return found
