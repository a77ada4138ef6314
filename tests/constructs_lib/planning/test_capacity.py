"""What an hour of an endpoint's instances costs, at least and at most."""

from dataclasses import replace

import pytest

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.hardware.instance_types import InstanceType

ONE_TYPE = Capacity(instances=(InstanceType.G5_2XLARGE,), min_instances=1, max_instances=3)
POOL = (InstanceType.G5_2XLARGE, InstanceType.G6E_16XLARGE, InstanceType.G6_2XLARGE)


def test_it_costs_its_smallest_number_of_instances_at_least_and_its_largest_at_most():
    assert (ONE_TYPE.min_usd_per_hour, ONE_TYPE.max_usd_per_hour) == (1.515, pytest.approx(3 * 1.515))
    assert not ONE_TYPE.price_is_derived


def test_an_endpoint_that_scales_to_zero_costs_nothing_at_least():
    assert replace(ONE_TYPE, min_instances=0).min_usd_per_hour == 0


def test_of_a_pool_the_first_instance_type_counts_at_least_and_the_dearest_at_most():
    pool = replace(ONE_TYPE, instances=POOL)
    dearest = InstanceType.G6E_16XLARGE.price_usd_per_hour
    assert (pool.min_usd_per_hour, pool.max_usd_per_hour) == (1.515, pytest.approx(3 * dearest))
    assert pool.price_is_derived


def test_without_a_price_of_every_instance_type_the_most_is_not_known():
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48)
    pool = replace(ONE_TYPE, instances=(*POOL, own))
    assert (pool.min_usd_per_hour, pool.max_usd_per_hour) == (1.515, None)


def test_a_number_that_only_the_deployment_knows_has_no_price():
    unknown = replace(ONE_TYPE, min_instances=None, max_instances=None)
    assert (unknown.min_usd_per_hour, unknown.max_usd_per_hour) == (None, None)
