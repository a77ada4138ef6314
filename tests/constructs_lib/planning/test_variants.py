"""What several variants of one endpoint are together."""

from dataclasses import replace

import botocore.loaders
import pytest

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.summary import PlanSummary
from constructs_lib.planning.validation.unknown import UNKNOWN
from constructs_lib.planning.variants import MAX_VARIANTS, variants_summary, weight_problems

G5, G6 = InstanceType.G5_2XLARGE, InstanceType.G6_2XLARGE
ONE = PlanSummary(
    model="team/one",
    instances=["ml.g5.2xlarge"],
    min_instances=1,
    max_instances=2,
    accelerator="A10G",
    num_shard=1,
    context=4096,
    stream_tokens=1024,
    streams=100,
    min_usd_per_hour=1.5,
    max_usd_per_hour=3.0,
    price_is_derived=False,
)
OTHER = replace(ONE, model="team/other", context=2048, streams=20, max_instances=1, max_usd_per_hour=1.5)


def test_sagemaker_allows_as_many_variants_as_we_do():
    model = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")
    assert model["shapes"]["ProductionVariantList"]["max"] == MAX_VARIANTS
    assert model["shapes"]["VariantWeight"]["min"] == 0


@pytest.mark.parametrize("weight", [0, 1, 0.25, 100, UNKNOWN])
def test_a_weight_is_any_number_from_0_on(weight):
    assert list(weight_problems("weight", weight)) == []


@pytest.mark.parametrize("weight", [-0.5, float("nan"), float("inf"), "1", True, None])
def test_anything_else_is_no_weight(weight):
    (problem,) = weight_problems("weight", weight)
    assert problem.keyword == "weight"
    assert problem.fix == "Give a number from 0 on: a variant's share is its weight divided by the sum of all weights."


def test_instances_and_prices_of_all_variants_add_up_and_the_shortest_context_counts():
    assert variants_summary([ONE, OTHER], [1, 1]) == replace(
        ONE,
        model="team/one, team/other",
        min_instances=2,
        max_instances=3,
        context=2048,
        streams=40,
        min_usd_per_hour=3.0,
        max_usd_per_hour=4.5,
        most_of_a_type=3,
    )


@pytest.mark.parametrize(
    ("weights", "streams"),
    [([1, 1], 40), ([9, 1], 111), ([1, 0], 100), ([0, 3], 20), ([0, 0], None), ([1, UNKNOWN], None)],
)
def test_all_variants_serve_as_many_streams_as_fill_the_first_of_them_by_its_share(weights, streams):
    assert variants_summary([ONE, OTHER], weights).streams == streams


def test_what_is_not_known_of_one_variant_is_not_known_of_all():
    unknown = replace(OTHER, max_instances=None, max_usd_per_hour=None, context=None, streams=None)
    found = variants_summary([ONE, unknown], [1, 1])
    assert (found.min_instances, found.max_instances, found.context, found.streams) == (2, None, None, None)
    assert (found.max_usd_per_hour, found.most_of_a_type) == (None, None)
    assert variants_summary([ONE, unknown], [1, 0]).streams == 100


def test_the_quota_of_a_type_holds_an_update_of_all_variants_that_may_have_it():
    elsewhere = replace(OTHER, instances=["ml.g6.2xlarge"], max_instances=1)
    assert variants_summary([ONE, elsewhere], [1, 1]).quota_needed == 4
    assert (
        variants_summary([ONE, replace(elsewhere, instances=["ml.g6.2xlarge", "ml.g5.2xlarge"])], [1, 1]).quota_needed
        == 6
    )


def test_a_capacity_costs_what_all_its_variants_cost():
    variant = Capacity(instances=(G6,), min_instances=0, max_instances=2)
    both = Capacity(instances=(G5,), min_instances=1, max_instances=1, variants=(variant,))
    assert both.min_usd_per_hour == G5.price_usd_per_hour
    assert both.max_usd_per_hour == G5.price_usd_per_hour + 2 * G6.price_usd_per_hour
    assert replace(both, variants=(replace(variant, max_instances=None),)).max_usd_per_hour is None
