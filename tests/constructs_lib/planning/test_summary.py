"""A plan in one line."""

import json

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.sizing.memory import memory_plan
from constructs_lib.planning.summary import PlanSummary, summary
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

FALCON = ModelChoice(source="hub", hub_id="tiiuae/falcon-7b")


def summarised(**changes):
    request = EndpointRequest(**{"engine": TGI, "model": FALCON, "instance": InstanceType.G5_2XLARGE} | changes)
    planned = plan(request)
    assert planned.problems == ()
    return summary(request, planned)


def test_it_has_model_instance_gpus_context_and_price():
    assert summarised() == PlanSummary(
        model="tiiuae/falcon-7b",
        instance="ml.g5.2xlarge",
        instance_count=1,
        accelerator="A10G",
        num_shard=1,
        context=2048,
        price_usd_per_hour=1.515,
        price_is_derived=False,
    )


def test_the_context_is_the_requested_one():
    assert summarised(options=TgiOptions(max_input_tokens=900, max_total_tokens=1000)).context == 1000


def test_the_context_is_otherwise_that_of_the_memory_plan():
    llama = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
    facts = known_model(llama.hub_id)
    expected = memory_plan(TGI, facts, InstanceType.G5_2XLARGE, TgiOptions(), "3.3.6", 1).context
    assert 2048 < expected < 131_072
    assert summarised(model=llama).context == expected


@pytest.mark.parametrize("model", [ModelChoice(source="s3"), ModelChoice(source="hub", hub_id="some/unknown")])
def test_the_context_of_an_unknown_model_is_not_known(model):
    assert summarised(model=model).context is None


def test_several_instances_cost_several_times_as_much():
    assert summarised(instance_count=3).price_usd_per_hour == pytest.approx(3 * 1.515)


def test_an_instance_outside_of_the_catalogue_has_no_price():
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48)
    assert summarised(instance=own).price_usd_per_hour is None


def test_what_is_not_known_at_synth_is_left_out():
    request = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id=Unknown("<id>")),
        instance=InstanceType.G5_2XLARGE,
        image=ImageChoice(version="3.3.6"),
        instance_count=UNKNOWN,
    )
    line = summary(request, plan(request))
    assert (line.model, line.context, line.instance_count, line.price_usd_per_hour) == (None, None, 1, 1.515)


def test_an_option_that_is_not_known_at_synth_leaves_the_context_open():
    request = EndpointRequest(
        engine=TGI,
        model=FALCON,
        instance=InstanceType.G5_2XLARGE,
        options=TgiOptions(cuda_memory_fraction=UNKNOWN),
    )
    assert summary(request, plan(request)).context is None


def test_it_survives_json_and_versions_with_more_or_fewer_fields():
    line = summarised()
    values = json.loads(json.dumps(line.to_json()))
    assert PlanSummary.from_json(values) == line
    assert PlanSummary.from_json(values | {"news": 1}) == line
    del values["context"]
    assert PlanSummary.from_json(values).context is None
