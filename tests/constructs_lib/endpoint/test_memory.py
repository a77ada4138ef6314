"""What the memory plan means for an endpoint: errors, warnings, and the selection of the instance."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations, Match

from constructs_lib import ConfigurationError, InstanceType, Model, ModelFacts, TgiEndpoint, TgiOptions
from constructs_lib.planning.models.facts import known_model
from tests.constructs_lib.rendered import container, template_of, variant

QWEN = "Qwen/Qwen2.5-7B-Instruct"


def facts_of(hub_id: str) -> ModelFacts:
    found = known_model(hub_id)
    assert found
    return replace(found, hub_id="me/mine")


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults: dict[str, Any] = {"model": Model.from_hub(QWEN), "instance_type": InstanceType.G5_2XLARGE}
    return TgiEndpoint(stack, "Llm", **(defaults | arguments))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(App(outdir=str(tmp_path)), "Team")


def weights(stack: Stack) -> s3.IBucket:
    return s3.Bucket.from_bucket_name(stack, "Weights", "team-weights")


def test_a_model_that_does_not_fit_is_rejected_at_synth(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, model=Model.from_hub("Qwen/Qwen2.5-72B-Instruct"))
    assert re.search(
        r"instance_type='ml\.g5\.2xlarge': cannot hold Qwen/Qwen2\.5-72B-Instruct: 1\d\d\.\d GiB short on its GPU.*"
        r"What would fit, cheapest first: ml\.g6e\.12xlarge \(\$13\.12 an hour\);",
        str(raised.value),
    )


@pytest.mark.parametrize("source", ["hub", "s3"])
def test_a_custom_model_that_does_not_fit_is_rejected_by_its_facts(stack: Stack, source: str) -> None:
    facts = facts_of("Qwen/Qwen2.5-72B-Instruct")
    hub = Model.from_hub("me/mine", facts=facts)
    model = hub if source == "hub" else Model.from_s3(weights(stack), "qwen", facts=facts)
    with pytest.raises(ConfigurationError, match="cannot hold me/mine"):
        endpoint(stack, model=model)


def test_weights_in_s3_of_a_catalogued_model_have_its_facts(stack: Stack) -> None:
    model = Model.from_s3(weights(stack), "qwen", model_id="Qwen/Qwen2.5-72B-Instruct")
    assert model.model_id == "Qwen/Qwen2.5-72B-Instruct"
    with pytest.raises(ConfigurationError, match=r"cannot hold Qwen/Qwen2\.5-72B-Instruct"):
        endpoint(stack, model=model)


def test_weights_in_s3_with_an_invalid_id_are_rejected(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="model='not an id': must be a hub id"):
        endpoint(stack, model=Model.from_s3(weights(stack), "qwen", model_id="not an id"))


def test_weights_in_s3_are_served_from_their_folder_and_their_size_decides_the_timeouts(stack: Stack) -> None:
    endpoint(stack, model=Model.from_s3(weights(stack), "qwen", model_id=QWEN))
    template = template_of(stack)
    assert container(template)["Environment"]["HF_MODEL_ID"] == "/opt/ml/model"
    timeouts = variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"]
    assert timeouts == 1200  # what JumpStart sets; 1.5 times 300 s and 5 for each of 14.2 GiB are less


def test_facts_of_the_wrong_type_are_rejected(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.facts=.*must be ModelFacts"):
        endpoint(stack, model=Model.from_hub("me/mine", facts="8B"))  # type: ignore[arg-type]


def test_a_tight_fit_is_a_warning_that_can_be_acknowledged(stack: Stack) -> None:
    options = TgiOptions(max_input_tokens=32_000, max_total_tokens=32_768, cuda_memory_fraction=0.92)
    endpoint(stack, options=options)
    warnings = Annotations.from_stack(stack).find_warning(
        "*", Match.string_like_regexp("may not start on ml.g5.2xlarge")
    )
    assert [str(warning.entry.data).endswith("[ack: tgi-endpoint:tightMemory]") for warning in warnings] == [True]


def test_the_cheapest_instance_is_rendered_with_the_limits_of_the_load(stack: Stack) -> None:
    endpoint(stack, instance_type=InstanceType.cheapest_for(tokens=8192, concurrency=4))
    template = template_of(stack)
    environment = container(template)["Environment"]
    assert variant(template)["InstanceType"] == "ml.g6.xlarge"
    assert (environment["MAX_INPUT_TOKENS"], environment["MAX_TOTAL_TOKENS"]) == ("8191", "8192")


def test_the_cheapest_instance_for_an_unknown_model_is_rejected(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="can be found only if its shape is known"):
        endpoint(stack, model=Model.from_hub("me/mine"), instance_type=InstanceType.cheapest_for(tokens=8192))
