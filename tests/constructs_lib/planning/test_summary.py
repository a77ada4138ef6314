"""A plan in one line."""

import json
from dataclasses import replace

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice, known_model
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.request import UNDECIDED
from constructs_lib.planning.sizing.memory import memory_plan
from constructs_lib.planning.summary import PlanSummary, concurrent_requests, planned_capacity, summary
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

FALCON = ModelChoice(source="hub", hub_id="tiiuae/falcon-7b")


def summarised(**changes):
    request = EndpointRequest(**{"engine": TGI, "model": FALCON, "instance": InstanceType.G5_2XLARGE} | changes)
    planned = plan(request)
    assert planned.problems == ()
    return summary(request, planned, planned_capacity(request))


def test_it_has_model_instance_gpus_context_and_price():
    assert summarised() == PlanSummary(
        model="tiiuae/falcon-7b",
        instances=["ml.g5.2xlarge"],
        min_instances=1,
        max_instances=1,
        accelerator="A10G",
        num_shard=1,
        context=2048,
        stream_tokens=1024,
        streams=128,
        min_usd_per_hour=1.515,
        max_usd_per_hour=1.515,
        price_is_derived=False,
    )


def test_instances_of_several_types_cost_between_the_first_and_the_dearest():
    pools = (InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE, InstanceType.G6E_2XLARGE)
    found = summarised(instance=UNDECIDED, pools=pools)
    assert found.instances == ["ml.g5.2xlarge", "ml.g6.2xlarge", "ml.g6e.2xlarge"]
    assert (found.min_usd_per_hour, found.max_usd_per_hour) == (
        InstanceType.G5_2XLARGE.price_usd_per_hour,
        InstanceType.G6E_2XLARGE.price_usd_per_hour,
    )
    assert found.quota_names[1] == "ml.g6.2xlarge for endpoint usage"


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


def test_several_instances_cost_and_serve_several_times_as_much():
    line = summarised(instance_count=3)
    assert (line.min_usd_per_hour, line.max_usd_per_hour) == (pytest.approx(3 * 1.515), pytest.approx(3 * 1.515))
    assert line.streams == 3 * 128


def test_what_scales_changes_the_largest_number_or_the_smallest():
    request = EndpointRequest(engine=TGI, model=FALCON, instance=InstanceType.G5_2XLARGE)
    capacity = replace(planned_capacity(request), min_instances=0, max_instances=4)
    line = summary(request, plan(request), capacity)
    assert (line.min_usd_per_hour, line.max_usd_per_hour) == (0, pytest.approx(4 * 1.515))
    assert (line.streams, line.quota_needed) == (4 * 128, 8)


LLAMA = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)


def planned(**changes):
    return plan(EndpointRequest(**{"engine": TGI, "model": LLAMA, "instance": InstanceType.G5_2XLARGE} | changes))


def test_an_instance_serves_the_requests_that_fit_its_memory_and_that_its_container_accepts():
    found = planned()
    assert concurrent_requests(found, 2048) == found.memory.concurrent_requests(2048) > 1
    assert found.memory.concurrent_requests(64) > 128
    assert concurrent_requests(found, 64) == 128
    unlimited = replace(found, serving=replace(found.serving, max_concurrent_requests=None))
    assert concurrent_requests(unlimited, 64) == found.memory.concurrent_requests(64)
    assert concurrent_requests(replace(found, memory=None), 64) is None


def test_it_serves_one_request_at_least_however_tight_its_memory_is():
    found = planned()
    tight = replace(found, memory=replace(found.memory, max_tokens=0, weights=found.memory.usable))
    assert concurrent_requests(tight, 64) == 1


def test_of_several_instance_types_the_one_that_serves_the_most_counts():
    pools = (InstanceType.G5_2XLARGE, InstanceType.G6E_XLARGE)
    found = planned(pools=pools)
    assert found.problems == ()
    each = [concurrent_requests(planned(instance=one), 2048) for one in pools]
    assert each[0] < each[1] == concurrent_requests(found, 2048)


def test_copies_that_share_an_instance_serve_requests_each():
    request = EndpointRequest(engine=TGI, model=LLAMA, instance=InstanceType.G5_2XLARGE)
    found = plan(request)
    line = summary(request, found, replace(planned_capacity(request), max_instances=2, max_copies=8))
    assert line.streams == 8 * concurrent_requests(found, 1024)


@pytest.mark.parametrize(
    ("limit", "told", "tokens"), [(None, None, 1024), (1000, None, 1000), (None, 3000, 3000), (1000, 3000, 1000)]
)
def test_a_full_load_has_requests_of_1024_tokens_or_as_the_endpoint_is_told(limit, told, tokens):
    options = TgiOptions() if limit is None else TgiOptions(max_input_tokens=900, max_total_tokens=limit)
    request = EndpointRequest(engine=TGI, model=LLAMA, instance=InstanceType.G5_2XLARGE, options=options)
    found = plan(request)
    line = summary(request, found, replace(planned_capacity(request), max_instances=3, request_tokens=told))
    assert (line.stream_tokens, line.streams) == (tokens, 3 * concurrent_requests(found, tokens))


def test_each_instance_type_of_a_pool_has_a_quota():
    types = (InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE)
    request = EndpointRequest(engine=TGI, model=FALCON, instance=UNDECIDED, pools=types)
    line = summary(request, plan(request), planned_capacity(request))
    assert line.quota_names == ["ml.g5.2xlarge for endpoint usage", "ml.g6.2xlarge for endpoint usage"]


def test_an_instance_outside_of_the_catalogue_has_no_price():
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48)
    line = summarised(instance=own)
    assert (line.min_usd_per_hour, line.max_usd_per_hour) == (None, None)


def test_what_is_not_known_at_synth_is_left_out():
    request = EndpointRequest(
        engine=TGI,
        model=ModelChoice(source="hub", hub_id=Unknown("<id>")),
        instance=InstanceType.G5_2XLARGE,
        image=ImageChoice(version="3.3.6"),
        instance_count=UNKNOWN,
    )
    line = summary(request, plan(request), planned_capacity(request))
    assert (line.model, line.context, line.min_instances, line.max_instances) == (None, None, None, None)
    assert (line.streams, line.min_usd_per_hour, line.max_usd_per_hour, line.quota_needed) == (None, None, None, 2)


def test_an_option_that_is_not_known_at_synth_leaves_the_context_open():
    request = EndpointRequest(
        engine=TGI,
        model=FALCON,
        instance=InstanceType.G5_2XLARGE,
        options=TgiOptions(cuda_memory_fraction=UNKNOWN),
    )
    assert summary(request, plan(request), planned_capacity(request)).context is None


def test_it_survives_json_and_versions_with_more_or_fewer_fields():
    line = summarised()
    values = json.loads(json.dumps(line.to_json()))
    assert PlanSummary.from_json(values) == line
    assert PlanSummary.from_json(values | {"news": 1}) == line
    del values["context"]
    assert PlanSummary.from_json(values).context is None
