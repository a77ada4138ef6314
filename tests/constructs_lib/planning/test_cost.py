"""What a front door costs while streams are open."""

from dataclasses import replace

import pytest

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.cost import SECONDS_PER_STREAM, describe_price, streams_usd_per_hour
from constructs_lib.planning.hardware.instance_types import InstanceType


def test_an_open_stream_costs_the_memory_of_its_environment_and_its_share_of_requests():
    # 3600 s × 0.125 GB × $0.0000133334 for Lambda's time; 360 requests of 10 s at $0.20 + $3.50 a million.
    assert SECONDS_PER_STREAM == 10
    assert streams_usd_per_hour(1, 128) == pytest.approx(0.00600003 + 0.001332)


def test_it_is_proportional_to_the_streams():
    assert streams_usd_per_hour(64, 256) == pytest.approx(64 * streams_usd_per_hour(1, 256))
    assert streams_usd_per_hour(0, 256) == 0


def test_64_streams_of_512_mib_cost_more_than_an_instance_of_the_llama_stack():
    assert streams_usd_per_hour(64, 512) > InstanceType.G5_2XLARGE.price_usd_per_hour


ONE = Capacity(instances=(InstanceType.G5_2XLARGE,), min_instances=1, max_instances=1)


def test_a_price_is_described_with_what_the_front_door_costs_beside_it():
    scaled = replace(ONE, max_instances=2)
    assert describe_price(scaled, 64, 1024, 256) == (
        "1.515 USD at minimum, 3.030 USD at maximum; front door 0.853 USD per hour of 64 open streams of 1024 tokens"
    )
    assert (
        describe_price(ONE, 1, 1024, 256) == "1.515 USD; front door 0.013 USD per hour of 1 open stream of 1024 tokens"
    )


@pytest.mark.parametrize(("streams", "memory"), [(None, 256), (64, None)])
def test_without_streams_or_a_front_door_the_endpoint_alone_is_described(streams, memory):
    assert (
        describe_price(replace(ONE, min_instances=0), streams, 1024, memory)
        == "0.000 USD at minimum, 1.515 USD at maximum"
    )


def test_a_number_of_instances_that_only_the_deployment_knows_leaves_the_price_of_one():
    unknown = replace(ONE, max_instances=None)
    assert describe_price(unknown, None, 1024, 256) == "1.515 USD for each ml.g5.2xlarge"


def test_a_price_that_is_worked_out_from_ec2s_is_an_approximation():
    assert describe_price(replace(ONE, instances=(InstanceType.G6E_16XLARGE,)), None, 1024, None) == "about 9.471 USD"


def test_without_a_published_price_nothing_is_described():
    own = InstanceType.of("ml.g9.2xlarge", accelerator_count=1, memory_gib=48)
    assert describe_price(replace(ONE, instances=(own,)), 64, 1024, 256) is None
